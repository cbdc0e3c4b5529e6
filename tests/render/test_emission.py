"""Pictures of volumes: transfer functions, lighting, views and the scale of extinction, by their known answers."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.errors import InputError, UsageError
from invrender.nouns import Volume
from invrender.nouns.transfer import REFERENCE, TransferFunction
from invrender.render.absorption import auto_extinction, check_extinction, density, optical_depth
from invrender.render.emission import QUALITY, Quality, VolumeStyle, render_volume, step_length
from invrender.render.transfer import transfer_function
from invrender.samples import VOLUMES
from invrender.shading.density_gradient import Lighting, value_gradient

KERNELS = select("torch", needs=("volumes",))


@pytest.fixture(scope="module")
def ball() -> Volume:
    return VOLUMES["double-sphere"](20)


def test_opacity_holds_for_the_reference_length_at_any_size() -> None:
    """A box that is one reference length thick shows exactly the opacity that was asked for."""
    transfer = TransferFunction(torch.ones(2, 3), torch.tensor([0.0, 0.4]), 0.0, 1.0)
    for scale in (0.01, 1.0, 300.0):
        bounds = torch.tensor([[0.0, 0, 0], [1, 1, REFERENCE]], dtype=torch.float64) * scale
        slab = Volume(torch.ones(1, 3, 5, 5), bounds)
        for quality in (Quality(0.2, 1), Quality(7.0, 1)):
            style = VolumeStyle(transfer, None, quality=quality)
            picture = render_volume(slab, volume_rig(slab, "orbit", 1, (9, 9), fov=2.0, elevation=0), style, KERNELS)
            assert float(picture[0, 4, 4, 3]) == pytest.approx(0.4, abs=1e-3)


def test_named_transfer_functions(ball: Volume) -> None:
    linear = transfer_function(ball, "gray", "linear", 0.5)
    assert linear.low == 0
    assert float(linear.opacity[0]) == 0
    assert float(linear.opacity[-1]) == 0.5
    assert torch.allclose(linear.colours[:, 0], linear.colours[:, 2])
    assert torch.allclose(linear.colours[-1], torch.ones(3))
    exponential = transfer_function(ball, "gray", "exponential", 0.5)
    assert float(exponential.opacity[-1]) == pytest.approx(0.5)
    assert bool((exponential.opacity[1:-1] < linear.opacity[1:-1]).all())
    points = transfer_function(ball, "0:#000000,1:#ff8000", "0:0,0.5:0.2,1:1", window=(-1.0, 3.0))
    assert (points.low, points.high) == (-1.0, 3.0)
    assert float(points.opacity[128]) == pytest.approx(0.2, abs=0.01)
    assert torch.allclose(points.colours[-1], torch.tensor([1.0, 0.2158, 0.0]), atol=1e-3)  # sRGB 0x80 is 0.2158


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"colormap": "virids"}, "did you mean viridis"),
        ({"colormap": "0:red"}, "'#rrggbb'"),
        ({"opacity": "cubic"}, "use linear, exponential, one-step"),
        ({"opacity": "0:0,1:7"}, "'7' where a number from 0 to 1"),
        ({"opacity": "0:0,half"}, "the point 'half'"),
        ({"window": (2.0, 2.0)}, "window from 2 to 2 is empty"),
        ({"strength": 0.0}, "opacity of 0 is impossible"),
    ],
)
def test_slips_in_a_transfer_function(ball: Volume, arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        transfer_function(ball, **arguments)


def test_the_gradient_of_a_ramp_in_unequal_voxels() -> None:
    """f = 3 x + 2 y - z."""
    bounds = torch.tensor([[0.0, 0, 0], [4, 10, 1]], dtype=torch.float64)
    z, y, x = np.meshgrid(np.linspace(0, 1, 3), np.linspace(0, 10, 4), np.linspace(0, 4, 6), indexing="ij")
    values = torch.from_numpy(3 * x + 2 * y - z)
    expected = torch.tensor([3.0, 2, -1], dtype=torch.float64)
    assert torch.allclose(value_gradient(values, bounds), expected.expand(3, 4, 6, 3))


def test_lighting_is_differentiable_down_to_the_values(ball: Volume) -> None:
    """The directional derivative of a lit picture through transfer function, gradient and compositing."""
    torch.manual_seed(0)
    start = ball.values + 0.2 + 0.1 * torch.rand(ball.values.shape)  # away from the kinks at 0 and of flat places
    values = start.clone().requires_grad_(True)
    cameras = volume_rig(ball, "orbit", 1, (12, 12))
    transfer = transfer_function(ball, "viridis", "linear", 0.3, window=(0.0, 2.0))
    style = VolumeStyle(transfer, Lighting(soft=0.3), "sequential", QUALITY["draft"])
    weight = torch.rand(1, 12, 12, 4)

    def value(values: torch.Tensor) -> torch.Tensor:
        return (render_volume(Volume(values, ball.bounds), cameras, style, KERNELS) * weight).sum()

    value(values).backward()
    toward = values.grad / values.grad.norm()  # the steepest way: in float32 others drown in rounding
    h = 1e-2
    with torch.no_grad():
        slope = float(value(start + h * toward) - value(start - h * toward)) / (2 * h)
    assert float((values.grad * toward).sum()) == pytest.approx(slope, rel=0.02)


def test_a_volume_of_four_channels_brings_its_own_colours() -> None:
    values = torch.zeros(4, 4, 4, 4)
    values[0], values[2] = 100.0, 1.0
    own = Volume(values, torch.tensor([[-0.5] * 3, [0.5] * 3], dtype=torch.float64))
    cameras = volume_rig(own, "orbit", 1, (9, 9))
    picture = render_volume(own, cameras, VolumeStyle(None), KERNELS)[0, 4, 4]
    assert torch.allclose(picture, torch.tensor([0.0, 1, 0, 1]), atol=1e-3)
    with pytest.raises(InputError, match="4 channels cannot be drawn"):
        render_volume(own, cameras, VolumeStyle(transfer_function(own)), KERNELS)


def test_the_step_follows_the_finest_side_of_a_voxel() -> None:
    flat = Volume(torch.zeros(1, 11, 3, 3), torch.tensor([[0.0, 0, 0], [4, 4, 1]], dtype=torch.float64))
    assert step_length(flat, 2.0) == pytest.approx(0.05)


def test_auto_extinction_brings_the_95th_percentile_to_2_5(ball: Volume) -> None:
    depths = optical_depth(ball, volume_rig(ball, "sphere", 4, (24, 24)), KERNELS)
    scaled = depths * auto_extinction(depths)
    assert float(np.quantile(scaled[scaled > 0].numpy(), 0.95)) == pytest.approx(2.5, rel=1e-4)
    with pytest.raises(InputError, match="no camera sees anything"):
        auto_extinction(torch.zeros(3))


def test_optical_depth_of_a_box_seen_straight_on() -> None:
    box = Volume(torch.full((1, 4, 4, 4), 3.0), torch.tensor([[10.0, 10, 10], [12, 12, 12]], dtype=torch.float64))
    depth = optical_depth(box, volume_rig(box, "orbit", 1, (9, 9), fov=60.0, elevation=0), KERNELS)
    assert float(depth[0, 4, 4]) == pytest.approx(6.0)
    assert float(depth[0, 0, 0]) == 0.0
    assert math.isclose(float(depth[0, 4, 0]), float(depth[0, 4, 8]), rel_tol=1e-5, abs_tol=1e-6)


def test_what_is_no_density() -> None:
    bounds = torch.tensor([[0.0] * 3, [1.0] * 3], dtype=torch.float64)
    with pytest.raises(InputError, match="negative values"):
        density(Volume(torch.full((1, 2, 2, 2), -1.0), bounds))
    with pytest.raises(InputError, match="4 channels"):
        density(Volume(torch.ones(4, 2, 2, 2), bounds))
    assert check_extinction("auto") is None
    assert check_extinction("0.5") == 0.5
    with pytest.raises(UsageError, match="use auto, or the factor"):
        check_extinction("-3")
