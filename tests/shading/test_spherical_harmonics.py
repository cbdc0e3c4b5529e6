"""Spherical harmonics: orthonormal, the closed form of Lambertian surfaces, and turning."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from invrender.shading import spherical_harmonics as harmonics

Tensor = torch.Tensor


def sphere() -> tuple[Tensor, Tensor]:
    """Directions [K,3] and weights [K] that integrate polynomials of degree 11 over the sphere exactly."""
    height, weight = np.polynomial.legendre.leggauss(6)
    angle = np.arange(12) * math.pi / 6
    z, phi = (grid.ravel() for grid in np.meshgrid(height, angle, indexing="ij"))
    flat = np.sqrt(1 - z**2)
    directions = np.stack([flat * np.cos(phi), flat * np.sin(phi), z], 1)
    return torch.from_numpy(directions), torch.from_numpy(np.repeat(weight * math.pi / 6, 12))


def turns(seed: int) -> Tensor:
    return torch.from_numpy(Rotation.random(random_state=seed).as_matrix())


def some_light(channels: int = 3) -> Tensor:
    return torch.randn(9, channels, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_the_functions_are_orthonormal():
    directions, weight = sphere()
    values = harmonics.basis(directions)
    assert torch.allclose(values.T @ (weight[:, None] * values), torch.eye(9, dtype=torch.float64), atol=1e-12)


def test_the_functions_stand_in_the_order_and_with_the_signs_of_ramamoorthi_and_hanrahan():
    x, y, z = direction = torch.nn.functional.normalize(torch.tensor([0.3, -0.5, 0.8], dtype=torch.float64), dim=0)
    published = [
        0.282095, 0.488603 * y, 0.488603 * z, 0.488603 * x, 1.092548 * x * y, 1.092548 * y * z,
        0.315392 * (3 * z * z - 1), 1.092548 * x * z, 0.546274 * (x * x - y * y),
    ]  # fmt: skip
    assert harmonics.basis(direction).tolist() == pytest.approx([float(value) for value in published], rel=2e-6)


def test_constant_light_shows_the_albedo():
    directions, _ = sphere()
    furnace = harmonics.ambient(torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64))
    arrived = harmonics.radiance(directions, furnace)
    assert torch.allclose(arrived, torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64).expand_as(arrived))
    reflected = 0.6 * harmonics.irradiance(directions, furnace) / math.pi
    assert torch.allclose(reflected, torch.tensor([0.6, 0.3, 1.2], dtype=torch.float64).expand_as(reflected))


def test_irradiance_is_the_integral_over_the_hemisphere():
    """Over the hemisphere about +Z the cosine is a polynomial, so that quadrature there is exact."""
    node, weight = np.polynomial.legendre.leggauss(8)
    z, phi = (node + 1) / 2, np.arange(12) * math.pi / 6
    height, angle = (torch.from_numpy(grid.ravel()) for grid in np.meshgrid(z, phi, indexing="ij"))
    flat = (1 - height**2).sqrt()
    directions = torch.stack([flat * angle.cos(), flat * angle.sin(), height], 1)
    area = torch.from_numpy(np.repeat(weight / 2 * math.pi / 6, 12))
    turn, light = turns(1), some_light()
    expected = (area * height) @ harmonics.radiance(directions @ turn.T, light)
    assert torch.allclose(harmonics.irradiance(turn[:, 2], light), expected, atol=1e-12)


@pytest.mark.parametrize("cosine", [-1.0, -0.5, 0.0, 0.3, 0.8, 1.0])
def test_a_directional_light_reflects_as_far_as_order_two_can_show(cosine):
    turn = turns(2)
    sine = math.sqrt(1 - cosine**2)
    normal = turn @ torch.tensor([sine, 0.0, cosine], dtype=torch.float64)
    light = harmonics.directional(5 * turn[:, 2], torch.tensor([1.0, 3.0], dtype=torch.float64))
    reflected = harmonics.irradiance(normal, light) / math.pi
    parabola = 3 / 32 + cosine / 2 + 15 / 32 * cosine**2
    assert reflected.tolist() == pytest.approx([parabola, 3 * parabola])
    assert abs(float(reflected[0]) - max(0.0, cosine)) <= 3 / 32 + 1e-12


def test_turned_light_comes_from_turned_directions():
    directions, _ = sphere()
    turn, light = turns(4), some_light()
    there = harmonics.radiance(directions @ turn.T, harmonics.rotated(light, turn))
    assert torch.allclose(there, harmonics.radiance(directions, light), atol=1e-12)
    towards = torch.tensor([0.2, 0.9, -0.4], dtype=torch.float64)
    assert torch.allclose(
        harmonics.rotated(harmonics.directional(towards), turn), harmonics.directional(turn @ towards)
    )


def test_gradients_reach_directions_light_and_rotation():
    normals = torch.nn.functional.normalize(some_light(3), dim=-1).requires_grad_(True)
    light, turn = some_light().requires_grad_(True), turns(5).requires_grad_(True)
    assert torch.autograd.gradcheck(harmonics.irradiance, (normals, light))
    assert torch.autograd.gradcheck(harmonics.rotated, (light, turn))
    towards, intensity = turns(6)[0].clone().requires_grad_(True), turns(6)[1].clone().requires_grad_(True)
    assert torch.autograd.gradcheck(harmonics.directional, (towards, intensity))
