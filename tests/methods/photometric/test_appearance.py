"""Albedo and light from the colours of vertices: exact where these determine them, by convention where not."""

from __future__ import annotations

import dataclasses

import pytest
import torch

from invrender.cameras.rigs import fibonacci
from invrender.methods.photometric.appearance import (
    MEAN_ALBEDO,
    WEAK,
    Appearance,
    fitted_albedo,
    fitted_constant,
    fitted_light,
    neutral,
    plain,
)
from invrender.nouns.topology import topology
from invrender.shading.spherical_harmonics import ambient, directional

NORMALS = fibonacci(200)
LIGHT = ambient(torch.tensor([0.5, 0.6, 0.7])).double() + directional(torch.tensor([1.0, 2.0, 0.5]).double(), 0.4)
EXACT = 0.0


def look(albedo=0.6):
    return Appearance(torch.full((len(NORMALS), 3), albedo, dtype=torch.float64), LIGHT)


def test_the_light_is_found_from_a_known_albedo_behind_shadows():
    occlusion = torch.rand(len(NORMALS), 3, generator=torch.Generator().manual_seed(0)).double()
    true = dataclasses.replace(look(), occlusion=occlusion)
    start = dataclasses.replace(true, light=plain(1, 0.3).light)
    found = fitted_light(start, NORMALS, true.colours(NORMALS), torch.ones_like(occlusion), EXACT)
    assert found.light.numpy() == pytest.approx(LIGHT.numpy(), abs=1e-9)


def test_a_weak_prior_changes_little_and_is_needed_where_half_the_normals_are_missing():
    front = NORMALS[NORMALS[:, 2] > 0.9]
    grey = torch.full((len(front), 3), 0.6, dtype=torch.float64)
    true = Appearance(grey, LIGHT)
    found = fitted_light(true, front, true.colours(front), torch.ones_like(grey), WEAK)
    assert found.colours(front).numpy() == pytest.approx(true.colours(front).numpy(), rel=0.01)
    assert float(found.light.abs().max()) < 2 * float(LIGHT.abs().max())


def test_neutral_light_and_a_mean_albedo_are_the_convention_and_leave_the_colours():
    before = look(0.2)
    after = neutral(before)
    assert after.colours(NORMALS).numpy() == pytest.approx(before.colours(NORMALS).numpy(), abs=1e-12)
    assert float(after.albedo.mean()) == pytest.approx(MEAN_ALBEDO)
    assert after.light[0].numpy() == pytest.approx(float(after.light[0, 0]))


def test_a_constant_albedo_is_found_under_a_known_light():
    true = look(0.35)
    start = dataclasses.replace(true, albedo=torch.full_like(true.albedo, 0.9))
    found = fitted_constant(start, NORMALS, true.colours(NORMALS), torch.ones_like(true.albedo))
    assert found.albedo.numpy() == pytest.approx(0.35)


def test_noise_is_smoothed_and_a_border_between_materials_stays():
    side = 20
    corner = (torch.arange(side - 1)[:, None] * side + torch.arange(side - 1)).reshape(-1)
    faces = torch.cat([torch.stack([corner, corner + 1, corner + side + 1], 1),
                       torch.stack([corner, corner + side + 1, corner + side], 1)])  # fmt: skip
    upwards = torch.tensor([[0.0, 0.0, 1.0]], dtype=torch.float64).expand(side * side, 3)
    step = torch.where(torch.arange(side * side) % side < side // 2, 0.2, 0.8)[:, None].expand(-1, 3).double()
    noise = 0.03 * torch.randn(step.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    wanted = Appearance(step + noise, LIGHT).colours(upwards)
    found = Appearance(step + noise, LIGHT)
    for _ in range(10):
        found = fitted_albedo(found, upwards, wanted, torch.ones_like(step), topology(faces), 0.5)
    error = (found.albedo - step).abs()
    assert float(error.mean()) < 0.5 * float(noise.abs().mean())
    assert float((found.albedo[side // 2] - found.albedo[side // 2 - 1]).min()) > 0.5
