"""Shapes that scene files describe: closed, outside out, where they belong."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh
from PIL import Image

from invrender.nouns import Mesh
from invrender.shading.surface import surface
from tests.io.scenes.made import scene

LAMP = '[[light]]\ntype = "point"\nposition = [0, 5, 0]\n'


def only(folder: Path, text: str) -> Mesh:
    """The single mesh of a scene."""
    return scene(folder, LAMP + text).mesh


def solid(mesh: Mesh) -> trimesh.Trimesh:
    """For trimesh, which measures it."""
    return trimesh.Trimesh(*mesh.numpy())


def test_a_sphere_is_round_to_the_eye(tmp_path: Path) -> None:
    mesh = only(tmp_path, "[[sphere]]\ncenter = [1, 2, 3]\nradius = 2\n")
    centre = torch.tensor([1.0, 2, 3]).double()
    assert len(mesh.faces) == 20480
    assert ((mesh.vertices - centre).norm(dim=1) - 2).abs().max() < 1e-12
    ball = solid(mesh)
    assert ball.is_watertight and ball.volume == pytest.approx(4 / 3 * np.pi * 8, rel=1e-3)
    prepared = surface(mesh, 60.0)
    outwards = (prepared.positions - centre)[prepared.position_of] / 2
    off = (prepared.normals - outwards).norm(dim=1)  # radians, nearly
    assert off.max() < 2e-3 and off.mean() < 3e-4


def test_many_spheres_are_coarser(tmp_path: Path) -> None:
    meshes = scene(tmp_path, LAMP + "[[sphere]]\n" * 60).meshes
    assert {len(mesh.faces) for mesh in meshes} == {5120}


def test_the_picture_of_a_globe_reads_right_from_outside(tmp_path: Path) -> None:
    Image.fromarray(np.zeros((2, 4, 3), np.uint8)).save(tmp_path / "globe.png")
    mesh = only(tmp_path, '[[sphere]]\nmaterial = "m"\n[material.m]\ntexture = "globe.png"\n')
    assert mesh.uv is not None
    corners, uv = mesh.vertices[mesh.faces], mesh.uv[mesh.faces]
    assert (uv.amax(1) - uv.amin(1)).max() < 0.2  # no face spans the picture
    front = int((corners.mean(1) - torch.tensor([0.0, 0, 1]).double()).norm(dim=1).argmin())
    assert (uv[front].mean(0) - 0.5).abs().max() < 0.02
    side = int((corners.mean(1) - torch.tensor([1.0, 0, 0]).double()).norm(dim=1).argmin())
    assert uv[side, :, 0].mean() == pytest.approx(0.75, abs=0.02)
    top = int((corners.mean(1) - torch.tensor([0.0, 1, 0]).double()).norm(dim=1).argmin())
    assert uv[top, :, 1].max() > 0.95
    welded = trimesh.Trimesh(*mesh.numpy())
    welded.merge_vertices(merge_tex=True)
    assert welded.is_watertight


@pytest.mark.parametrize("normal", [(0, 1, 0), (0, -2, 0), (1, 0, 0), (0.3, 0.4, -0.5)])
def test_a_plane_faces_its_normal(tmp_path: Path, normal: tuple[float, float, float]) -> None:
    mesh = only(tmp_path, f"[[plane]]\ncenter = [1, 1, 1]\nnormal = {list(normal)}\nsize = [4, 2]\nrepeat = 3\n")
    flat = solid(mesh)
    assert flat.area == pytest.approx(8)
    assert flat.face_normals == pytest.approx(np.tile(np.asarray(normal) / np.linalg.norm(normal), (2, 1)))
    assert flat.vertices.mean(0) == pytest.approx([1, 1, 1])
    assert mesh.uv is not None and mesh.uv.amax(0).tolist() == [3, 3]
    width = mesh.vertices[1] - mesh.vertices[0]
    assert width.norm() == pytest.approx(4)
    assert float(width[1]) == pytest.approx(0)  # the sides are level


def test_the_floor_is_seen_as_its_picture_lies(tmp_path: Path) -> None:
    mesh = only(tmp_path, "[[plane]]\nsize = 2\n")
    assert mesh.uv is not None
    far_right = mesh.vertices[mesh.uv.sum(1).argmax()]
    assert far_right.tolist() == [1, 0, -1]
    turned = only(tmp_path, "[[plane]]\nsize = [2, 4]\nup = [1, 5, 0]\n")
    assert turned.vertices.abs().amax(0).tolist() == [2, 0, 1]


def test_a_plane_without_a_size_reaches_far(tmp_path: Path) -> None:
    meshes = scene(tmp_path, LAMP + "[[plane]]\n[[sphere]]\nradius = 2\n").meshes
    assert [mesh.vertices.abs().max() for mesh in meshes] == [2, 20]
    assert only(tmp_path, "[[plane]]\n").vertices.abs().max() == 5


def test_boxes_are_closed_and_turn_about_their_centre(tmp_path: Path) -> None:
    mesh = only(tmp_path, "[[box]]\ncenter = [5, 0, 0]\nsize = [1, 2, 3]\nrotate = [0, 90, 0]\n")
    box = solid(mesh)
    box.merge_vertices()
    assert box.is_watertight and box.volume == pytest.approx(6)
    assert mesh.vertices.amin(0).tolist() == pytest.approx([3.5, -1, -0.5])
    assert mesh.vertices.amax(0).tolist() == pytest.approx([6.5, 1, 0.5])
    mirrored = solid(only(tmp_path, "[[box]]\nscale = [-1, 2, 1]\n"))
    assert mirrored.volume == pytest.approx(2)
    assert solid(only(tmp_path, "[[sphere]]\nscale = [1, 1, -2]\n")).volume == pytest.approx(8 / 3 * np.pi, rel=1e-3)


def test_meshes_are_scaled_then_turned_then_moved(tmp_path: Path) -> None:
    (tmp_path / "a.obj").write_text("v 1 0 0\nv 0 1 0\nv 0 0 1\nf 1 2 3\n")
    mesh = '[[mesh]]\nfile = "a.obj"\n'

    def first(text: str) -> list[float]:
        return [round(value, 9) + 0.0 for value in only(tmp_path, mesh + text).vertices[0].tolist()]

    assert first("scale = [2, 1, 1]\nrotate = [0, 0, 90]\ntranslate = [0, 0, 5]\n") == [0, 2, 5]
    assert first("rotate = [0, 90, 0]\n") == [0, 0, -1]
    assert first("rotate = [90, 90, 90]\n") == [0, 0, -1]  # X leaves it, Y takes it to -Z, Z leaves it
    assert first("rotate = [90, 0, 0, 2]\n") == [0, 1, 0]
    assert first("matrix = [[0, 1, 0, 1], [2, 0, 0, 1], [0, 0, 1, 1], [0, 0, 0, 1]]\n") == [1, 3, 1]
    assert first("matrix = [0, 1, 0, 1, 2, 0, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1]\n") == [1, 3, 1]


def test_a_mirror_keeps_the_outside_outside(tmp_path: Path) -> None:
    trimesh.creation.box().export(tmp_path / "box.obj")
    box = solid(only(tmp_path, '[[mesh]]\nfile = "box.obj"\nscale = [-2, 1, 1]\n'))
    assert box.volume == pytest.approx(2)
