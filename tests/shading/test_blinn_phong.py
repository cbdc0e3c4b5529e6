"""The Blinn-Phong highlight: where it peaks, how it falls off, and what it leaves alone."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.nouns import Lights, Material
from invrender.shading.finish import of_material, of_rows
from invrender.shading.radiance import radiance
from tests.render.slopes import agree

Tensor = torch.Tensor
UP = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64)
GREY = torch.tensor([[0.3, 0.3, 0.3]], dtype=torch.float64)
SHINY = Material((0.3, 0.3, 0.3), specular=(0.2, 0.4, 0.6), shininess=10.0)


def at(degrees: float) -> Tensor:
    angle = math.radians(degrees)
    return torch.tensor([[math.sin(angle), 0.0, math.cos(angle)]], dtype=torch.float64)


def seen(material: Material, eye: float, *lights: float, intensity: float = 2.0) -> Tensor:
    towards = torch.stack([at(degrees) for degrees in lights])
    return radiance(material, GREY, None, UP, at(eye), towards, Lights(None, intensity, 0.1))[0]


@pytest.mark.parametrize("angle", [0.0, 30.0, 70.0])
def test_in_the_mirror_direction_a_light_adds_all_of_ks(angle):
    expected = 0.03 + 2 * 0.3 * math.cos(math.radians(angle)) + 2 * torch.tensor([0.2, 0.4, 0.6])
    assert torch.allclose(seen(SHINY, -angle, angle), expected.double())


def test_it_falls_off_as_the_power_of_the_cosine_to_the_half_vector():
    """Eye on the normal, light at 40 degrees: the half vector stands at 20."""
    expected = 0.03 + 0.6 * math.cos(math.radians(40)) + 2 * 0.4 * math.cos(math.radians(20)) ** 10
    assert float(seen(SHINY, 0.0, 40.0)[1]) == pytest.approx(expected)


def test_lights_add_up_and_one_below_the_surface_adds_nothing():
    dark = seen(SHINY, 0.0, 100.0)
    assert torch.allclose(dark, torch.full((3,), 0.03).double())
    both = seen(SHINY, 0.0, 40.0, 10.0)
    assert torch.allclose(both, seen(SHINY, 0.0, 40.0) + seen(SHINY, 0.0, 10.0) - dark)


def test_without_shininess_there_is_no_highlight():
    flat = Material((0.3, 0.3, 0.3), specular=(0.5, 0.5, 0.5), shininess=0.0)
    assert torch.allclose(seen(flat, 0.0, 0.0), torch.full((3,), 0.63).double())


def test_emission_is_added_whatever_the_light_and_an_unlit_surface_shows_its_colour():
    assert torch.allclose(seen(Material(emission=(0.0, 1.0, 5.0)), 0.0, 100.0)[1:], torch.tensor([1.03, 5.03]).double())
    unlit = Material(unlit=True, specular=(0.5, 0.5, 0.5), mirror=(0.5, 0.5, 0.5))
    assert torch.allclose(seen(unlit, 0.0, 0.0), GREY[0])
    assert unlit.lambertian and not unlit.mirrors


def test_rows_say_the_same_as_the_material():
    towards, lights = at(30.0)[None], Lights(None, 1.0, 0.1)
    for material in (SHINY, Material(), Material(unlit=True), Material(emission=(1.0, 2.0, 3.0))):
        rows = of_material(material, UP).rows().expand(1, -1)
        expected = radiance(material, GREY, None, UP, at(10.0), towards, lights)
        got = radiance(Material(name="joined"), GREY, None, UP, at(10.0), towards, lights, of_rows(rows))
        assert torch.allclose(got, expected)


def test_gradients_reach_everything():
    def total(values: Tensor) -> Tensor:
        normal, eye, light = (torch.nn.functional.normalize(part, dim=0)[None] for part in values[:9].reshape(3, 3))
        look = Material(specular=values[9:12], shininess=values[12])
        lights = Lights(None, values[16:19], values[19:22])
        return radiance(look, values[None, 13:16], None, normal, eye, light[None], lights).sum()

    start = torch.tensor(
        [0.1, 0.2, 1, 0.3, -0.2, 1, -0.2, 0.1, 1, 0.5, 0.4, 0.3, 15, 0.6, 0.5, 0.4, 1, 0.9, 0.8, 0.1, 0.2, 0.3]
    )
    grad = agree(total, start.double())
    assert int((grad != 0).sum()) == len(start)


def test_a_lambertian_material_is_one_that_has_neither_highlight_nor_mirror():
    assert Material().is_default and Material().lambertian
    for look in ({"specular": (0.1, 0, 0)}, {"mirror": (0.1, 0, 0)}):
        assert not Material(**look).lambertian and not Material(**look).is_default
    assert Material(emission=(1.0, 0.0, 0.0)).lambertian and not Material(emission=(1.0, 0.0, 0.0)).is_default
    rough = Material(roughness=0.5, specular=(0.5, 0.5, 0.5))
    assert rough.glossy and not rough.highlighted
