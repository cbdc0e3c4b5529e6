"""Writing meshes: every format brings back the frame, the units and what else it can hold."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest
import torch
import trimesh

from invrender.errors import UsageError
from invrender.io.meshes.gltf_write import vertex_normals
from invrender.io.meshes.read import read_mesh, read_units
from invrender.io.meshes.write import write_glb, write_mesh, write_ply
from invrender.nouns import Material, Mesh

EXTENSIONS = (".glb", ".ply", ".obj", ".stl")


def ball(scale: float = 1.0, offset: tuple[float, float, float] = (0, 0, 0)) -> Mesh:
    shape = trimesh.creation.icosphere(subdivisions=2)
    vertices = (shape.vertices * scale).astype(np.float32).astype(np.float64) + np.asarray(offset)
    return Mesh.from_numpy(vertices, shape.faces)


def triangles(mesh: Mesh) -> np.ndarray:
    """[F,3,3] corners, each triangle turned to start at its least corner, in a fixed order of faces."""
    vertices, faces = mesh.numpy()
    corners = [min([t, np.roll(t, 1, 0), np.roll(t, 2, 0)], key=lambda r: r.tolist()) for t in vertices[faces]]
    return np.array(sorted(corners, key=lambda t: t.tolist()))


def glb_json(path: Path) -> dict:
    content = path.read_bytes()
    (length,) = struct.unpack("<I", content[12:16])
    return json.loads(content[20 : 20 + length])


@pytest.mark.parametrize("extension", EXTENSIONS)
@pytest.mark.parametrize("scale", [1.0, 1e-5, 3e4])
def test_float32_meshes_round_trip_to_the_bit(tmp_path, extension, scale):
    mesh = ball(scale)
    write_mesh(tmp_path / f"a{extension}", mesh)
    back = read_mesh(tmp_path / f"a{extension}")
    assert np.array_equal(triangles(back), triangles(mesh))
    if extension != ".stl":
        assert torch.equal(back.vertices, mesh.vertices)
        assert torch.equal(back.faces, mesh.faces)


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_large_offsets_survive(tmp_path, extension):
    mesh = ball(0.5, (1e6, -2e6, 3e6 + 0.125))
    write_mesh(tmp_path / f"a{extension}", mesh)
    back = read_mesh(tmp_path / f"a{extension}")
    assert np.abs(triangles(back) - triangles(mesh)).max() < 1e-7  # float32 alone would be wrong by 0.1


@pytest.mark.parametrize("extension", [".ply", ".obj"])
def test_float64_positions_are_exact(tmp_path, extension):
    vertices = np.random.default_rng(0).normal(size=(3, 3)) * 1e3
    write_mesh(tmp_path / f"a{extension}", Mesh.from_numpy(vertices, np.array([[0, 1, 2]])))
    assert np.array_equal(read_mesh(tmp_path / f"a{extension}").numpy()[0], vertices)


@pytest.mark.parametrize("extension", [".glb", ".ply", ".obj"])
def test_colours_come_back_linear(tmp_path, extension):
    mesh = ball()
    colours = torch.rand(mesh.vertices.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    write_mesh(tmp_path / f"a{extension}", Mesh(mesh.vertices, mesh.faces, colours=colours))
    back = read_mesh(tmp_path / f"a{extension}").colours
    assert back is not None
    assert float((back - colours).abs().max()) < (1e-7 if extension == ".glb" else 0.006)


def test_glb_keeps_texture_uv_and_material(tmp_path):
    vertices, faces = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]]), np.array([[0, 1, 2]])
    texture = torch.tensor([[[1.0, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 1]]])
    uv = torch.tensor([[0.0, 0.25], [1, 0], [0, 1]], dtype=torch.float64)
    plain = Mesh.from_numpy(vertices, faces)
    write_glb(
        tmp_path / "a.glb", Mesh(plain.vertices, plain.faces, uv, None, Material((1.0, 1.0, 1.0), texture, "paint"))
    )
    back = read_mesh(tmp_path / "a.glb")
    assert back.uv is not None and torch.equal(back.uv, uv)
    assert back.material.texture is not None and torch.equal(back.material.texture, texture)
    assert back.material.name == "paint"


def test_glb_tells_generator_units_normals_and_bounds(tmp_path):
    write_glb(tmp_path / "a.glb", ball(2.0), units="centimetre")
    document = glb_json(tmp_path / "a.glb")
    assert document["asset"]["generator"].startswith("invrender ")
    assert document["asset"]["extras"]["units"] == "centimetre"
    assert document["asset"]["extras"]["generator"].startswith("invrender ")
    assert "translation" not in document["nodes"][0]
    positions = document["accessors"][document["meshes"][0]["primitives"][0]["attributes"]["POSITION"]]
    assert np.allclose(positions["max"], 2, atol=0.1)
    scene = trimesh.load_scene(tmp_path / "a.glb", process=False)
    (body,) = scene.geometry.values()
    assert np.allclose(body.vertex_normals, body.vertices / 2, atol=0.03)


def test_ply_says_its_units(tmp_path):
    write_ply(tmp_path / "a.ply", ball(), units="inch")
    assert b"comment units inch\n" in (tmp_path / "a.ply").read_bytes()


@pytest.mark.parametrize("extension", EXTENSIONS)
def test_vtk_reads_every_format(tmp_path, extension):
    pyvista = pytest.importorskip("pyvista")
    mesh = ball(2.0, (5, 0, 0))
    write_mesh(tmp_path / f"a{extension}", mesh)
    read = pyvista.read(tmp_path / f"a{extension}")
    surface = (
        read.combine().extract_surface(algorithm="dataset_surface") if isinstance(read, pyvista.MultiBlock) else read
    )
    assert surface.n_cells == len(mesh.faces)
    assert np.allclose(surface.bounds, (3, 7, -2, 2, -2, 2), atol=0.05)


def test_normals_of_a_flat_square_across_a_seam():
    vertices = np.array([[0.0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 0, 0], [1, 1, 0], [0, 1, 0], [9, 9, 9]])
    normals = vertex_normals(vertices, np.array([[0, 1, 2], [3, 4, 5]]))
    assert np.allclose(normals[:6], [0, 0, 1])
    assert np.allclose(normals[6], [0, 1, 0])


def test_unknown_extensions_are_refused_with_the_nearest(tmp_path):
    with pytest.raises(UsageError, match=r"did you mean .*a\.glb"):
        write_mesh(tmp_path / "a.gltb", ball())
    with pytest.raises(UsageError, match="known extensions"):
        write_mesh(tmp_path / "a", ball())
    assert not list(tmp_path.iterdir())


def test_units_are_read_back(tmp_path):
    for extension, expected in ((".glb", "inch"), (".ply", "inch"), (".obj", None)):
        write_mesh(tmp_path / f"a{extension}", ball(), units="inch")
        assert read_units(tmp_path / f"a{extension}") == expected
    write_mesh(tmp_path / "plain.glb", ball())
    write_mesh(tmp_path / "plain.ply", ball())
    assert read_units(tmp_path / "plain.glb") == "metre"  # what glTF means by itself
    assert read_units(tmp_path / "plain.ply") is None
