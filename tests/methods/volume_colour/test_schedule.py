"""Density, colour and transfer functions from colour views: what comes back predicts views that were not given."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.errors import InputError
from invrender.methods.volume_colour.schedule import colour_schedule, field_of, transfer_schedule, weights
from invrender.methods.volume_colour.settings import ColourSettings
from invrender.nouns import Views, Volume
from invrender.render.emission import VolumeStyle, render_volume
from invrender.render.images import straight
from invrender.render.transfer import transfer_function
from invrender.samples import VOLUMES
from invrender.solve.loop import Loop, Step
from invrender.solve.phase import Schedule

KERNELS = select("cpu", needs=("volumes",))
QUICK = ColourSettings(Path(), iterations=60, rays=2048, rate=0.2)


@pytest.fixture(scope="module")
def ball() -> Volume:
    return VOLUMES["double-sphere"](20)


@pytest.fixture(scope="module")
def look(ball: Volume) -> VolumeStyle:
    return VolumeStyle(transfer_function(ball, "turbo", "linear", 0.3), None)


@pytest.fixture(scope="module")
def views(ball: Volume, look: VolumeStyle) -> Views:
    cameras = volume_rig(ball, "sphere", 10, (28, 28))
    colour, alpha = straight(render_volume(ball, cameras, look, KERNELS))
    return Views(cameras, alpha, colour)


def last(schedule: Schedule) -> Step:
    *_, step = Loop(schedule)
    return step


def psnr_of_unseen(volume: Volume, look: VolumeStyle, expected: Volume, of: VolumeStyle) -> float:
    cameras = volume_rig(expected, "orbit", 3, (28, 28), elevation=23)
    difference = render_volume(volume, cameras, look, KERNELS) - render_volume(expected, cameras, of, KERNELS)
    return -10 * math.log10(float(difference.square().mean()))


def test_density_and_colour_predict_unseen_views(ball: Volume, look: VolumeStyle, views: Views) -> None:
    step = last(colour_schedule(views, ball.bounds, (20, 20, 20), QUICK, KERNELS))
    assert (step.index, step.total) == (59, 60)
    found = step.estimate
    assert found.values.shape == (4, 20, 20, 20)
    assert psnr_of_unseen(found, VolumeStyle(None, None), ball, look) > 28
    assert float(found.values[0, 0, 0, 0]) == 0  # no view shows anything there
    assert bool(((found.values[1:] >= 0) & (found.values[1:] <= 1)).all())


def test_a_field_predicts_unseen_views(ball: Volume, look: VolumeStyle, views: Views) -> None:
    settings = replace(QUICK, field="neural", rate=None, rays=1024)
    loop = Loop(colour_schedule(views, ball.bounds, (16, 16, 16), settings, KERNELS))
    *_, step = loop
    found = step.estimate
    assert psnr_of_unseen(found, VolumeStyle(None, None), ball, look) > 23
    assert float(found.values[0, 0, 0, 0]) == 0
    field = field_of(views, ball.bounds, (16, 16, 16), settings, KERNELS)
    again = field.volume(weights(field, loop.state.finished[-1]), (16, 16, 16))
    assert torch.equal(again.values, found.values)


def test_the_transfer_function_of_a_known_volume(ball: Volume, look: VolumeStyle, views: Views) -> None:
    transfer = look.transfer
    assert transfer is not None
    window = (transfer.low, transfer.high)
    step = last(transfer_schedule(views, ball, window, replace(QUICK, iterations=100), KERNELS))
    assert psnr_of_unseen(ball, VolumeStyle(step.estimate, None), ball, look) > 32


def test_a_seed_repeats_the_result(ball: Volume, views: Views) -> None:
    quick = replace(QUICK, iterations=6)
    one, other = (last(colour_schedule(views, ball.bounds, (20, 20, 20), quick, KERNELS)).estimate for _ in range(2))
    assert torch.equal(one.values, other.values)


def test_views_that_cannot_do(ball: Volume, views: Views) -> None:
    with pytest.raises(InputError, match="hold no colours"):
        last(colour_schedule(replace(views, images=None), ball.bounds, (20, 20, 20), QUICK, KERNELS))
    far = ball.bounds + 100
    with pytest.raises(InputError, match="no camera sees the box"):
        last(colour_schedule(views, far, (20, 20, 20), QUICK, KERNELS))
    blank = views.masks.clone()
    blank[0] = 0
    with pytest.raises(InputError, match="show nothing where others"):
        last(colour_schedule(replace(views, masks=blank), ball.bounds, (20, 20, 20), QUICK, KERNELS))
    with pytest.raises(InputError, match="hold no colours"):
        last(transfer_schedule(replace(views, images=None), ball, (0.0, 1.0), QUICK, KERNELS))
