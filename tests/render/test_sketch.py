"""Sketches are the rasterizer's pictures with fewer samples: same surface, same light, same colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.projection import perspective
from invrender.cameras.rigs import rig
from invrender.nouns import Lights, Material, Mesh
from invrender.render.corner_normals import corner_normals
from invrender.render.images import to_bytes
from invrender.render.raster import layers_of
from invrender.render.sketch import outline, sketched
from invrender.samples import SAMPLES
from invrender.shading.surface import surface_on

PAPER = (1.0, 1.0, 1.0)


@pytest.mark.parametrize("mode", ["shaded", "color"])
def test_a_sketch_is_the_picture_of_the_rasterizer(mode):
    mesh = SAMPLES["torus-knot"]()
    reach = float(mesh.vertices.abs().max())
    camera = rig("orbit", 1, torch.zeros(3), reach, (96, 96))
    found = sketched(outline(mesh, mode == "color"), camera, mode, Material(), Lights(), PAPER)
    assert found is not None
    plain = mesh if mode == "color" else type(mesh)(mesh.vertices, mesh.faces)
    backend = select("cpu")
    layers = layers_of(surface_on(backend.device, plain), Lights(), camera, mode, backend)[0].float()
    cover = layers[..., 3].numpy()
    exact = to_bytes(layers[..., :3] + (1 - layers[..., 3:]) * torch.tensor(PAPER))
    assert np.abs(found[1] - cover).mean() < 0.01
    inside = (cover > 0.999) & (found[1] > 0.999)
    assert inside.mean() > 0.1
    apart = np.abs(found[0].astype(int) - exact)[inside]
    assert np.median(apart) <= 2
    assert apart.mean() < 6


def test_a_closed_body_looks_the_same_without_its_backs():
    mesh = SAMPLES["torus-knot"]()
    camera = rig("orbit", 1, torch.zeros(3), float(mesh.vertices.abs().max()), (96, 96))
    body = outline(mesh, merged=True)
    assert body.solid
    found, whole = (
        sketched(each, camera, "shaded", Material(), Lights(), PAPER) for each in (body, replace(body, solid=False))
    )
    assert found is not None
    assert whole is not None
    assert np.array_equal(found[1], whole[1])
    assert (found[0] != whole[0]).mean() < 0.001
    for faces in (mesh.faces[1:], mesh.faces.flip(1)):  # open, and inside out
        assert not outline(replace(mesh, faces=faces), merged=True).solid


def test_normals_are_smooth_but_for_creases():
    """Two squares that meet at an edge: flat on either side of a crease, one mean at a soft edge."""
    faces = np.array([[0, 1, 2], [0, 2, 3], [1, 4, 5], [1, 5, 2]], np.int32)
    for rise, creased in ((1.0, True), (0.1, False)):
        points = np.array([[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0], [2, 0, rise], [2, 1, rise]], np.float32)
        rows, row_of = corner_normals(points, faces, np.cos(np.radians(30)))
        found = rows[row_of]
        np.testing.assert_allclose(np.linalg.norm(found, axis=2), 1, atol=1e-6)
        np.testing.assert_allclose(found[0, 0], (0, 0, 1), atol=1e-6)
        apart = np.abs(found[0, 1] - found[2, 0]).max()
        assert (apart > 0.5) == creased
        assert apart < 1e-6 or creased


def test_what_a_camera_cuts_is_not_sketched():
    """Depths are told apart between the nearest and the farthest point: what lies beyond a plane has none."""
    mesh = SAMPLES["torus-knot"]()
    reach = float(mesh.vertices.abs().max())
    camera = rig("orbit", 1, torch.zeros(3), reach, (32, 32))
    body = outline(mesh)
    far = float(torch.linalg.norm(camera.position))
    for near, beyond, drawn in ((far - 2 * reach, far + 2 * reach, True), (far, far + 2 * reach, False),
                                (far - 2 * reach, far, False)):  # fmt: skip
        some = replace(camera, projection=perspective(45.0, (32, 32), near, beyond)[None])
        assert (sketched(body, some, "shaded", Material(), Lights(), PAPER) is not None) == drawn


@pytest.mark.parametrize("mode", ["normal", "color"])
def test_large_triangles_are_shaded_in_perspective(mode):
    """A square that leans away: its middle on the screen is not the mean of its corners."""
    corners = torch.tensor([[-1.0, -1, 1], [1, -1, 1], [1, 1, -4], [-1, 1, -4]], dtype=torch.float64)
    faces = torch.tensor([[0, 1, 2], [0, 2, 3]])
    colours = torch.tensor([[1.0, 0, 0], [1, 0, 0], [0, 0, 1], [0, 0, 1]])
    camera = rig("orbit", 1, torch.zeros(3), 3.0, (64, 64), elevation=0.0)
    mesh = Mesh(corners, faces, colours=colours)
    found = sketched(outline(mesh, mode == "color"), camera, mode, Material(), Lights(), PAPER)
    assert found is not None
    backend = select("cpu")
    layers = layers_of(surface_on(backend.device, mesh), Lights(), camera, mode, backend)[0].float()
    exact, inside = to_bytes(layers[..., :3]), (layers[..., 3].numpy() > 0.999) & (found[1] > 0.999)
    assert inside.sum() > 20
    assert np.abs(found[0].astype(int) - exact)[inside].max() <= 3
