"""The sample meshes: closed, consistently wound, free of self-intersections, of the genus they promise."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pytest
import trimesh

from invrender.geometry.intersections import self_intersections
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh
from invrender.samples import SAMPLES, describe
from invrender.samples.implicit import ball, polygonise

DATA = Path(__file__).parents[2] / "data"
BODIES_AND_GENUS = {
    "mug": (1, 1),
    "torus-knot": (1, 1),
    "blobby": (1, 0),
    "figure": (2, 0),
    "vase": (1, 0),
    "sphere": (1, 0),
}


@cache
def made(name: str) -> Mesh:
    return SAMPLES[name]()


def shape(mesh: Mesh) -> trimesh.Trimesh:
    return trimesh.Trimesh(*mesh.numpy(), process=False)


def genus(body: trimesh.Trimesh) -> float:
    return body.body_count - body.euler_number / 2


def test_every_sample_is_listed_here():
    assert set(BODIES_AND_GENUS) == set(SAMPLES)
    assert all(describe(name).endswith(".") for name in SAMPLES)


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_sound(name):
    mesh = made(name)
    body = shape(mesh)
    bodies, handles = BODIES_AND_GENUS[name]
    assert body.is_watertight
    assert body.is_winding_consistent
    assert body.volume > 0
    assert body.body_count == bodies
    assert genus(body) == handles
    assert 1000 < len(mesh.faces) < 15000
    assert len(self_intersections(*mesh.numpy())) == 0


@pytest.mark.parametrize("name", SAMPLES)
def test_triangles_are_well_shaped(name):
    smallest = np.degrees(trimesh.triangles.angles(shape(made(name)).triangles)).min(axis=1)
    assert smallest.min() > 5
    assert np.median(smallest) > 30


@pytest.mark.parametrize("name", SAMPLES)
def test_samples_are_the_same_every_time(name):
    again = SAMPLES[name]()
    assert np.array_equal(again.numpy()[0], made(name).numpy()[0])
    assert np.array_equal(again.numpy()[1], made(name).numpy()[1])


def test_mug_is_ten_centimetres_high_and_mostly_hollow():
    vertices = made("mug").numpy()[0]
    assert np.allclose(np.ptp(vertices[:, 1]), 0.1, atol=0.001)
    assert shape(made("mug")).volume < 0.5 * shape(made("mug")).convex_hull.volume


def test_polygonised_ball_is_a_sphere():
    radius, centre = 0.7, (0.1, -0.2, 0.3)
    vertices, faces = polygonise(
        lambda p: ball(p, centre, radius), (-0.8, -1.1, -0.6), (1.0, 0.7, 1.2), 0.11, (0.05, 0.1)
    )
    assert np.allclose(np.linalg.norm(vertices - centre, axis=1), radius, atol=1e-9)
    body = trimesh.Trimesh(vertices, faces, process=False)
    assert body.is_watertight
    assert np.isclose(body.area, 4 * np.pi * radius**2, rtol=0.02)
    assert np.isclose(body.volume, 4 / 3 * np.pi * radius**3, rtol=0.02)


@pytest.mark.parametrize(
    ("file", "name"),
    [("mug.glb", "mug"), ("torus_knot.glb", "torus-knot"), ("blobby.ply", "blobby"), ("figure.obj", "figure")],
)
def test_data_holds_what_the_samples_make(file, name):
    path = DATA / file
    assert path.stat().st_size < 300_000
    stored, fresh = read_mesh(path), made(name)
    low, high = shape(fresh).bounds
    assert np.allclose(shape(stored).bounds, (low, high), rtol=0, atol=0.005 * (high - low).max())
    assert np.isclose(shape(stored).volume, shape(fresh).volume, rtol=0.01)
    assert genus(shape(stored)) == genus(shape(fresh))
    assert (stored.colours is None) == (fresh.colours is None)
    assert file in (DATA / "README.md").read_text()
