"""The neural field: it learns a density from transmittance, equal seeds agree, and its rays are the cameras' own."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
import torch

from invrender.backends import select
from invrender.cameras.rays import camera_rays
from invrender.cameras.volume_rigs import volume_rig
from invrender.methods.transmittance import neural
from invrender.methods.transmittance.measurement import Measurement, Noise, measure
from invrender.methods.transmittance.neural import Training, field_schedule, pixel_rays
from invrender.methods.transmittance.problem import DENSITY, prepare
from invrender.nouns import Volume
from invrender.render.absorption import optical_depth
from invrender.solve.loop import Loop, Step

KERNELS = select("cpu", needs=("volumes",))
SMALL = Training(iterations=80, rays=512, samples=24, rate=0.03)


def ball() -> Volume:
    axis = torch.linspace(-1, 1, 16)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    return Volume.from_numpy((6 * (0.8 - ((x - 0.1) ** 2 + y**2 + z**2).sqrt()).clamp(0, 0.4)).numpy())


def views() -> Measurement:
    cameras = volume_rig(ball(), "sphere", 12, (24, 24))
    return measure(cameras, torch.exp(-optical_depth(ball(), cameras, KERNELS)), Noise())


def learn(training: Training) -> tuple[torch.Tensor, list[Step]]:
    loop = Loop(field_schedule(prepare(views(), ball().shape, ball().bounds, KERNELS), training))
    steps = list(loop)
    return loop.state.finished[-1].result[DENSITY], steps


def test_it_learns_a_ball(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural, "REPORTS", 8)
    density, steps = learn(SMALL)
    truth = ball().values[0]
    assert 10 * math.log10(float(truth.max()) ** 2 / float((density - truth).square().mean())) > 25
    assert [step.index for step in steps] == list(range(8))
    assert steps[-1].terms["misfit"] < 0.1 * steps[0].terms["misfit"]
    assert float(density.min()) >= 0
    assert torch.equal(steps[-1].estimate, density)


def test_equal_seeds_agree_and_others_differ() -> None:
    short = Training(iterations=5, rays=64, samples=8)
    assert torch.equal(learn(short)[0], learn(short)[0])
    assert not torch.equal(learn(short)[0], learn(replace(short, seed=1))[0])


def test_pixels_have_the_rays_of_their_cameras() -> None:
    data = views()
    every = camera_rays(data.cameras)
    pixels = torch.tensor([0, 5, 24 * 24 + 30, 12 * 24 * 24 - 1])
    rays = pixel_rays(data, pixels)
    assert torch.allclose(rays.origin, every.origin[pixels].float())
    assert torch.allclose(rays.direction, every.direction[pixels].float(), atol=1e-6)
