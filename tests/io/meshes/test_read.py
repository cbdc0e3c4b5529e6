"""Reading meshes: what the file says comes out, and what is wrong with it is said in words."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh

TRIANGLE = "v 0 0 0\nv 1 0 0\nv 0 1 0\n"
PLY = (
    "ply\nformat ascii 1.0\nelement vertex 3\nproperty float x\nproperty float y\nproperty float z\n"
    "element face 1\nproperty list uchar int vertex_indices\nend_header\n0 0 0\n1 0 0\n0 1 0\n"
)


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_obj_keeps_order_digits_and_polygons(tmp_path):
    mesh = read_mesh(
        write(tmp_path, "a.obj", "v 1000000.1234567 0 0\nv 1000001 0 0\nv 1000001 1 0\nv 1000000 1 0\nf 1 2 3 4\n")
    )
    assert mesh.vertices.dtype == torch.float64
    assert mesh.vertices[0, 0].item() == 1000000.1234567
    assert mesh.faces.tolist() == [[0, 1, 2], [2, 3, 0]]
    assert mesh.faces.dtype == torch.int64
    assert mesh.uv is None
    assert mesh.colours is None


def test_obj_corners_split_by_normals_are_one_vertex_again(tmp_path):
    text = TRIANGLE + "v 1 1 0\nvn 0 0 1\nvn 0 1 0\nf 1//1 2//1 3//1\nf 2//2 4//2 3//2\n"
    mesh = read_mesh(write(tmp_path, "a.obj", text))
    assert mesh.vertices.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]]
    assert mesh.faces.tolist() == [[0, 1, 2], [1, 3, 2]]


def test_stl_box_is_closed(tmp_path):
    trimesh.creation.box().export(tmp_path / "box.stl")
    mesh = read_mesh(tmp_path / "box.stl")
    assert mesh.vertices.shape == (8, 3)
    assert trimesh.Trimesh(*mesh.numpy(), process=False).is_watertight


def test_node_transforms_apply_and_mirrors_keep_the_outside_out(tmp_path):
    scene = trimesh.Scene()
    box = trimesh.creation.box()
    move = trimesh.transformations.translation_matrix([1e6, 0, 0])
    scene.add_geometry(box, node_name="parent", transform=move)
    scene.add_geometry(box, node_name="mirrored", parent_node_name="parent", transform=np.diag([-2.0, 1, 1, 1]))
    scene.export(tmp_path / "scene.glb")
    mesh = read_mesh(tmp_path / "scene.glb")
    assert mesh.faces.shape == (24, 3)
    assert mesh.vertices.amin(dim=0).tolist() == [1e6 - 1, -0.5, -0.5]
    joined = trimesh.Trimesh(*mesh.numpy(), process=False)
    assert [round(part.volume, 9) for part in joined.split()] == [1.0, 2.0]


def test_materials_of_several_bodies_become_vertex_colours(tmp_path):
    write(tmp_path, "two.mtl", "newmtl red\nKd 1 0 0\nnewmtl blue\nKd 0 0 0.2\n")
    text = "mtllib two.mtl\n" + TRIANGLE + "v 5 0 0\nv 6 0 0\nv 5 1 0\nusemtl red\nf 1 2 3\nusemtl blue\nf 4 5 6\n"
    mesh = read_mesh(write(tmp_path, "a.obj", text))
    assert mesh.colours is not None
    order = mesh.vertices[:, 0] >= 5
    assert torch.allclose(mesh.colours[~order], torch.tensor([1.0, 0, 0]).double())
    assert torch.allclose(mesh.colours[order], torch.tensor([0, 0, 0.2]).double())


def test_single_material_is_kept(tmp_path):
    write(tmp_path, "one.mtl", "newmtl clay\nKd 0.4 0.2 0.6\n")
    mesh = read_mesh(write(tmp_path, "a.obj", "mtllib one.mtl\nusemtl clay\n" + TRIANGLE + "f 1 2 3\n"))
    assert mesh.colours is None
    assert mesh.material.name == "clay"
    assert np.allclose(mesh.material.albedo, (0.4, 0.2, 0.6))


def test_missing_material_file_is_told_and_grey(tmp_path, caplog):
    mesh = read_mesh(write(tmp_path, "a.obj", "mtllib gone.mtl\nusemtl x\n" + TRIANGLE + "f 1 2 3\n"))
    assert "gone.mtl" in caplog.text
    assert mesh.material.albedo == (0.8, 0.8, 0.8)


def test_obj_colours_are_decoded_to_linear(tmp_path):
    mesh = read_mesh(write(tmp_path, "a.obj", "v 0 0 0 1 0 0\nv 1 0 0 0.5 0.5 0.5\nv 0 1 0 0 0 0\nf 1 2 3\n"))
    assert mesh.colours is not None
    assert np.allclose(mesh.colours[1], 0.214, atol=0.003)


def gltf(positions: list[list[float]], indices: list[int], **extra: object) -> str:
    """A .gltf with one triangle, its buffer inside."""
    import base64

    blob = np.asarray(positions, "<f4").tobytes() + np.asarray(indices, "<u4").tobytes()
    count = len(positions)
    document = {
        "asset": {"version": "2.0"},
        "scene": 0,
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0}],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}, "indices": 1}]}],
        "buffers": [{"byteLength": len(blob), "uri": "data:;base64," + base64.b64encode(blob).decode()}],
        "bufferViews": [
            {"buffer": 0, "byteOffset": 0, "byteLength": 12 * count},
            {"buffer": 0, "byteOffset": 12 * count, "byteLength": 4 * len(indices)},
        ],
        "accessors": [
            {"bufferView": 0, "componentType": 5126, "count": count, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5125, "count": len(indices), "type": "SCALAR"},
        ],
    }
    return json.dumps({**document, **extra})


CORNERS = [[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]


def test_gltf_with_its_buffer_inside(tmp_path):
    mesh = read_mesh(write(tmp_path, "a.gltf", gltf(CORNERS, [0, 1, 2])))
    assert mesh.vertices.tolist() == CORNERS


BAD = {
    "empty.obj": ("", "empty"),
    "words.obj": ("hello\n", "not an .obj file"),
    "points.obj": (TRIANGLE, "no faces"),
    "zero.obj": (TRIANGLE + "f 0 1 2\n", "line 4: a face uses vertex 0"),
    "zero2.obj": (TRIANGLE + "f 1 2 0/1\n", "vertex 0"),
    "far.obj": (TRIANGLE + "f 1 2 9\n", "cannot be read"),
    "letters.obj": ("v a b c\nf 1 1 1\n", "cannot be read"),
    "nan.obj": (TRIANGLE + "v nan 0 0\nf 1 2 4\n", "1 of 3 vertices are NaN"),
    "inf.ply": (PLY.replace("1 0 0", "inf 0 0") + "3 0 1 2\n", "NaN or infinite"),
    "cloud.ply": (PLY.replace("face 1", "face 0"), "no faces"),
    "short.ply": (PLY, "cut short: 3 of 4"),
    "far.ply": (PLY + "3 0 1 7\n", "1 of 1 faces point at vertices"),
    "negative.ply": (PLY + "3 0 1 -1\n", "do not exist"),
    "words.ply": ("nonsense", "header is missing"),
    "words.stl": ("nonsense", "too few"),
    "short.stl": (b" " * 80 + struct.pack("<I", 9) + b"\0" * 60, "cut short: 1 of 9"),
    "words.glb": ("glTF?", "not a .glb"),
    "short.glb": (struct.pack("<4sIIII", b"glTF", 2, 900, 800, 0x4E4F534A) + b"{", "cut short: 21 of 900"),
    "words.gltf": ('{"asset":\n oops}', "line 2, column 2"),
    "old.gltf": ('{"asset": {"version": "1.0"}}', "not glTF 2"),
    "empty.gltf": ('{"asset": {"version": "2.0"}}', "scene is empty"),
    "draco.gltf": (gltf(CORNERS, [0, 1, 2], extensionsRequired=["EXT_meshopt_compression"]), "meshopt"),
    "far.gltf": (gltf(CORNERS, [0, 1, 7]), "do not exist"),
    "nan.gltf": (gltf([[float("nan"), 0, 0], *CORNERS[1:]], [0, 1, 2]), "NaN"),
    "glb.obj": (b"glTF" + b"\0" * 40, "rename it to glb.glb"),
    "ply.stl": (PLY, "rename it to ply.ply"),
    "obj.ply": (TRIANGLE + "f 1 2 3", "rename it to obj.obj"),
    "obj.glb": ("# x\n" + TRIANGLE, "rename it to obj.obj"),
    "pointer.obj": ("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n", "git lfs pull"),
    "page.stl": ("\n<!DOCTYPE html>\n<html>" + " " * 99, "web page"),
    "packed.ply": (b"\x1f\x8b\x08\0" + b"\0" * 20, "gunzip"),
    "archive.obj": (b"PK\x03\x04" + b"\0" * 20, "zip archive"),
    "packed.obj.gz": ("x", "unpack it first, to packed.obj"),
    "what.blend": ("x", "use one of .obj, .glb"),
}


@pytest.mark.parametrize("name", BAD)
def test_damage_is_an_input_error_that_says_what_to_do(tmp_path, name):
    content, word = BAD[name]
    path = write(tmp_path, name, content)
    with pytest.raises(InputError) as error:
        read_mesh(path)
    assert word in str(error.value)
    assert name in error.value.cause
    assert error.value.remedy
    assert len(str(error.value).splitlines()) <= 6


def test_missing_file_suggests_the_nearest_name(tmp_path):
    write(tmp_path, "Kettle.glb", "x")
    with pytest.raises(InputError, match=r"did you mean .*Kettle\.glb"):
        read_mesh(tmp_path / "kettel.glb")
    with pytest.raises(InputError, match=r"the \.glb files there: Kettle\.glb"):
        read_mesh(tmp_path / "zzzzz.glb")
    with pytest.raises(InputError, match=r"folder .* does not exist"):
        read_mesh(tmp_path / "nowhere" / "a.glb")
    with pytest.raises(InputError, match="is a folder"):
        read_mesh(tmp_path)
