"""Primitives: modes, missing indices, shared positions, counts that differ, and morph targets."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh
from tests.io.meshes.gltf.conftest import BOX, BOX_FACES, Builder

SIDES = BOX_FACES.reshape(-1, 3)[[k for k in range(12) if k not in (8, 9, 10, 11)]].reshape(-1)


def volume(mesh: Mesh) -> float:
    """Of a mesh that is closed once vertices at the same place are joined."""
    joined = trimesh.Trimesh(*mesh.numpy(), process=True)
    assert joined.is_watertight
    return float(joined.volume)


def test_without_indices_vertices_are_taken_in_threes(build: Builder):
    build.show(build.primitive(BOX[BOX_FACES], faces=None))
    mesh = read_mesh(build.write())
    assert mesh.faces.tolist() == np.arange(36).reshape(12, 3).tolist()
    assert volume(mesh) == pytest.approx(6)


@pytest.mark.parametrize("mode", [5, 6])
def test_strips_and_fans_beside_triangles_close_the_box(build: Builder, mode: int):
    position = build.accessor(BOX)
    low, high = ([0, 2, 4, 6], [1, 5, 3, 7]) if mode == 5 else ([0, 2, 6, 4], [1, 5, 7, 3])
    ends = [{**build.primitive(position, np.array(corners, "u1")), "mode": mode} for corners in (low, high)]
    build.show(build.primitive(position, SIDES), *ends)
    mesh = read_mesh(build.write())
    assert mesh.faces.shape == (12, 3)
    assert volume(mesh) == pytest.approx(6)


def test_strips_alternate_and_leave_out_what_joins_them(build: Builder):
    corners = np.array([0, 1, 2, 3, 3, 4, 4, 5, 6, 7], "u1")
    build.show({**build.primitive(faces=corners), "mode": 5})
    assert read_mesh(build.write()).faces.tolist() == [[0, 1, 2], [1, 3, 2], [4, 5, 6], [5, 7, 6]]


def test_fans_turn_about_their_first_corner(build: Builder):
    build.show({**build.primitive(faces=np.array([0, 2, 6, 4], "u1")), "mode": 6})
    assert read_mesh(build.write()).faces.tolist() == [[2, 6, 0], [6, 4, 0]]


def test_points_and_lines_are_left_out_and_told(build: Builder, caplog: pytest.LogCaptureFixture):
    position = build.accessor(BOX)
    build.show({**build.primitive(position, None), "mode": 0}, build.primitive(), {**build.primitive(), "mode": 1})
    assert read_mesh(build.write()).faces.shape == (12, 3)
    assert "its lines and points are left out" in caplog.text


def test_only_points_is_said(build: Builder):
    build.show({**build.primitive(faces=None), "mode": 0})
    with pytest.raises(InputError, match=r"no faces \(only points\)"):
        read_mesh(build.write())


def test_primitives_that_share_positions_keep_their_own(build: Builder):
    position = build.accessor(BOX)
    build.show(build.primitive(position, BOX_FACES[:3]), build.primitive(position, BOX_FACES[-3:]))
    mesh = read_mesh(build.write())
    assert mesh.vertices[mesh.faces].numpy().tolist() == BOX[BOX_FACES[[0, 1, 2, -3, -2, -1]]].reshape(2, 3, 3).tolist()
    assert len(mesh.vertices) == 6


def test_corners_too_many_are_told(build: Builder, caplog: pytest.LogCaptureFixture):
    build.show(build.primitive(faces=BOX_FACES[:8]))
    assert read_mesh(build.write()).faces.shape == (2, 3)
    assert "ends in 2 corners too many" in caplog.text


def test_indices_beyond_the_vertices_are_refused(build: Builder):
    build.show(build.primitive(faces=np.array([0, 1, 2, 0, 1, 8], "u1")))
    with pytest.raises(InputError, match=r"1 of 2 faces that point at vertices that do not exist \(there are 8\)"):
        read_mesh(build.write())


def test_indices_must_be_unsigned_integers(build: Builder):
    build.show(build.primitive(faces=np.arange(6, dtype="f4")))
    with pytest.raises(InputError, match="needs unsigned integers"):
        read_mesh(build.write())


def test_attributes_of_another_length_are_refused(build: Builder):
    build.show(build.primitive(COLOR_0=np.ones((7, 3), "f4")))
    with pytest.raises(InputError, match="has 7 elements for COLOR_0, but there are 8 vertices"):
        read_mesh(build.write())


@pytest.mark.parametrize("owner", ["mesh", "node"])
def test_morph_targets_have_their_default_weights(build: Builder, owner: str):
    up, away = np.zeros_like(BOX), np.full_like(BOX, 9)
    up[BOX[:, 1] > 0, 1] = 4
    targets = [{"POSITION": build.accessor(up)}, {"POSITION": build.accessor(away)}, {}]
    weights = {"weights": [0.5, 0.0, 1.0]}
    primitive = {**build.primitive(), "targets": targets}
    build.show(primitive, **(weights if owner == "node" else {"mesh": weights}))
    mesh = read_mesh(build.write())
    assert mesh.vertices.numpy().max(axis=0).tolist() == [1, 4, 3]
    assert volume(mesh) == pytest.approx(12)


def test_the_weights_of_a_node_go_before_those_of_its_mesh(build: Builder):
    targets = [{"POSITION": build.accessor(BOX)}]
    build.show({**build.primitive(), "targets": targets}, mesh={"weights": [5.0]}, weights=[1.0])
    assert np.array_equal(read_mesh(build.write()).vertices.numpy(), 2 * BOX)
