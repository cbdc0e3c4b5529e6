"""Modes "color" and "shaded" of the mesh renderer: known pixels, several lights, light from all sides, gradients."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.nouns import Cameras, Lights, Material, Mesh, Scene
from invrender.render.raster import render
from invrender.render.traced import render as render_rays
from invrender.shading import spherical_harmonics as harmonics
from invrender.shading.lights import fixed, turned
from tests.render.slopes import agree, weight

Tensor = torch.Tensor
BACKEND = select("torch")


def square(**look: object) -> Mesh:
    """A square that faces +Z and fills the picture."""
    corners = torch.tensor([[-9.0, -9, 0], [9, -9, 0], [9, 9, 0], [-9, 9, 0]], dtype=torch.float64)
    return replace(Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]])), **look)


def front() -> Cameras:
    return rig("orbit", 1, [0.0, 0, 0], 1.0, (9, 9), elevation=0.0)


def middle(mesh: Mesh, lights: Lights, mode: str = "shaded") -> Tensor:
    return render(Scene(mesh, lights), front(), mode, BACKEND, dtype=torch.float64)[0, 4, 4]


@pytest.mark.parametrize(
    "material", [Material((0.2, 0.4, 0.6)), Material((0.2, 0.4, 0.6), roughness=0.3, metallic=1.0)]
)
def test_mode_color_shows_the_surface_itself_whatever_the_light(material):
    seen = middle(square(material=material), Lights((0.0, 0.0, -1.0), 5.0, 0.0), "color")
    assert seen.tolist() == pytest.approx([0.2, 0.4, 0.6])
    unlit = square(material=replace(material, unlit=True))
    assert middle(unlit, Lights((0.0, 0.0, 1.0), 5.0, 1.0)).tolist() == pytest.approx([0.2, 0.4, 0.6])


def test_vertex_colours_and_a_texture_multiply_and_a_texture_alone_is_as_it_is():
    uv = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    texture = Material(texture=torch.full((4, 4, 3), 0.5))
    assert middle(square(material=texture, uv=uv), Lights(), "color").tolist() == pytest.approx([0.5] * 3)
    stated = Material((0.8, 0.8, 0.8), torch.full((4, 4, 3), 0.5), "stated")
    assert middle(square(material=stated, uv=uv), Lights(), "color").tolist() == pytest.approx([0.4] * 3)
    both = square(material=texture, uv=uv, colours=torch.tensor([[1.0, 0.5, 0.0]]).expand(4, -1))
    assert middle(both, Lights(), "color").tolist() == pytest.approx([0.5, 0.25, 0.0])


def test_lights_add_up():
    white = square(material=Material((1.0, 1.0, 1.0)))
    directions = torch.tensor([[0.0, 0, 2], [0, 3, 0], [0, math.sqrt(3), 1]])
    intensity = torch.tensor([[0.1, 0.0, 0.0], [9, 9, 9], [0.0, 0.4, 0.0]])
    lights = Lights(directions, intensity, 0.05, harmonics.ambient(torch.tensor([0.0, 0.0, 0.3])))
    assert middle(white, lights).tolist() == pytest.approx([0.15, 0.25, 0.35])


@pytest.mark.parametrize("length", [1e-200, 1e-13, 1e13, 1e200])
def test_directions_of_any_length_mean_the_same(length):
    white = square(material=Material((1.0, 1.0, 1.0)))
    lights = Lights((0.0, 0.6 * length, 0.8 * length), 1.0, 0.0)
    assert middle(white, lights).tolist() == pytest.approx([0.8] * 3)
    assert render_rays(Scene(white, lights), front(), BACKEND)[0, 4, 4].tolist() == pytest.approx([0.8] * 3)


def test_a_glossy_square_mirrors_one_light_and_lacks_the_other():
    mirror = square(material=Material((1.0, 1.0, 1.0), roughness=0.1, metallic=1.0))
    lights = Lights((0.0, 0.0, 1.0), 1.0, 0.0)
    peak = middle(mirror, lights)
    assert float(peak[0]) > 20
    aside = middle(mirror, replace(lights, direction=(0.0, 1.0, 1.0)))
    assert float(aside[0]) < 0.01


def test_gloss_varies_over_the_texture_coordinates():
    uv = torch.tensor([[0.0, 0], [1, 0], [1, 1], [0, 1]])
    plain = Material((1.0, 1.0, 1.0), roughness=0.5, metallic=1.0)
    gloss = torch.tensor([0.5, 1.0]).expand(2, 2, 2)
    drawn = square(material=replace(plain, roughness=1.0, gloss=gloss), uv=uv)
    lights = Lights((0.2, 0.1, 1.0))
    assert torch.allclose(middle(drawn, lights), middle(square(material=plain), lights))


def test_a_light_turns_with_its_surroundings():
    quarter = torch.tensor([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]], dtype=torch.float64)  # +Z goes to +X
    lights = Lights((0.0, 0.0, 1.0), 1.0, 0.0, harmonics.directional(torch.tensor([0.0, 0.0, 1.0])))
    moved = turned(lights, quarter)
    white = square(material=Material((1.0, 1.0, 1.0)))
    assert middle(white, lights).tolist() == pytest.approx([1 + 17 / 16] * 3)
    assert middle(white, moved).tolist() == pytest.approx([3 / 32] * 3, abs=1e-6)
    with pytest.raises(ValueError, match="moves with the camera"):
        turned(Lights(), quarter)
    here = front()
    assert torch.allclose(middle(white, fixed(Lights(), here)), middle(white, Lights()))


@pytest.mark.parametrize("material", [{}, {"roughness": 0.4, "metallic": 0.3}])
def test_gradients_reach_the_light_from_all_sides_and_the_material(material):
    cameras = rig("orbit", 2, [0.0, 0, 0], 1.0, (16, 16), elevation=20.0)
    weights = weight(cameras)
    mesh = square()
    sh = 0.2 * torch.randn(9, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)

    def total(light: Tensor) -> Tensor:
        look = replace(mesh, material=Material((0.9, 0.5, 0.3), **material))
        scene = Scene(look, Lights.around(light + 2))
        return (render(scene, cameras, "shaded", BACKEND, dtype=torch.float64) * weights).sum()

    agree(total, sh)
    if not material:
        return

    def by_gloss(both: Tensor) -> Tensor:
        look = replace(mesh, material=Material((0.9, 0.5, 0.3), roughness=both[0], metallic=both[1]))
        scene = Scene(look, Lights((0.3, 0.4, 1.0), 0.7, 0.2, sh + 2))
        return (render(scene, cameras, "shaded", BACKEND, dtype=torch.float64) * weights).sum()

    agree(by_gloss, torch.tensor([0.4, 0.3], dtype=torch.float64))
