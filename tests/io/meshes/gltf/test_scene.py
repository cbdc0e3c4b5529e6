"""Nodes, scenes, instances and skins: where everything stands."""

from __future__ import annotations

import numpy as np
import pytest
import trimesh

from invrender.errors import InputError
from invrender.io.meshes import gltf
from invrender.io.meshes.read import read_mesh
from tests.io.meshes.gltf.conftest import BOX, Builder


def bounds(build: Builder) -> list[list[float]]:
    vertices = read_mesh(build.write()).vertices.numpy().round(9) + 0.0
    return [vertices.min(axis=0).tolist(), vertices.max(axis=0).tolist()]


def test_translation_rotation_scale_and_matrices(build: Builder):
    half = 0.5**0.5
    child = build.show(build.primitive(), translation=[10, 0, 0], rotation=[0, 0, 3 * half, 3 * half], scale=[2, 1, 1])
    assert bounds(build) == [[8, 0, 0], [10, 2, 3]]  # x becomes y, y becomes -x
    matrix = [0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 100, 1]  # columns: x to z, y to x, z to y; up by 100
    build.document["scenes"][0]["nodes"] = [build.add("nodes", matrix=matrix, children=[child], camera=0)]
    assert bounds(build) == [[0, 0, 108], [2, 3, 110]]


@pytest.mark.parametrize("scale", [[-1, 1, 1], [-1, -1, -1], [1, -2, 1]])
def test_mirrors_keep_the_outside_out(build: Builder, scale: list[float]):
    build.show(build.primitive(), scale=scale)
    mesh = trimesh.Trimesh(*read_mesh(build.write()).numpy(), process=False)
    assert mesh.volume == pytest.approx(6 * abs(np.prod(scale)))


def test_a_chain_of_ten_thousand_nodes(build: Builder):
    node = build.show(build.primitive(), translation=[1, 0, 0])
    for _ in range(9_999):
        node = build.add("nodes", translation=[1, 0, 0], children=[node])
    build.document["scenes"][0]["nodes"] = [node]
    assert bounds(build)[0] == [10_000, 0, 0]


def test_the_default_scene_is_shown(build: Builder):
    build.show(build.primitive())
    other = build.add("nodes", mesh=0, translation=[5, 0, 0])
    build.document["scenes"].append({"nodes": [other]})
    assert bounds(build)[0] == [0, 0, 0]
    build.document["scene"] = 1
    assert bounds(build) == [[5, 0, 0], [6, 2, 3]]


def test_without_scenes_all_roots_are_shown(build: Builder):
    build.show(build.primitive())
    build.add("nodes", children=[build.add("nodes", mesh=0)], translation=[5, 0, 0])
    del build.document["scenes"]
    assert read_mesh(build.write()).faces.shape == (24, 3)
    assert bounds(build) == [[0, 0, 0], [6, 2, 3]]


def test_without_nodes_all_meshes_are_shown(build: Builder):
    build.show(build.primitive())
    del build.document["scenes"], build.document["nodes"]
    assert bounds(build) == [[0, 0, 0], [1, 2, 3]]


def test_hidden_nodes_are_left_out(build: Builder):
    build.show(build.primitive())
    build.show(build.primitive(), translation=[9, 0, 0], extensions={"KHR_node_visibility": {"visible": False}})
    assert bounds(build) == [[0, 0, 0], [1, 2, 3]]


def test_nodes_of_scale_0_show_nothing(build: Builder, caplog: pytest.LogCaptureFixture):
    build.show(build.primitive(), scale=[0, 0, 0])
    with pytest.raises(InputError, match="only nodes of scale 0"):
        read_mesh(build.write())
    build.show(build.primitive(), translation=[9, 0, 0])
    assert bounds(build) == [[9, 0, 0], [10, 2, 3]]
    assert not caplog.text


def test_a_rotation_of_length_0_turns_nothing(build: Builder, caplog: pytest.LogCaptureFixture):
    build.show(build.primitive(), rotation=[0, 0, 0, 0])
    assert bounds(build) == [[0, 0, 0], [1, 2, 3]]
    assert "rotation of length 0" in caplog.text


def test_a_default_scene_without_meshes_is_told_from_a_file_without(build: Builder):
    build.show(build.primitive())
    build.document["scenes"].insert(0, {"name": "empty"})
    with pytest.raises(InputError, match=r"meshes: 1, scenes: 2\) is no part of it\n.*'scene'"):
        read_mesh(build.write())


BROKEN_TREES = {
    "their own children": [{"mesh": 0, "children": [1]}, {"children": [0]}],
    "child of two nodes": [{"children": [2]}, {"children": [2]}, {"mesh": 0}],
    "nodes.1. has the child 7, but there are 2": [{"mesh": 0}, {"children": [7]}],
    "not a list of 3 numbers": [{"mesh": 0, "translation": [1, 2]}],
    "not a list of 16 numbers": [{"mesh": 0, "matrix": "identity"}],
    "names meshes 4, but there are 1": [{"mesh": 4}],
    "not a finite number": [{"mesh": 0, "scale": [1, 1, 10**400]}],
    "nodes.0. is not an object": [[0]],
}


@pytest.mark.parametrize("message", BROKEN_TREES)
def test_broken_trees_are_refused(build: Builder, message: str):
    build.show(build.primitive())
    build.document["nodes"] = BROKEN_TREES[message]
    with pytest.raises(InputError, match=message):
        read_mesh(build.write())


def test_instances_stand_where_they_are_put(build: Builder):
    build.document["extensionsRequired"] = ["EXT_mesh_gpu_instancing"]
    attributes = {
        "TRANSLATION": build.accessor(np.array([[0, 0, 0], [5, 0, 0], [10, 0, 0]], "f4")),
        "ROTATION": build.accessor(np.array([[0, 0, 0, 127]] * 3, "i1"), normalized=True),
        "SCALE": build.accessor(np.array([[1, 1, 1], [1, 1, 1], [1, 1, -1]], "f4")),
    }
    extensions = {"EXT_mesh_gpu_instancing": {"attributes": attributes}}
    build.show(build.primitive(), translation=[0, 1, 0], scale=[2, 1, 1], extensions=extensions)
    mesh = read_mesh(build.write())
    assert mesh.faces.shape == (36, 3)
    assert bounds(build) == [[0, 1, -3], [22, 3, 3]]
    assert trimesh.Trimesh(*mesh.numpy(), process=False).volume == pytest.approx(36)


def test_instances_of_different_counts_are_refused(build: Builder):
    attributes = {"TRANSLATION": build.accessor(BOX), "SCALE": build.accessor(BOX[:3])}
    build.show(build.primitive(), extensions={"EXT_mesh_gpu_instancing": {"attributes": attributes}})
    with pytest.raises(InputError, match="differ in length"):
        read_mesh(build.write())


def test_too_many_faces_are_refused_before_they_are_made(build: Builder, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(gltf, "MOST_FACES", 20)
    build.show(build.primitive())
    build.document["scenes"][0]["nodes"].append(build.add("nodes", mesh=0))
    with pytest.raises(InputError, match="more than 20 faces"):
        read_mesh(build.write())


def skin(build: Builder, joints: np.ndarray, weights: np.ndarray, **fields: object) -> None:
    """The box, moved by two joints below a common parent."""
    build.document["skins"] = [{"joints": [0, 1], **fields}]
    build.add("nodes", translation=[10, 0, 0])
    build.add("nodes", scale=[1, 3, 1])
    build.add("nodes", children=[0, 1], translation=[0, 0, 5])
    build.show(build.primitive(JOINTS_0=joints, WEIGHTS_0=weights), skin=0, translation=[1000, 0, 0])
    build.document["scenes"][0]["nodes"].append(2)


def test_skins_follow_their_joints_and_not_their_node(build: Builder):
    top = (BOX[:, 1] > 0).astype("u1")
    joints = np.stack([top, top * 0, top * 0, top * 0], axis=1)
    weights = np.tile(np.array([2, 0, 0, 0], "f4"), (8, 1))  # not normalised
    skin(build, joints, weights)
    assert bounds(build) == [[0, 0, 5], [11, 6, 8]]


def test_inverse_bind_matrices_and_blends(build: Builder):
    bind = np.tile(np.eye(4, dtype="f4"), (2, 1, 1))
    bind[:, 3, 2] = -5  # stored by columns: the translation is the last one
    joints = np.tile(np.array([0, 1, 0, 0], "u2"), (8, 1))
    weights = build.accessor(np.tile(np.array([128, 127, 0, 0], "u1"), (8, 1)), normalized=True)
    skin(build, joints, weights, inverseBindMatrices=build.accessor(bind))
    low, high = bounds(build)
    assert low == pytest.approx([10 * 128 / 255, 0, 0])
    assert high == pytest.approx([1 + 10 * 128 / 255, 2 * (128 + 3 * 127) / 255, 3])


def test_a_second_set_of_joints_counts(build: Builder):
    none, one = np.zeros((8, 4), "f4"), np.tile(np.array([1, 0, 0, 0], "f4"), (8, 1))
    primitive = build.primitive(JOINTS_0=none.astype("u1"), WEIGHTS_0=none, JOINTS_1=none.astype("u1"), WEIGHTS_1=one)
    build.document["skins"] = [{"joints": [1]}]
    build.show(primitive, skin=0)
    build.document["scenes"][0]["nodes"].append(build.add("nodes", scale=[-1, 1, 1]))
    mesh = trimesh.Trimesh(*read_mesh(build.write()).numpy(), process=False)
    assert mesh.bounds.tolist() == [[-1, 0, 0], [0, 2, 3]]
    assert mesh.volume == pytest.approx(6)


def test_joints_that_do_not_exist_are_refused(build: Builder):
    skin(build, np.full((8, 4), 2, "u1"), np.ones((8, 4), "f4"))
    with pytest.raises(InputError, match="has 2 joints, but a vertex names joint 2"):
        read_mesh(build.write())
    build.document["skins"][0]["joints"] = [0, 99]
    with pytest.raises(InputError, match="joints that do not exist"):
        read_mesh(build.write())
