"""Materials: factors, textures, sets of coordinates, transforms, wrap modes and vertex colours."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from invrender.nouns import Mesh
from invrender.shading.texture import albedo
from tests.io.meshes.gltf.conftest import SQUARE, SQUARE_FACES, SQUARE_UV, Builder

RED, GREEN, BLUE, YELLOW = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0)
FOUR = np.array([[RED, GREEN], [BLUE, YELLOW]], np.uint8).repeat(8, axis=0).repeat(8, axis=1)  # [16,16,3]


def square(build: Builder, uv: np.ndarray = SQUARE_UV, sampler: dict[str, int] | None = None, **info: object) -> None:
    wrap = {} if sampler is None else {"sampler": build.add("samplers", **sampler)}
    material = build.textured(build.picture(FOUR, **wrap), **info)
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=uv), "material": material})


def seen(mesh: Mesh, x: float, y: float, first: int = 0) -> list[float]:
    """The colour at a place of a square whose two faces start at `first`."""
    faces, weights = (first, [1 - x, x - y, y]) if y <= x else (first + 1, [1 - y, x, y - x])
    weight = torch.tensor(weights, dtype=torch.float64)
    corners = mesh.faces[faces]
    uv = None if mesh.uv is None else weight @ mesh.uv[corners]
    colours = None if mesh.colours is None else weight @ mesh.colours[corners]
    return [round(float(value), 3) for value in albedo(mesh.material, uv, colours)]


def test_a_picture_stands_upright(build: Builder):
    square(build)
    mesh = read_mesh(build.write())
    assert [seen(mesh, *at) for at in ((0.25, 0.75), (0.75, 0.75), (0.25, 0.25), (0.75, 0.25))] == [
        [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0],
    ]  # fmt: skip


def test_factors_are_linear_and_multiply_decoded_pictures(build: Builder):
    grey = np.full((2, 2, 3), 188, np.uint8)  # .503 in linear light
    material = build.textured(build.picture(grey), [0.5, 1, 0, 1])
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=SQUARE_UV), "material": material})
    mesh = read_mesh(build.write())
    assert seen(mesh, 0.5, 0.25) == pytest.approx([0.2514, 0.5029, 0], abs=1e-3)
    assert mesh.material.albedo == (0.5, 1, 0)


@pytest.mark.parametrize("where", ["texCoord", "KHR_texture_transform"])
def test_the_set_of_coordinates_that_is_named_counts(build: Builder, where: str):
    info = {"texCoord": 2} if where == "texCoord" else {"texCoord": 0, "extensions": {where: {"texCoord": 2}}}
    material = build.textured(build.picture(FOUR), **info)
    away = np.full((4, 2), 0.75, "f4")
    sets = {"TEXCOORD_0": away, "TEXCOORD_1": away, "TEXCOORD_2": SQUARE_UV}
    build.show({**build.primitive(SQUARE, SQUARE_FACES, **sets), "material": material})
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [1, 0, 0]


def test_a_missing_set_of_coordinates_is_told(build: Builder, caplog: pytest.LogCaptureFixture):
    square(build, texCoord=1)
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [1, 1, 1]
    assert "no TEXCOORD_1" in caplog.text


def test_normalised_coordinates(build: Builder):
    uv = build.accessor((SQUARE_UV * 65535).astype("u2"), normalized=True)
    square(build, uv)
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [1, 0, 0]


def test_texture_transforms_scale_and_move(build: Builder):
    square(build, extensions={"KHR_texture_transform": {"scale": [0.5, 0.5], "offset": [0.5, 0]}})
    mesh = read_mesh(build.write())
    assert {tuple(seen(mesh, x, y)) for x in (0.2, 0.8) for y in (0.2, 0.8)} == {(0, 1, 0)}


def test_texture_transforms_turn_counter_clockwise_as_seen_in_the_picture(build: Builder):
    turn = {"rotation": np.pi / 2, "offset": [0, 1]}  # (u, v) goes to (v, 1 - u)
    square(build, extensions={"KHR_texture_transform": turn})
    mesh = read_mesh(build.write())
    assert seen(mesh, 0.25, 0.75) == [0, 0, 1]  # (1/4, 1/4) to (1/4, 3/4)
    assert seen(mesh, 0.75, 0.75) == [1, 0, 0]


def test_textures_repeat_mirror_or_stop_at_their_edge(build: Builder):
    places = ((-0.25, 0.25), (1.25, 0.25), (0.25, -0.25), (0.25, 1.25), (2.25, 2.25))
    right = {
        10497: [GREEN, RED, BLUE, RED, RED],
        33648: [RED, GREEN, RED, BLUE, RED],
        33071: [RED, GREEN, RED, BLUE, YELLOW],
    }
    for mode, colours in right.items():
        fresh = Builder(build.folder)
        square(fresh, SQUARE_UV * 4 - 1, {"wrapS": mode, "wrapT": mode})
        mesh = read_mesh(fresh.write())
        found = [seen(mesh, (u + 1) / 4, 1 - (v + 1) / 4) for u, v in places]
        assert found == [[value / 255 for value in colour] for colour in colours], mode


@pytest.mark.parametrize("wrap", [10497, 33071])
def test_pixel_art_is_not_blended(build: Builder, wrap: int):
    sampler = build.add("samplers", magFilter=9728, wrapS=wrap, wrapT=wrap)
    material = build.textured(build.picture(FOUR[::8, ::8], sampler=sampler))  # 2 x 2 texels
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=SQUARE_UV), "material": material})
    mesh = read_mesh(build.write())
    assert [seen(mesh, *at) for at in ((0.47, 0.95), (0.53, 0.95), (0.05, 0.47), (0.53, 0.47))] == [
        [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, 1, 0],
    ]  # fmt: skip


def test_a_clamped_picture_has_no_seam_of_its_other_side(build: Builder):
    square(build, sampler={"wrapS": 33071, "wrapT": 33071})
    mesh = read_mesh(build.write())
    assert seen(mesh, 0.0, 1.0) == [1, 0, 0]
    assert seen(mesh, 1.0, 0.0) == [1, 1, 0]


COLOURS = {
    "f4": np.array([[128 / 255, 0.0, 64 / 255, 1.0]] * 4, "f4"),
    "u1": np.array([[128, 0, 64, 255]] * 4, "u1"),
    "u2": np.array([[32896, 0, 16448]] * 4, "u2"),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_vertex_colours_are_linear_and_multiply(build: Builder, kind: str):
    colours = build.accessor(COLOURS[kind], normalized=kind != "f4")
    material = build.add("materials", pbrMetallicRoughness={"baseColorFactor": [1, 1, 0.5, 1]})
    build.show({**build.primitive(SQUARE, SQUARE_FACES, COLOR_0=colours), "material": material})
    assert seen(read_mesh(build.write()), 0.5, 0.25) == pytest.approx([128 / 255, 0, 32 / 255], abs=1e-3)


def test_two_bodies_with_one_material_share_its_texture(build: Builder):
    square(build)
    build.document["scenes"][0]["nodes"].append(build.add("nodes", mesh=0, translation=[2, 0, 0]))
    mesh = read_mesh(build.write())
    assert mesh.material.texture is not None
    assert mesh.material.texture.shape == (16, 16, 3)
    assert seen(mesh, 0.25, 0.75, 2) == [1, 0, 0]


def test_several_textures_and_plain_bodies_keep_their_detail(build: Builder):
    square(build)
    other = build.textured(build.picture(FOUR[::-1].copy()), [0.5, 0.5, 0.5, 1])
    flat = build.add("materials", pbrMetallicRoughness={"baseColorFactor": [0.25, 0.5, 0.75, 1]})
    for material in (other, flat):
        primitive = build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=SQUARE_UV)
        build.show({**primitive, "material": material}, translation=[2, 0, 0])
    build.show(build.primitive(SQUARE, SQUARE_FACES), translation=[4, 0, 0])
    mesh = read_mesh(build.write())
    assert [seen(mesh, 0.25, 0.75, first) for first in (0, 2, 4, 6)] == [
        [1, 0, 0], [0, 0, 0.5], [0.25, 0.5, 0.75], [0.8, 0.8, 0.8],
    ]  # fmt: skip


def test_the_older_specular_extension_has_a_diffuse_colour(build: Builder):
    extension = {"diffuseFactor": [0.5, 1, 1, 1], "diffuseTexture": {"index": build.picture(FOUR)}}
    material = build.add("materials", extensions={"KHR_materials_pbrSpecularGlossiness": extension})
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=SQUARE_UV), "material": material})
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [0.5, 0, 0]


def test_the_older_extension_counts_where_only_it_has_a_picture(build: Builder):
    extension = {"diffuseTexture": {"index": build.picture(FOUR)}}
    fallback = {"baseColorFactor": [0.5, 0.5, 0.5, 1], "metallicFactor": 0}
    extensions = {"KHR_materials_pbrSpecularGlossiness": extension}
    material = build.add("materials", pbrMetallicRoughness=fallback, extensions=extensions)
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=SQUARE_UV), "material": material})
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [1, 0, 0]


@pytest.mark.parametrize("name", ["TEXCOORD_0", "COLOR_0"])
def test_numbers_that_are_none_are_refused(build: Builder, name: str):
    values = np.full((4, 2 if name == "TEXCOORD_0" else 3), np.nan, "f4")
    build.show(build.primitive(SQUARE, SQUARE_FACES, **{name: values}))
    with pytest.raises(InputError, match=f"hold {name} that are NaN"):
        read_mesh(build.write())


BROKEN = {
    "names materials 5, but there are 1": {"material": 5},
    "names textures 7": {"pbrMetallicRoughness": {"baseColorTexture": {"index": 7}}},
    "has no 'index'": {"pbrMetallicRoughness": {"baseColorTexture": {}}},
    "list of 4 numbers": {"pbrMetallicRoughness": {"baseColorFactor": [1, 1, 1]}},
    "pbrMetallicRoughness is not an object": {"pbrMetallicRoughness": "red"},
    "'name' that is not text": {"name": 5},
}


@pytest.mark.parametrize("message", BROKEN)
def test_broken_materials_are_refused(build: Builder, message: str):
    square(build)
    build.document["materials"][0].update({k: v for k, v in BROKEN[message].items() if k != "material"})
    primitive = build.document["meshes"][0]["primitives"][0]
    primitive["material"] = BROKEN[message].get("material", 0)
    with pytest.raises(InputError, match=message):
        read_mesh(build.write())
