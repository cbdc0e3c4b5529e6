"""Ambient occlusion: shares of the hemisphere that are known, and modes that draw with it."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.cameras.rigs import rig
from invrender.nouns import Lights, Material, Mesh, Scene
from invrender.render import raster, traced
from invrender.render.occlusion import Occlusion, cosine_directions, openness
from invrender.render.ray_radiance import RaySettings
from invrender.render.rays import body, meet
from invrender.shading.surface import surface_on
from tests.render.solids import TORCH, ball, floor, grid, together

Tensor = torch.Tensor
FAR = Occlusion(1024, 100.0)


def share(mesh: Mesh, x: float, settings: Occlusion = FAR, height: float = 0.5, z: float = 0.0) -> float:
    """At the point of the mesh below (x, height, z)."""
    solid = body(surface_on(TORCH.device, mesh), TORCH, torch.float64)
    origin = torch.tensor([[x, height, z]], dtype=torch.float64)
    _, at = meet(solid, solid.local(origin), torch.tensor([[0.0, -1.0, 0.0]]).double())
    return float(openness(solid, at, settings))


def wall(height: float) -> Mesh:
    """On the plane x = 0, endless but for its height."""
    corners = torch.tensor([[0.0, 0, -500], [0, height, -500], [0, height, 500], [0, 0, 500]], dtype=torch.float64)
    return Mesh(corners, torch.tensor([[0, 1, 2], [0, 2, 3]]))


def test_directions_have_the_density_of_the_cosine():
    normal = torch.nn.functional.normalize(
        torch.randn(5, 3, generator=torch.Generator().manual_seed(1)).double(), dim=1
    )
    found = cosine_directions(normal, torch.rand(5, 2, generator=torch.Generator().manual_seed(2)).double(), 2048)
    cosine = (found * normal[:, None]).sum(-1)
    assert torch.allclose(found.norm(dim=-1), torch.ones(5, 2048).double())
    assert torch.allclose(cosine.mean(1), torch.full((5,), 2 / 3).double(), atol=2e-3)
    assert torch.allclose((cosine**2).mean(1), torch.full((5,), 1 / 2).double(), atol=2e-3)
    assert torch.allclose(found.mean(1), normal * 2 / 3, atol=5e-3)


def test_nothing_occludes_a_plane_and_everything_a_closed_box():
    assert share(floor(), 0.3) == 1
    assert share(together(floor(0.0, 2.0), ball(8, 9.0)), 0.3) == 0


@pytest.mark.parametrize("distance", [0.001, 0.3, 1.0, 2.0])
def test_a_wall_takes_the_form_factor_of_a_strip(distance):
    """1/2 (1 - d / sqrt(d^2 + h^2)) of the hemisphere; 1/2 in the edge."""
    mesh = together(floor(0.0, 5.0), wall(1.0))
    expected = 1 - 0.5 * (1 - distance / (distance**2 + 1) ** 0.5)
    assert share(mesh, distance) == pytest.approx(expected, abs=0.01)


def test_what_lies_beyond_the_reach_counts_for_nothing():
    mesh = together(floor(0.0, 2.0), ball(8, 9.0))  # the longest side is 18
    assert share(mesh, 0.0, Occlusion(256, 11 / 18)) == 0
    assert share(mesh, 0.0, Occlusion(256, 8 / 18)) == 1


def test_facets_of_a_convex_body_are_open():
    solid = body(surface_on(TORCH.device, ball(5)), TORCH, torch.float32)
    origin, direction = grid(12, 0.9, 3.0)
    _, at = meet(solid, solid.local(origin), direction.float())
    assert float(openness(solid, at, Occlusion(32, 1.0)).min()) == 1


def test_it_darkens_the_light_from_everywhere_alone_in_both_modes():
    mesh = replace(together(floor(-1.0, 2.0), ball(8)), material=Material((1.0, 1.0, 1.0)))
    cameras = rig("orbit", 1, [0.0, 0, 0], 2.0, (32, 32), elevation=25.0)
    lights, occlusion = Lights((0.5, 1.0, 0.3), 0.0, 0.5), Occlusion(64, 0.5)
    ray = RaySettings(0, False, occlusion)
    both = [
        raster.render(Scene(mesh, lights), cameras, "shaded", TORCH, 2, occlusion=occlusion),
        traced.render(Scene(mesh, lights), cameras, TORCH, 2, settings=ray),
    ]
    assert all(float(each.min()) < 0.25 for each in both)
    assert float((both[0] - both[1]).abs().median()) < 5e-3
    bright = replace(lights, intensity=0.5, ambient=0.0)
    plain, dimmed = (
        raster.render(Scene(mesh, bright), cameras, "shaded", TORCH, occlusion=o) for o in (None, occlusion)
    )
    assert torch.equal(plain, dimmed)
