"""The neural field: it learns a density from transmittance, equal seeds agree, and its rays are the cameras' own."""

from __future__ import annotations

import math

import torch

from invrender.backends.select_volume import select_volume
from invrender.cameras.rays import camera_rays
from invrender.cameras.volume_rigs import volume_rig
from invrender.methods.transmittance.measurement import Measurement, Noise, measure
from invrender.methods.transmittance.neural import pixel_rays, train
from invrender.methods.transmittance.schedule import Result, Step, prepare
from invrender.nouns import Volume
from invrender.parameters.neural_field import FieldSettings
from invrender.render.absorption import optical_depth

KERNELS = select_volume("cpu")
SMALL = FieldSettings(iterations=80, rays=512, steps=24, rate=0.03)


def ball() -> Volume:
    axis = torch.linspace(-1, 1, 16)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    return Volume.from_numpy((6 * (0.8 - ((x - 0.1) ** 2 + y**2 + z**2).sqrt()).clamp(0, 0.4)).numpy())


def views() -> Measurement:
    cameras = volume_rig(ball(), "sphere", 12, (24, 24))
    return measure(cameras, torch.exp(-optical_depth(ball(), cameras, KERNELS)), Noise())


def learn(settings: FieldSettings) -> tuple[Result, list[Step]]:
    problem = prepare(views(), ball().shape, ball().bounds, KERNELS)
    loop, steps = train(problem, settings, 8), []
    while True:
        try:
            steps.append(next(loop))
        except StopIteration as end:
            return end.value, steps


def test_it_learns_a_ball() -> None:
    result, steps = learn(SMALL)
    truth = ball().values[0]
    assert 10 * math.log10(float(truth.max()) ** 2 / float((result.density - truth).square().mean())) > 25
    assert [step.index for step in steps] == list(range(8))
    assert steps[-1].terms["misfit"] < 0.1 * steps[0].terms["misfit"]
    assert float(result.density.min()) >= 0


def test_equal_seeds_agree() -> None:
    short = FieldSettings(iterations=5, rays=64, steps=8)
    assert torch.equal(learn(short)[0].density, learn(short)[0].density)


def test_pixels_have_the_rays_of_their_cameras() -> None:
    data = views()
    every = camera_rays(data.cameras)
    pixels = torch.tensor([0, 5, 24 * 24 + 30, 12 * 24 * 24 - 1])
    rays = pixel_rays(data, pixels)
    assert torch.allclose(rays.origin, every.origin[pixels].float())
    assert torch.allclose(rays.direction, every.direction[pixels].float(), atol=1e-6)
