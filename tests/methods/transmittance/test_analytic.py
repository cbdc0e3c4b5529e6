"""Densities from exact views of sharp ellipsoids, which no projector of ours has made."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.methods.transmittance.carving import carve
from invrender.methods.transmittance.measurement import Measurement, exposed, measure, parse_noise
from invrender.methods.transmittance.method import planned
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns import Volume
from invrender.samples.ellipsoids import FOUR, averaged, transmittances
from invrender.solve.loop import Loop

KERNELS = select("cpu", needs=("volumes",))


def views_of(noise: str, volume: Volume, size: int = 40) -> Measurement:
    cameras, kind = volume_rig(volume, "orbit", 20, (size, size)), parse_noise(noise)
    return measure(cameras, exposed(transmittances(FOUR, cameras), kind, 0), kind)


def quality(views: Measurement, volume: Volume, **settings: float) -> float:
    """PSNR of the density from views, in dB."""
    wanted = TransmittanceSettings(Path(), **settings)  # type: ignore[arg-type]
    plan = planned(views, volume.shape, volume.bounds, wanted, KERNELS)
    loop = Loop(plan.following)
    for _ in loop:
        pass
    error = (plan.result(loop.state.finished).density - volume.values[0]).double().square().mean()
    return 10 * math.log10(float(volume.values.max()) ** 2 / float(error))


@pytest.mark.parametrize(("noise", "least"), [("float", 38.5), ("8bit", 39.0), ("poisson:20000", 40.0)])
def test_sharp_ellipsoids_by_default_settings(noise: str, least: float) -> None:
    volume = averaged(FOUR, 32)
    assert quality(views_of(noise, volume), volume) > least


def test_rounded_pictures_are_smoothed_as_much_as_they_need() -> None:
    volume, kind = averaged(FOUR, 36), parse_noise("8bit")
    cameras = volume_rig(volume, "orbit", 24, (48, 48))
    views = measure(cameras, exposed(transmittances(FOUR, cameras), kind, 0), kind)
    assert quality(views, volume) > quality(views, volume, smoothing=1e-3) - 1  # the best of fixed weights


def test_nothing_that_holds_a_part_of_the_object_is_carved() -> None:
    volume = averaged(FOUR, 32)
    support, _ = carve(views_of("float", volume), volume.shape, volume.bounds, KERNELS.joseph_rays, 2.0)
    assert float(volume.values[0][~support].max()) == 0
    near = torch.nn.functional.max_pool3d(volume.values, 3, 1, 1)[0]
    assert float(near[~support].max()) == 0
    assert float(support.double().mean()) < 0.75
