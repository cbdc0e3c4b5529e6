"""Gloss: factors and their texture, what switches it off, and scenes whose parts differ."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from invrender.io.meshes.read import read_mesh
from invrender.nouns import Material
from tests.io.meshes.gltf.conftest import SQUARE, SQUARE_FACES, SQUARE_UV, Builder

CLAMP = 33071
PICTURE = np.random.default_rng(0).integers(0, 256, (8, 4, 3)).astype(np.uint8)


def read(build: Builder, uv: np.ndarray = SQUARE_UV, extensions: Any = None, **surface: Any) -> Material:
    more = {} if extensions is None else {"extensions": extensions}
    material = build.add("materials", pbrMetallicRoughness=surface, **more)
    build.show({**build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=uv), "material": material})
    return read_mesh(build.write()).material


@pytest.mark.parametrize(
    ("surface", "expected"),
    [
        ({}, (None, 0.0)),  # glTF's defaults would make it a metal; who states nothing means no gloss
        ({"baseColorFactor": [1, 0, 0, 1]}, (None, 0.0)),
        ({"roughnessFactor": 0.5}, (0.5, 1.0)),
        ({"metallicFactor": 0.25}, (1.0, 0.25)),
        ({"metallicFactor": 2, "roughnessFactor": -1}, (0.0, 1.0)),
    ],
)
def test_factors_count_where_one_is_stated(build: Builder, surface, expected):
    material = read(build, **surface)
    assert (material.roughness, material.metallic) == expected


@pytest.mark.parametrize(
    ("extension", "unlit"),
    [
        ({"KHR_materials_unlit": {}}, True),
        ({"KHR_materials_specular": {"specularFactor": 0}}, False),
        ({"KHR_materials_pbrSpecularGlossiness": {}}, False),
    ],
)
def test_extensions_switch_gloss_off(build: Builder, extension, unlit):
    material = read(build, extensions=extension, roughnessFactor=0.2, metallicFactor=0)
    assert material.lambertian
    assert material.unlit == unlit


def test_a_weaker_highlight_is_no_lambertian_surface(build: Builder):
    some = {"KHR_materials_specular": {"specularFactor": 0.5}}
    assert not read(build, extensions=some, roughnessFactor=0.2, metallicFactor=0).lambertian


def test_roughness_is_green_and_metallic_blue(build: Builder):
    material = read(build, metallicRoughnessTexture={"index": build.picture(PICTURE)}, roughnessFactor=0.5)
    assert (material.roughness, material.metallic) == (0.5, 1.0)
    assert material.gloss is not None
    assert torch.allclose(material.gloss, torch.from_numpy(PICTURE[..., 1:] / 255).float(), atol=1e-6)
    assert material.texture is not None and torch.equal(material.texture, torch.ones(8, 4, 3))


def test_gloss_takes_the_size_and_the_edges_of_the_colours(build: Builder):
    sampler = build.add("samplers", wrapS=CLAMP, wrapT=CLAMP)
    colour = build.picture(np.full((16, 8, 3), 255, np.uint8), sampler=sampler)
    gloss = build.picture(PICTURE, sampler=sampler)
    material = read(
        build, uv=SQUARE_UV * 2, baseColorTexture={"index": colour}, metallicRoughnessTexture={"index": gloss}
    )
    assert material.texture is not None and material.gloss is not None
    assert material.gloss.shape[:2] == material.texture.shape[:2]
    assert float(material.gloss[0, 0, 0]) == pytest.approx(PICTURE[0, 0, 1] / 255, abs=1e-6)
    assert float(material.gloss[-2, -2, 1]) == pytest.approx(PICTURE[-1, -1, 2] / 255, abs=1e-6)


def test_gloss_that_lies_differently_is_its_mean_and_told(build: Builder, caplog):
    away = {"KHR_texture_transform": {"scale": [2, 2]}}
    colour, gloss = build.picture(PICTURE), build.picture(PICTURE)
    material = read(
        build, baseColorTexture={"index": colour}, metallicRoughnessTexture={"index": gloss, "extensions": away}
    )
    assert "other texture coordinates" in caplog.text
    assert material.gloss is not None
    assert material.gloss.flatten().tolist() == pytest.approx((PICTURE[..., 1:] / 255).mean((0, 1)).tolist(), abs=1e-5)


@pytest.mark.parametrize(("second", "same"), [([0, 1, 0, 1], True), ([0, 1, 0, 1], False), ([1, 0, 0, 1], False)])
def test_parts_keep_the_gloss_that_all_have(build: Builder, caplog, second, same):
    for colour, roughness in (([1, 0, 0, 1], 0.25), (second, 0.25 if same else 0.5)):
        surface = {"baseColorFactor": colour, "roughnessFactor": roughness, "metallicFactor": 0}
        build.show({**build.primitive(), "material": build.add("materials", pbrMetallicRoughness=surface)})
    mesh = read_mesh(build.write())
    assert mesh.colours is not None
    assert mesh.material.roughness == (0.25 if same else None)
    assert ("differ in gloss" in caplog.text) != same
