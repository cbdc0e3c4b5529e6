"""Pictures of a volume do not depend on the units of its values and lengths, however far these are from 1."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.kernels import Backend
from invrender.nouns import Volume
from invrender.render.absorption import auto_extinction, optical_depth, transmittance
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.transfer import transfer_function
from invrender.samples import VOLUMES

UNITS = [1e-40, 1e-18, 1e18, 1e36]


@pytest.fixture(scope="module", params=["torch", "cpu"])
def kernels(request: pytest.FixtureRequest) -> Backend:
    return select(request.param, needs=("volumes",))


@pytest.fixture(scope="module")
def ball() -> Volume:
    volume = VOLUMES["double-sphere"](12)
    values = volume.values / volume.values.max()
    return replace(volume, values=torch.where(values > 1e-2, values, 0.0))  # so that no unit makes more of them 0


def picture(volume: Volume, backend: Backend) -> torch.Tensor:
    cameras = volume_rig(volume, "orbit", 1, (24, 24))
    return render_volume(volume, cameras, VolumeStyle(transfer_function(volume)), backend)


@pytest.mark.parametrize("unit", UNITS)
def test_lit_pictures_do_not_depend_on_the_unit_of_values(ball: Volume, kernels: Backend, unit: float) -> None:
    expected = picture(ball, kernels)
    found = picture(replace(ball, values=(ball.values.double() * unit).float()), kernels)
    assert float(expected[..., :3].std()) > 0.01  # it is not blank, and it is lit
    assert torch.allclose(found, expected, atol=2e-3)


@pytest.mark.parametrize("unit", UNITS)
def test_transmittance_does_not_depend_on_the_unit_of_values(ball: Volume, kernels: Backend, unit: float) -> None:
    cameras = volume_rig(ball, "orbit", 1, (24, 24))
    expected, one = transmittance(ball, cameras, kernels)
    found, factor = transmittance(replace(ball, values=(ball.values.double() * unit).float()), cameras, kernels)
    assert torch.allclose(found, expected, atol=1e-4)
    assert float(factor) * unit == pytest.approx(float(one), rel=1e-4)
    again, _ = transmittance(replace(ball, values=(ball.values.double() * unit).float()), cameras, kernels, factor)
    assert torch.allclose(again, expected, atol=1e-4)


@pytest.mark.parametrize("length", [1e-24, 1e-6, 1e24])
def test_pictures_do_not_depend_on_the_unit_of_lengths(ball: Volume, kernels: Backend, length: float) -> None:
    large = replace(ball, bounds=ball.bounds * length)
    assert torch.allclose(picture(large, kernels), picture(ball, kernels), atol=1e-5)
    cameras, far = volume_rig(ball, "orbit", 1, (24, 24)), volume_rig(large, "orbit", 1, (24, 24))
    assert torch.allclose(transmittance(large, far, kernels)[0], transmittance(ball, cameras, kernels)[0], atol=1e-5)
    depths, expected = optical_depth(large, far, kernels), optical_depth(ball, cameras, kernels)
    assert torch.allclose(depths / length, expected, rtol=1e-4)
    assert auto_extinction(depths) * length == pytest.approx(auto_extinction(expected), rel=1e-4)


def test_a_bright_voxel_and_a_constant(kernels: Backend) -> None:
    """One voxel is a spot in the middle; the same value everywhere is a box without any lighting."""
    values = torch.zeros(1, 9, 9, 9)
    values[0, 4, 4, 4] = 5.0
    bounds = torch.tensor([[-0.5] * 3, [0.5] * 3], dtype=torch.float64)
    spot = picture(Volume(values, bounds), kernels)[0, ..., 3]
    assert float(spot[12, 12]) > 0.05
    assert float(spot.sum()) == pytest.approx(float(spot[8:16, 8:16].sum()))
    box = picture(Volume(torch.full_like(values, 3.0), bounds), kernels)[0]
    inside = box[box[..., 3] > 0.9]
    assert len(inside) > 20
    colour = inside[:, :3] / inside[:, 3:]
    assert float((colour - colour[0]).abs().max()) < 1e-3


def test_flat_voxels_take_no_more_samples_than_the_grid_has(kernels: Backend) -> None:
    """A box a million times as wide as high is drawn as fast as a cube is."""
    values = torch.full((1, 4, 8, 8), 2.0)
    bounds = torch.tensor([[-0.5, -0.5, -5e-7], [0.5, 0.5, 5e-7]], dtype=torch.float64)
    cameras = volume_rig(Volume(values, bounds), "orbit", 1, (16, 16), elevation=5.0)
    style = VolumeStyle(transfer_function(Volume(values, bounds)))
    drawn = render_volume(Volume(values, bounds), cameras, style, kernels)
    assert bool(torch.isfinite(drawn).all())
