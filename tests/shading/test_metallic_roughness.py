"""The metallic-roughness surface: limits that are known, energy, and gradients."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.nouns import Lights
from invrender.shading import spherical_harmonics as harmonics
from invrender.shading.metallic_roughness import brdf, distribution, reflected, visibility
from invrender.shading.split_sum import ambient_reflection, blurred, directional_albedo

Tensor = torch.Tensor

UP = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)


def number(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def at(degrees: float) -> Tensor:
    angle = math.radians(degrees)
    return torch.tensor([math.sin(angle), 0.0, math.cos(angle)], dtype=torch.float64)


def hemisphere(rings: int = 400, spokes: int = 128) -> tuple[Tensor, float]:
    """Directions [K,3] of equal solid angle about UP, and that angle."""
    z = (torch.arange(rings, dtype=torch.float64) + 0.5) / rings
    phi = (torch.arange(spokes, dtype=torch.float64) + 0.5) * 2 * math.pi / spokes
    height, angle = (grid.reshape(-1) for grid in torch.meshgrid(z, phi, indexing="ij"))
    flat = (1 - height**2).sqrt()
    return torch.stack([flat * angle.cos(), flat * angle.sin(), height], 1), 2 * math.pi / (rings * spokes)


def test_head_on_at_roughness_one_the_numbers_are_known():
    """D = 1 / pi, V = 1 / 4 and F = f0 there."""
    colour = torch.tensor([0.9, 0.5, 0.1], dtype=torch.float64)
    plastic = brdf(UP, UP, UP, colour, number(1.0), number(0.0))
    assert torch.allclose(plastic, (0.96 * colour + 0.04 / 4) / math.pi)
    metal = brdf(UP, UP, UP, colour, number(1.0), number(1.0))
    assert torch.allclose(metal, colour / 4 / math.pi)
    half = brdf(UP, UP, UP, colour, number(1.0), number(0.5))
    assert torch.allclose(half, (plastic + metal) / 2)


@pytest.mark.parametrize("roughness", [0.4, 0.6, 1.0])
def test_microfacets_cover_the_surface_once(roughness):
    """The projected area of all facets is 1."""
    facets, angle = hemisphere(4000, 4)
    total = (distribution(facets[:, 2:], number(roughness)) * facets[:, 2:]).sum() * angle
    assert float(total) == pytest.approx(1, abs=2e-3)


@pytest.mark.parametrize("eye", [0.0, 40.0, 75.0])
@pytest.mark.parametrize("roughness", [0.3, 0.7, 1.0])
def test_a_white_metal_in_a_white_furnace_loses_light_and_never_makes_it(eye, roughness):
    towards, angle = hemisphere()
    white, rough, there = torch.ones(3, dtype=torch.float64), number(roughness), number(math.cos(math.radians(eye)))
    share = brdf(UP, at(eye), towards, white, rough, number(1.0)) * towards[:, 2:]
    total = float(share.sum(0)[0] * angle)
    assert 0.3 < total < 1
    assert float(sum(directional_albedo(there, rough))) == pytest.approx(total, abs=0.03)


def test_a_white_dielectric_in_a_white_furnace_keeps_nearly_all_light():
    """At grazing angles glTF's own formula makes light (up to 1.18 of it); up to 40 degrees it does not."""
    towards, angle = hemisphere()
    white = torch.ones(3, dtype=torch.float64)
    for eye, roughness in ((0.0, 0.3), (40.0, 0.3), (0.0, 1.0), (40.0, 1.0)):
        share = brdf(UP, at(eye), towards, white, number(roughness), number(0.0)) * towards[:, 2:]
        assert 0.97 < float(share.sum(0)[0] * angle) < 1.0005


def test_the_brightest_place_is_where_the_mirror_would_be():
    degrees = torch.arange(0.0, 80.0, 0.5).tolist()
    eyes = torch.stack([at(-degree) for degree in degrees])
    shiny = brdf(UP, eyes, at(30), torch.ones(3, dtype=torch.float64), number(0.15), number(1.0))[:, 0]
    assert degrees[int(shiny.argmax())] == pytest.approx(30, abs=0.5)
    assert float(shiny.max()) > 100 * float(shiny[0])


def test_light_and_eye_may_be_exchanged():
    rough, metallic, colour = number(0.4), number(0.3), torch.tensor([0.2, 0.6, 0.9], dtype=torch.float64)
    there = brdf(UP, at(20), at(-65), colour, rough, metallic)
    assert torch.allclose(there, brdf(UP, at(-65), at(20), colour, rough, metallic))
    assert float(visibility(number(0.0), number(0.0), rough)) < math.inf


def test_the_intensity_of_a_light_is_what_white_paper_shows():
    """The Lambertian share of rough plastic reflects 0.96 of it; gloss at roughness 1 adds pi 0.01 / pi."""
    lights = Lights((0.0, 0.0, 1.0), 0.7, 0.0)
    seen = reflected(UP, UP, UP[None], torch.ones(3, dtype=torch.float64), number(1.0), number(0.0), lights)
    assert seen.tolist() == pytest.approx([0.7 * 0.97] * 3)


@pytest.mark.parametrize("roughness", [0.1, 0.5, 1.0])
def test_constant_light_hides_a_white_dielectric(roughness):
    for lights in (Lights(None, 0.0, 0.8), Lights.around(harmonics.ambient(torch.full((3,), 0.8)))):
        seen = ambient_reflection(
            UP, at(50), torch.ones(3, dtype=torch.float64), number(roughness), number(0.0), lights
        )
        assert seen.tolist() == pytest.approx([0.8] * 3, rel=1e-6)


def test_smooth_surfaces_mirror_the_light_and_rough_ones_see_it_as_paper_does():
    sh = torch.randn(9, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    lights = Lights.around(sh)
    assert torch.allclose(blurred(UP, at(35), number(0.0), lights), harmonics.radiance(at(-35), sh))
    assert torch.allclose(blurred(UP, at(35), number(1.0), lights), harmonics.irradiance(UP, sh) / math.pi)


@pytest.mark.parametrize(("roughness", "error"), [(0.2, 0.03), (0.5, 0.05), (0.8, 0.05)])
def test_the_split_sum_is_near_the_integral(roughness, error):
    """A metal under a sky that is bright above and at one side, as a share of the sky's mean."""
    sh = harmonics.ambient(torch.ones(1, dtype=torch.float64))
    sh = sh + 0.3 * harmonics.directional(torch.tensor([0.6, 0.3, 0.8], dtype=torch.float64))
    white, rough, metal = torch.ones(1, dtype=torch.float64), number(roughness), number(1.0)
    towards, angle = hemisphere(1000, 256)
    for eye in (0.0, 30.0, 55.0):
        light = harmonics.radiance(towards, sh) * towards[:, 2:]
        exact = (brdf(UP, at(eye), towards, white, rough, metal) * light).sum() * angle
        seen = ambient_reflection(UP, at(eye), white, rough, metal, Lights.around(sh))
        assert float(seen) == pytest.approx(float(exact), abs=error)


def test_gradients_reach_everything():
    def seen(*values: Tensor) -> Tensor:
        normal, eye, light, colour, roughness, metallic, intensity, ambient, sh = values
        directions = (torch.nn.functional.normalize(each, dim=-1) for each in (normal, eye, light))
        return reflected(*directions, colour, roughness, metallic, Lights(light, intensity, ambient, sh))

    def of(*rows: object) -> Tensor:
        return torch.tensor(rows, dtype=torch.float64, requires_grad=True)

    normals, eyes = of([0.1, 0.2, 1.0], [0.3, -0.1, 0.8]), of([0.5, 0.1, 1.0], [-0.2, 0.4, 0.9])
    lights = of([0.2, 0.6, 1.0], [-0.7, 0.1, 0.9])
    sh = torch.randn(9, 3, generator=torch.Generator().manual_seed(2), dtype=torch.float64).requires_grad_(True)

    def several(*values: Tensor) -> Tensor:
        return seen(*values[:2], values[2][:, None], *values[3:])

    arguments = (
        normals, eyes, lights, of([0.9, 0.5, 0.2], [0.3, 0.4, 0.5]), of([0.4], [0.7]), of([0.3], [0.8]),
        of([0.8, 0.7, 0.6], [0.2, 0.3, 0.1]), of(0.2, 0.3, 0.1), sh,
    )  # fmt: skip
    assert torch.autograd.gradcheck(several, arguments)
