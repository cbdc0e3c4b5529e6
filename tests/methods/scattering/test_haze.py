"""Thin media: a model without noise foresees what they show, and clouds of little optical depth are found by it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.io.scenes.write import write_scene
from invrender.methods.scattering import task
from invrender.methods.scattering.haze import fitted, foreseen, hidden, own_light, trusted
from invrender.methods.scattering.method import METHOD
from invrender.methods.scattering.objective import SEEN, Misfit, Pixels
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.nouns import DirectionalLight, Environment, Medium, Scene, Volume
from invrender.parameters.medium_values import EXTINCTION, MediumValues
from invrender.solve.loop import Loop

BACKEND = select("cpu", needs=METHOD.needs)
THIN, DENSE = 1.0, 30.0


def ball(extinction: float, n: int = 17) -> Volume:
    """A ball with a soft edge in a box of side 1, twice as dense on one side as on the other."""
    at = np.linspace(-0.5, 0.5, n)
    z, y, x = np.meshgrid(at, at, at, indexing="ij")
    edge = np.clip((0.38 - np.sqrt(x * x + y * y + z * z)) * 10, 0, 1)
    return Volume.from_numpy((extinction * edge * (0.75 + 0.25 * np.sign(x))).astype(np.float32))


def lit(volume: Volume) -> Scene:
    """Under a sun and a grey sky."""
    sun = DirectionalLight((0.3, 0.8, 0.5), 3.0)
    return Scene((), [sun], None, Environment((0.4, 0.4, 0.4)), media=Medium(volume, 0.9, 0.3))


def seen(extinction: float, views: int = 4) -> Renderer:
    """What sees the ball."""
    volume = ball(extinction)
    return Renderer.of(lit(volume), volume_rig(volume, "sphere", views, (16, 16)), BACKEND)


def test_a_model_foresees_thin_media_and_not_opaque_ones() -> None:
    thin, dense = (trusted(foreseen(each, each.base, 0)) for each in (seen(THIN), seen(DENSE)))
    assert thin == 1.0 and dense < 0.3


def test_a_mediums_own_light_is_found_where_it_is_linear() -> None:
    renderer = seen(THIN, 1)
    hides = torch.rand(256, generator=torch.Generator().manual_seed(0))
    place = torch.linspace(-1, 1, 16).expand(16, 16).reshape(-1, 1)
    above = torch.cat([1 + place, 2 - place, 0 * place], 1)
    torch.testing.assert_close(own_light(renderer, hides, hides[:, None] * above), above, rtol=1e-3, atol=1e-3)


def test_model_and_rest_show_what_paths_show() -> None:
    renderer = seen(THIN)
    layers = renderer.layers(renderer.base, 64, 1)
    haze = fitted(renderer, renderer.base, layers, 1.0, 2)
    denser = replace(renderer.base, extinction=1.2 * renderer.base.extinction)
    gain = haze.gain(hidden(renderer, denser, renderer.middles()))
    foretold = haze.rest(layers) + gain
    expected, before = renderer.layers(denser, 256, 3)[:, :3], layers[:, :3]
    changed = (expected - before).mean()
    assert float((foretold - expected).mean()) == pytest.approx(0.0, abs=0.15 * abs(float(changed)))
    spread = [
        float((each.reshape(4, 256, 3) - expected.reshape(4, 256, 3)).square().mean()) for each in (foretold, before)
    ]
    assert spread[0] < 0.7 * spread[1]  # and with less noise


def test_gradients_of_the_model_are_those_of_what_it_foretells() -> None:
    renderer = seen(THIN)
    layers = renderer.layers(renderer.base, 16, 1)
    haze = fitted(renderer, renderer.base, layers, 1.0, 2)
    numbers = torch.arange(len(layers))
    pixels = Pixels(torch.zeros(len(layers), 3), torch.ones(len(layers), 3), tuple(numbers.chunk(4)))
    values = MediumValues(renderer.base, torch.ones(17, 17, 17), {})
    misfit = Misfit(values, renderer, pixels, 4, 1, 0.0, 1.0, haze)
    params = {EXTINCTION: torch.full((17, 17, 17), 0.5), SEEN: haze.rest(layers)}
    step = torch.randn(17, 17, 17, generator=torch.Generator().manual_seed(5))
    _, gradient = misfit.value_and_grad(params, torch.Generator().manual_seed(3))

    def squared(by: float) -> float:
        moved = values.arrays({EXTINCTION: params[EXTINCTION] + by * step})
        random = torch.Generator().manual_seed(3)
        some = misfit.chosen(random)
        rays = renderer.rays(some, 1, random)
        off = params[SEEN][some] + haze.of(some).gain(hidden(renderer, moved, rays))
        return float(off.double().square().mean())

    slope = (squared(0.01) - squared(-0.01)) / 0.02
    assert float((gradient[EXTINCTION] * step).sum()) == pytest.approx(slope, rel=0.02)


def test_a_thin_cloud_is_found(tmp_path: Path) -> None:
    write_scene(tmp_path / "scene.toml", lit(ball(THIN)))
    settings = ScatteringSettings(
        tmp_path / "scene.toml", gif_frames=0, views=12, size=16, target_spp=256, iterations=60
    )
    given = task.load(settings, BACKEND)
    problem = METHOD.begin(given, settings, BACKEND)
    loop = Loop(problem.schedule)
    for _ in loop:
        pass
    found = METHOD.measure(given, problem.result(loop.state.finished), BACKEND)
    assert found["density_psnr"] > 21.5 and found["novel_psnr"] > 40
