"""Materials that pictures here cannot show as they are meant: alpha, and light that surfaces send out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.meshes.read import read_mesh
from tests.io.meshes.gltf.conftest import SQUARE, SQUARE_FACES, SQUARE_UV, Builder
from tests.io.meshes.gltf.test_materials import FOUR, seen

LEFT, WHOLE = np.array([[0, 1]] * 2, bool), np.ones((2, 2), bool)


def square(build: Builder, uv: np.ndarray = SQUARE_UV, **fields: Any) -> None:
    primitive = build.primitive(SQUARE, SQUARE_FACES, TEXCOORD_0=uv, **fields.pop("attributes", {}))
    build.show({**primitive, "material": build.add("materials", name="leaf", **fields)})


def picture(build: Builder, alpha: np.ndarray, value: int = 0) -> dict[str, Any]:
    """A base colour with a picture whose alpha is 255, or `value` where the mask [2,2] is false."""
    plane = np.where(alpha.repeat(8, axis=0).repeat(8, axis=1), 255, value).astype("u1")
    return {"baseColorTexture": {"index": build.picture(np.dstack([FOUR, plane]))}}


@pytest.mark.parametrize(("mode", "value"), [("MASK", 0), ("MASK", 120), ("BLEND", 0), ("BLEND", 250)])
def test_alpha_in_places_is_told(build: Builder, caplog: pytest.LogCaptureFixture, mode: str, value: int):
    square(build, alphaMode=mode, pbrMetallicRoughness=picture(build, LEFT, value))
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [1, 0, 0]
    assert caplog.text.count("'leaf' is shown opaque, in silhouettes too") == 1


def test_vertex_colours_make_a_material_transparent_too(build: Builder, caplog: pytest.LogCaptureFixture):
    square(build, alphaMode="BLEND", attributes={"COLOR_0": np.array([[1, 1, 1, 0.5]] * 4, "f4")})
    read_mesh(build.write())
    assert "'leaf' is shown opaque" in caplog.text


def opaque(build: Builder, case: str) -> None:
    if case == "mode":
        square(build, alphaMode="OPAQUE", pbrMetallicRoughness=picture(build, LEFT))
    elif case == "cutoff":
        square(build, alphaMode="MASK", alphaCutoff=0.2, pbrMetallicRoughness=picture(build, LEFT, 60))
    elif case == "elsewhere":  # the faces lie on the opaque half
        square(build, SQUARE_UV * 0.5 + 0.5, alphaMode="MASK", pbrMetallicRoughness=picture(build, LEFT))
    else:  # clamped beyond the opaque edge
        surface = picture(build, LEFT)
        build.document["textures"][0]["sampler"] = build.add("samplers", wrapS=33071, wrapT=33071)
        square(build, SQUARE_UV + np.float32([0.6, 0]), alphaMode="MASK", pbrMetallicRoughness=surface)


@pytest.mark.parametrize("case", ["mode", "cutoff", "elsewhere", "clamped"])
def test_what_is_opaque_gives_no_warning(build: Builder, caplog: pytest.LogCaptureFixture, case: str):
    opaque(build, case)
    assert len(read_mesh(build.write()).faces) == 2
    assert not caplog.text


@pytest.mark.parametrize("mode", ["MASK", "BLEND"])
def test_what_nobody_sees_is_left_out(build: Builder, caplog: pytest.LogCaptureFixture, mode: str):
    square(build, alphaMode=mode, pbrMetallicRoughness={"baseColorFactor": [1, 1, 1, 0]})
    with pytest.raises(InputError, match=r"only transparent surfaces\)\n.*opaque"):
        read_mesh(build.write())
    build.show(build.primitive())
    assert len(read_mesh(build.write()).vertices) == 8
    assert "'leaf' is transparent" in caplog.text


def test_what_may_show_somewhere_is_kept(build: Builder):
    specks = np.zeros((64, 64), "u1")
    specks[::16, 0] = 255
    image = np.dstack([FOUR.repeat(4, axis=0).repeat(4, axis=1), specks])
    surface = {"baseColorTexture": {"index": build.picture(image)}}
    square(build, alphaMode="MASK", pbrMetallicRoughness=surface)
    assert len(read_mesh(build.write()).faces) == 2


@pytest.mark.parametrize("textured", [False, True])
def test_black_materials_show_the_light_they_send_out(build: Builder, caplog: pytest.LogCaptureFixture, textured: bool):
    lamp = {"emissiveTexture": {"index": build.picture(FOUR)}} if textured else {}
    strength = {"KHR_materials_emissive_strength": {"emissiveStrength": 0.5}}
    black = {"baseColorFactor": [0, 0, 0, 1]}
    square(build, emissiveFactor=[1, 0.5, 0.25], extensions=strength, pbrMetallicRoughness=black, **lamp)
    assert seen(read_mesh(build.write()), 0.25, 0.75) == ([0.5, 0, 0] if textured else [0.5, 0.25, 0.125])
    assert "is black" in caplog.text


@pytest.mark.parametrize("black", [True, False])
def test_light_beside_a_colour_is_told_unless_it_is_black(
    build: Builder, caplog: pytest.LogCaptureFixture, black: bool
):
    lamp = {"index": build.picture(FOUR * (not black))}
    square(build, emissiveFactor=[1, 1, 1], emissiveTexture=lamp, pbrMetallicRoughness=picture(build, WHOLE))
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [1, 0, 0]
    assert ("the light that it sends out is not shown" in caplog.text) == (not black)


def test_colours_above_one_are_told(build: Builder, caplog: pytest.LogCaptureFixture):
    colours = np.array([[255, 128, 0]] * 4, "f4")
    square(build, pbrMetallicRoughness={"baseColorFactor": [3, 1, 1, 1]}, attributes={"COLOR_0": colours})
    assert seen(read_mesh(build.write()), 0.25, 0.75) == [1, 1, 0]
    assert "its colour is above 1" in caplog.text
    assert "COLOR_0 up to 255" in caplog.text
