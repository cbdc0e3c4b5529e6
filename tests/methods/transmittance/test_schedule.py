"""Densities from transmittance images: exact, noisy and few views, every solver, and what is refused."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.errors import InputError, UsageError
from invrender.methods.transmittance.carving import carve
from invrender.methods.transmittance.measurement import Measurement, Noise, binned, exposed, measure, parse_noise
from invrender.methods.transmittance.method import planned
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.task import Result
from invrender.nouns import Volume
from invrender.render.absorption import auto_extinction, optical_depth
from invrender.solve.loop import Loop, Step

KERNELS = select("cpu", needs=("volumes",))


def blob(n: int = 32) -> Volume:
    """Two soft balls with a hole, in absorption units that `auto` has already scaled."""
    axis = torch.linspace(-1, 1, n)
    z, y, x = torch.meshgrid(axis, axis, axis, indexing="ij")
    ball = (1.2 - 2 * ((x - 0.2) ** 2 + y**2 + z**2).sqrt()).clamp(0, 0.5)
    hole = (((x + 0.1) ** 2 + (y - 0.1) ** 2 + z**2).sqrt() * 4).clamp(0.3, 1)
    volume = Volume.from_numpy((ball * hole + (0.5 - 2 * ((x + 0.5) ** 2 + y**2 + z**2).sqrt()).clamp(min=0)).numpy())
    scale = auto_extinction(optical_depth(volume, volume_rig(volume, "sphere", 4, (32, 32)), KERNELS))
    return Volume(volume.values * scale, volume.bounds)


def views_of(volume: Volume, views: int, noise: str = "float", size: int = 32) -> Measurement:
    cameras = volume_rig(volume, "sphere", views, (size, size))
    kind = parse_noise(noise)
    return measure(cameras, exposed(torch.exp(-optical_depth(volume, cameras, KERNELS)), kind, 0), kind)


def solve(volume: Volume, measurement: Measurement, **settings: object) -> tuple[Result, list[Step]]:
    wanted = TransmittanceSettings(Path(), **settings)  # type: ignore[arg-type]
    plan = planned(measurement, volume.shape, volume.bounds, wanted, KERNELS)
    loop = Loop(plan.following)
    steps = list(loop)
    return plan.result(loop.state.finished), steps


def psnr(result: Result, volume: Volume) -> float:
    truth = volume.values[0]
    return 10 * math.log10(float(truth.max()) ** 2 / float((result.density - truth).square().mean()))


def test_exact_views_give_the_density_back() -> None:
    volume = blob()
    result, steps = solve(volume, views_of(volume, 24), iterations=60)
    assert psnr(result, volume) > 38
    assert float(result.density.min()) >= 0
    assert result.support < 0.5
    assert len(steps) == 60
    assert [step.index for step in steps] == list(range(60))
    assert {step.total for step in steps} == {60}
    assert {step.phase.labels["phase"] for step in steps} == {"choose", "solve"}
    assert result.scores


def test_trials_go_on_with_the_momentum_of_the_one_before() -> None:
    volume = blob(16)
    _, steps = solve(volume, views_of(volume, 24, size=16), iterations=60)
    tried = [step for step in steps if step.phase.name == "choose"]
    states = [step.state.current.point.state for step in tried if step.state.current is not None]
    inertia, turns = [state.inner.inertia for state in states], [state.count for state in states]
    first, count = tried[0].phase.steps, tried[-1].phase.steps
    assert inertia[first] > inertia[first - 1] > inertia[0]  # the second trial goes on from the first,
    assert inertia[first + count] == inertia[first]  # and so does the third,
    assert turns[first + count] == turns[first] == first + 1  # with the part of the views whose turn it is


def test_exact_views_are_taken_in_turn_and_noisy_ones_together() -> None:
    volume = blob(16)
    for noise, count in (("float", 4), ("poisson:10000", 1)):
        views = views_of(volume, 24, noise, size=16)
        plan = planned(views, volume.shape, volume.bounds, TransmittanceSettings(Path()), KERNELS)
        whole, parts = plan.problem.whole, plan.problem.turned
        assert len(parts.systems) == count
        assert sum(len(part.rays.pixels) for part in parts.systems) == len(whole.rays.pixels)
        inside = plan.problem.support
        torch.testing.assert_close(parts.curvature[inside], whole.curvature[inside], rtol=1e-4, atol=0)


def test_the_background_is_carved_and_nothing_else() -> None:
    volume = blob()
    support, wanted = carve(views_of(volume, 24), volume.shape, volume.bounds, KERNELS.joseph_rays, 2.0)
    assert float(volume.values[0][~support].max()) < 1e-3 * float(volume.values.max())
    assert 0.05 < float(support.double().mean()) < 0.6
    assert 0.05 < float(wanted.double().mean()) < 0.9


@pytest.mark.parametrize(("noise", "least"), [("8bit", 33.0), ("poisson:10000", 29.0)])
def test_noisy_views_start_with_subsets_and_stay_smooth(noise: str, least: float) -> None:
    volume = blob()
    result, steps = solve(volume, views_of(volume, 32, noise), iterations=50)
    assert psnr(result, volume) > least
    assert steps[0].phase.labels["phase"] == "start"


def test_smoothing_helps_when_photons_are_few() -> None:
    volume = blob()
    measurement = views_of(volume, 24, "poisson:1000")
    rough, _ = solve(volume, measurement, iterations=30, smoothing=0.0)
    smooth, _ = solve(volume, measurement, iterations=30)
    assert psnr(smooth, volume) > psnr(rough, volume) + 1


@pytest.mark.parametrize("solver", ["sirt", "cgls", "adam"])
def test_the_other_solvers_come_near_too(solver: str) -> None:
    volume = blob()
    result, _ = solve(volume, views_of(volume, 24), iterations=40, solver=solver)
    assert psnr(result, volume) > 26


def test_large_grids_start_coarse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("invrender.methods.transmittance.budget.COARSE_FROM", 32)
    volume = blob()
    result, steps = solve(volume, views_of(volume, 24), iterations=45)
    assert steps[0].phase.labels["phase"] == "coarse"
    assert steps[0].estimate.shape == (16, 16, 16)
    assert [step.index for step in steps] == list(range(45))
    assert psnr(result, volume) > 34


@pytest.mark.parametrize("noise", ["float", "poisson:10000"])
def test_grids_that_memory_is_short_for_choose_at_half_the_resolution(
    monkeypatch: pytest.MonkeyPatch, noise: str
) -> None:
    volume = blob()
    views = views_of(volume, 24, noise)
    usual, _ = solve(volume, views, iterations=45)
    monkeypatch.setattr("invrender.methods.transmittance.budget.COARSE_FROM", 32)
    monkeypatch.setattr("invrender.methods.transmittance.budget.LARGE", 32**3)
    result, steps = solve(volume, views, iterations=45)
    names = [step.phase.name for step in steps]
    assert names[30:] == ["solve"] * 15, "all else is done on the coarse grid"
    assert all(name.startswith("coarse/") for name in names[:30])
    assert steps[-1].state.current.before is None, "no step back is kept"
    assert psnr(result, volume) > psnr(usual, volume) - 1.5


def test_non_cubic_grids_with_a_box_anywhere_in_the_world() -> None:
    cube = blob()
    bounds = torch.tensor([[100.0, -5, 3], [103, -3.5, 4]], dtype=torch.float64)
    volume = Volume(cube.values[:, ::2, 4:28] / 3, bounds)
    measurement = views_of(volume, 24)
    result, _ = solve(volume, measurement, iterations=60)
    assert psnr(result, volume) > 32


def test_cameras_inside_the_volume_are_used() -> None:
    volume = blob()
    outside = volume_rig(volume, "sphere", 16, (32, 32))
    inside = volume_rig(volume, "sphere", 16, (32, 32), distance=0.3, fov=80.0)
    for cameras in (outside, inside):
        seen = measure(cameras, torch.exp(-optical_depth(volume, cameras, KERNELS)), Noise())
        result, _ = solve(volume, seen, iterations=30)
        assert psnr(result, volume) > 18


def test_halved_images_see_the_same_volume() -> None:
    volume = blob()
    cameras = volume_rig(volume, "sphere", 3, (65, 80))
    full = measure(cameras, torch.exp(-optical_depth(volume, cameras, KERNELS)), Noise())
    half = binned(full)
    assert half.cameras.size == (32, 40)
    direct = optical_depth(volume, half.cameras, KERNELS)
    assert float((half.depth - direct).norm() / direct.norm()) < 0.01


def test_pixels_without_light_are_left_out() -> None:
    volume = blob()
    cameras = volume_rig(volume, "sphere", 12, (32, 32))
    image = torch.exp(-4 * optical_depth(volume, cameras, KERNELS))
    noise = Noise("8bit")
    measurement = measure(cameras, exposed(image, noise, 0), noise)
    assert measurement.masked > 0
    assert float(measurement.weight[exposed(image, noise, 0) == 0].max()) == 0
    assert bool(torch.isfinite(measurement.depth).all())


@pytest.mark.parametrize(("value", "words"), [(-0.2, "negative"), (1.2, "above 1"), (math.inf, "infinite")])
def test_impossible_pixels_are_refused_by_name(value: float, words: str) -> None:
    cameras = volume_rig(blob(8), "sphere", 2, (8, 8))
    image = torch.ones(2, 8, 8)
    image[1, 3, 4] = value
    with pytest.raises(InputError, match=words) as error:
        measure(cameras, image, Noise(), ("left", "right"))
    assert "right" in error.value.cause
    assert "row 3, column 4" in error.value.cause


def test_pixels_marked_as_bad_are_left_out() -> None:
    cameras = volume_rig(blob(8), "sphere", 2, (8, 8))
    image = torch.full((2, 8, 8), 0.5)
    image[1, 3, 4], image[0, 0, 0] = math.nan, 0
    measurement = measure(cameras, image, Noise())
    assert measurement.masked == 2
    assert float(measurement.weight[1, 3, 4]) == float(measurement.weight[0, 0, 0]) == 0


def test_images_that_show_nothing_or_no_light_are_refused() -> None:
    volume = blob(8)
    cameras = volume_rig(volume, "sphere", 2, (8, 8))
    with pytest.raises(InputError, match="no light"):
        measure(cameras, torch.zeros(2, 8, 8), Noise("8bit"))
    with pytest.raises(InputError, match="absorbs"):
        solve(volume, measure(cameras, torch.ones(2, 8, 8), Noise()))


def test_rays_that_miss_the_box_are_an_error() -> None:
    volume = blob(8)
    measurement = views_of(volume, 4, size=16)
    away = Volume(volume.values, volume.bounds + 50)
    with pytest.raises(InputError, match="no ray"):
        solve(away, measurement)


@pytest.mark.parametrize("text", ["poisson", "poisson:0", "poisson:x", "16bit", "float:3"])
def test_unknown_noise_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError, match="noise"):
        parse_noise(text)
