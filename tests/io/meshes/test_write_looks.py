"""Materials in files: other programs find textures, gloss and unlit ones, and so do we."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pygltflib
import pytest
import torch
import trimesh
from PIL import Image

import invrender
from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.errors import InputError, OutputExistsError
from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Material, Mesh

BACKEND = select("torch")


def painted(height: int = 32, width: int = 16, **look: object) -> Mesh:
    """A square in the XY plane with a known picture of bytes on it, part of which is in view."""
    corners = np.array([[-1.0, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]])
    mesh = Mesh.from_numpy(corners, np.array([[0, 1, 2], [0, 2, 3]]))
    uv = torch.tensor([[0.1, 0.2], [0.9, 0.1], [0.95, 0.9], [0.05, 0.8]], dtype=torch.float64)
    stored = np.random.default_rng(1).integers(0, 256, (height, width, 3)) / 255
    texture = torch.from_numpy(srgb_to_linear(stored)).float()
    return replace(mesh, uv=uv, material=replace(Material(texture=texture, name="paint"), **look))


def seen_by_trimesh(path: Path, places: np.ndarray) -> np.ndarray:
    """sRGB at points [K,3] on the mesh, as trimesh reads texture coordinates and picture; bilinear."""
    mesh = trimesh.load(path, force="mesh", process=False)
    material = mesh.visual.material
    image = getattr(material, "baseColorTexture", None) or material.image
    _, _, faces = trimesh.proximity.closest_point_naive(mesh, places)
    weights = trimesh.triangles.points_to_barycentric(mesh.triangles[faces], places)
    uv = (np.asarray(mesh.visual.uv)[mesh.faces[faces]] * weights[..., None]).sum(1)
    pixels = np.asarray(image.convert("RGB"), float) / 255
    height, width = pixels.shape[:2]
    x, y = uv[:, 0] * width - 0.5, (1 - uv[:, 1]) * height - 0.5
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    total = np.zeros((len(uv), 3))
    for i in range(2):
        for j in range(2):
            share = np.abs(1 - i - (y - top)) * np.abs(1 - j - (x - left))
            total += share[:, None] * srgb_to_linear(pixels[(top + i) % height, (left + j) % width])
    return total


@pytest.mark.parametrize("extension", [".glb", ".obj"])
def test_other_programs_see_the_picture_that_mode_color_shows(tmp_path, extension):
    mesh = painted(unlit=True)
    write_mesh(tmp_path / f"a b{extension}", mesh)
    camera = rig("orbit", 1, [0.0, 0, 0], 1.0, (24, 24), distance=3.0, fov=20.0, elevation=0.0)
    ours = invrender.render(mesh, camera, "color", backend=BACKEND)[0].numpy().astype(np.float64)
    half = 3 * np.tan(np.radians(10))
    row, column = (each.ravel() for each in np.mgrid[0:24, 0:24])
    places = np.stack([((column + 0.5) / 12 - 1) * half, (1 - (row + 0.5) / 12) * half, 0 * row], 1)
    theirs = seen_by_trimesh(tmp_path / f"a b{extension}", places)
    assert np.abs(theirs.reshape(24, 24, 3) - ours).max() < 2e-3
    back = invrender.render(read_mesh(tmp_path / f"a b{extension}"), camera, "color", backend=BACKEND)[0].numpy()
    assert np.abs(back - ours).max() < 1e-5


@pytest.mark.parametrize(
    ("look", "factors", "extension"),
    [
        ({"roughness": 0.25, "metallic": 0.75}, (0.25, 0.75), None),
        ({"unlit": True}, (0.9, 0.0), "KHR_materials_unlit"),
        ({}, (1.0, 0.0), "KHR_materials_specular"),
    ],
)
def test_a_glb_has_the_factors_and_extensions_of_its_material(tmp_path, look, factors, extension):
    mesh = painted(**look)
    write_mesh(tmp_path / "a.glb", mesh)
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    (material,) = document.materials
    surface = material.pbrMetallicRoughness
    assert (surface.roughnessFactor, surface.metallicFactor) == factors
    assert list(material.extensions) == document.extensionsUsed == ([extension] if extension else [])
    assert surface.baseColorFactor == [1, 1, 1, 1]
    sampler = document.samplers[document.textures[surface.baseColorTexture.index].sampler]
    assert (sampler.magFilter, sampler.wrapS, sampler.wrapT) == (9729, 10497, 10497)
    assert all(view.byteOffset % 4 == 0 for view in document.bufferViews)
    positions = document.accessors[document.meshes[0].primitives[0].attributes.POSITION]
    assert (positions.min, positions.max) == ([-1, -1, 0], [1, 1, 0])
    back = read_mesh(tmp_path / "a.glb").material
    assert (back.roughness, back.metallic, back.unlit) == (
        look.get("roughness"),
        look.get("metallic", 0),
        "unlit" in look,
    )
    assert back.lambertian == ("roughness" not in look)


def test_a_glb_keeps_textured_gloss(tmp_path):
    gloss = torch.from_numpy(np.random.default_rng(2).integers(0, 256, (32, 16, 2)) / 255).float()
    write_mesh(tmp_path / "a.glb", painted(roughness=0.5, metallic=1.0, gloss=gloss))
    back = read_mesh(tmp_path / "a.glb").material
    assert back.gloss is not None and torch.allclose(back.gloss, gloss, atol=1e-5)
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    view = document.bufferViews[document.images[1].bufferView]
    with Image.open(io.BytesIO(document.binary_blob()[view.byteOffset : view.byteOffset + view.byteLength])) as image:
        stored = np.asarray(image)
    assert np.array_equal(stored[..., 1:], np.round(gloss.numpy() * 255).astype(np.uint8))  # glTF: green, blue
    assert document.materials[0].pbrMetallicRoughness.metallicRoughnessTexture.index == 1


def test_vertex_colours_of_a_default_material_are_not_darkened_elsewhere(tmp_path):
    plain = Mesh(painted().vertices, painted().faces, colours=torch.full((4, 3), 0.5))
    write_mesh(tmp_path / "a.glb", plain)
    document = pygltflib.GLTF2().load(str(tmp_path / "a.glb"))
    assert document.materials[0].pbrMetallicRoughness.baseColorFactor == [1, 1, 1, 1]


def test_an_obj_brings_its_material_and_names_are_safe(tmp_path):
    mesh = painted(albedo=(1.0, 0.5, 0.25), roughness=0.3, metallic=1.0, name="my paint #1")
    write_mesh(tmp_path / "my ball #2.obj", mesh)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert [name for name in names if " " in name or "#" in name] == ["my ball #2.obj"]
    assert len(names) == 3
    library = next(tmp_path.glob("*.mtl")).read_text()
    assert "Pr 0.3\nPm 1.0\n" in library
    back = read_mesh(tmp_path / "my ball #2.obj").material
    assert (back.roughness, back.metallic, back.albedo) == (0.3, 1.0, (1, 1, 1))
    assert mesh.material.texture is not None and back.texture is not None
    expected = linear_to_srgb((mesh.material.texture * torch.tensor([1.0, 0.5, 0.25])).numpy())
    assert np.abs(linear_to_srgb(back.texture.numpy()) - expected).max() <= 0.5 / 255 + 1e-6
    write_mesh(tmp_path / "my ball #2.obj", mesh)  # our own files may be written again
    assert len(list(tmp_path.iterdir())) == 3


@pytest.mark.parametrize("name", ["a.mtl", "a.png"])
def test_files_of_somebody_else_stay(tmp_path, name):
    (tmp_path / name).write_bytes(b"newmtl mine\n")
    with pytest.raises(OutputExistsError, match="not written by invrender"):
        write_mesh(tmp_path / "a.obj", painted())
    assert [path.name for path in tmp_path.iterdir()] == [name]
    write_mesh(tmp_path / "a.obj", replace(painted(), material=Material()))  # has no use for them
    assert (tmp_path / name).read_bytes() == b"newmtl mine\n"


def test_a_ply_has_the_colours_of_the_texture_at_its_vertices(tmp_path):
    mesh = painted(height=1, width=1, albedo=(0.5, 0.5, 0.5))
    write_mesh(tmp_path / "a.ply", mesh)
    read = trimesh.load(tmp_path / "a.ply", process=False).visual.vertex_colors[:, :3] / 255
    assert mesh.material.texture is not None
    expected = linear_to_srgb((0.5 * mesh.material.texture[0, 0]).numpy())
    assert np.abs(read - expected).max() <= 0.5 / 255 + 1e-6


def test_textures_of_no_numbers_are_refused(tmp_path):
    mesh = painted()
    assert mesh.material.texture is not None
    mesh.material.texture[3, 4] = float("nan")
    for extension in (".glb", ".obj"):
        with pytest.raises(InputError, match="no numbers"):
            write_mesh(tmp_path / f"a{extension}", mesh)
    assert not list(tmp_path.iterdir())
