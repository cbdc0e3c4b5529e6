"""Whether what lies within a cell of an object is carved: the data decide."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch

from invrender.backends import select
from invrender.cameras.volume_rigs import volume_rig
from invrender.methods.transmittance.carving import carve
from invrender.methods.transmittance.ladder import HELD_OUT_MISFIT
from invrender.methods.transmittance.measurement import Measurement, Noise, measure
from invrender.methods.transmittance.method import planned
from invrender.methods.transmittance.rims import CUT, ENOUGH, RIM, Supports
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.methods.transmittance.task import Result
from invrender.nouns import Cameras, Volume
from invrender.render.absorption import optical_depth
from invrender.samples import VOLUMES
from invrender.samples.ellipsoids import FOUR, Ellipsoid, averaged, transmittances
from invrender.solve.loop import Loop
from invrender.solve.phase import Finished

KERNELS = select("cpu", needs=("volumes",))
VOLUME = averaged(FOUR, 32)


def rig(views: int = 20, size: int = 40) -> Cameras:
    return volume_rig(VOLUME, "orbit", views, (size, size))


def of_ellipsoids(cameras: Cameras) -> Measurement:
    """Views of what ends between the samples."""
    return measure(cameras, transmittances(FOUR, cameras), Noise())


def of_samples(cameras: Cameras) -> Measurement:
    """Views of what is linear between the samples."""
    return measure(cameras, torch.exp(-optical_depth(VOLUME, cameras, KERNELS)), Noise())


def solve(measurement: Measurement, volume: Volume = VOLUME, **settings: object) -> Result:
    wanted = TransmittanceSettings(Path(), **settings)  # type: ignore[arg-type]
    plan = planned(measurement, volume.shape, volume.bounds, wanted, KERNELS)
    loop = Loop(plan.following)
    for _ in loop:
        pass
    return plan.result(loop.state.finished)


def psnr(result: Result) -> float:
    truth = VOLUME.values[0]
    return 10 * math.log10(float(truth.max()) ** 2 / float((result.density - truth).double().square().mean()))


def support(measurement: Measurement, cells: float) -> torch.Tensor:
    return carve(measurement, VOLUME.shape, VOLUME.bounds, KERNELS.joseph_rays, cells)[0]


def test_a_rim_that_holds_a_part_of_the_object_is_kept() -> None:
    views = of_ellipsoids(rig())
    result = solve(views)
    assert not result.tight
    assert psnr(result) > 38.5
    assert float(result.density[~support(views, 0.0)].max()) > 0.1  # the tight support would have lost this


def test_an_empty_rim_is_carved() -> None:
    views = of_samples(rig())
    result = solve(views)
    assert result.tight
    assert psnr(result) > 42
    tight = support(views, 0.0)
    assert result.support == float(tight.double().mean())
    assert float(result.density[~tight].abs().max()) == 0


@pytest.mark.parametrize("settings", [{"smoothing": 1e-3}, {"iterations": 20}, {"solver": "sirt", "iterations": 20}])
def test_without_trials_that_are_long_enough_the_rim_is_kept(settings: dict[str, object]) -> None:
    assert not solve(of_samples(rig()), **settings).tight


def test_pixels_wider_than_cells_show_too_little_of_a_rim() -> None:
    assert not solve(of_samples(rig(size=20))).tight


def supports() -> Supports:
    return Supports(of_samples(rig()), VOLUME.shape, VOLUME.bounds, KERNELS, carves=True, chooses=True)


def tried(*rims: float, steps: int = ENOUGH, cut: float = 1.0) -> Sequence[Finished]:
    return [Finished("choose", steps, {}, {RIM: rim, CUT: cut, HELD_OUT_MISFIT: 1.0}) for rim in rims]


def test_a_rim_is_empty_where_it_fades_or_is_faint() -> None:
    decide = supports().empties
    assert decide(tried(0.1, 0.05))
    assert decide(tried(0.02, 0.02))
    assert not decide(tried(0.1, 0.095))  # it stays
    assert not decide(tried(0.4, 0.2))  # too much to fade away
    assert not decide(tried(0.1, 0.05, steps=ENOUGH - 1))
    assert not decide(tried(0.1))
    assert not decide(tried(0.02, 0.02, cut=1.1))  # the views miss it
    assert decide(tried(0.06, 0.03, cut=1.1))  # for now: it is still fading
    assert not decide(tried(0.06, 0.03, cut=1.5))


def test_a_faint_skin_is_kept_where_the_views_miss_it() -> None:
    skin = Ellipsoid((0.0, 0.0, 0.0), (0.78, 0.82, 0.8), 0.04)
    body = (Ellipsoid((0.0, 0.0, 0.0), (0.68, 0.72, 0.7), 1.0), Ellipsoid((0.2, 0.1, -0.1), (0.2, 0.3, 0.2), -0.5))
    truth, cameras = averaged((skin, *body), 32).values[0], rig(24)
    result = solve(measure(cameras, transmittances((skin, *body), cameras), Noise()))
    assert not result.tight
    error = float((result.density - truth).double().square().mean())
    assert 10 * math.log10(float(truth.max()) ** 2 / error) > 28  # on the tight support: 26


def test_later_trials_do_not_change_it() -> None:
    decide = supports().empties
    assert decide(tried(0.1, 0.05, 0.2, 0.2)) and not decide(tried(0.1, 0.095, 0.01, 0.001))


def test_a_grid_with_sharp_edges_is_found_from_its_own_exact_views() -> None:
    """The grid explains its edges, so nothing there is to be doubted: 28 dB where pixels beside edges weigh less."""
    truth = VOLUMES["shepp-logan"](32)
    cameras = volume_rig(truth, "sphere", 24, (48, 48))
    seen = torch.exp(-8 * optical_depth(truth, cameras, KERNELS))
    result = solve(measure(cameras, seen, Noise()), truth)
    assert result.tight
    error = float((result.density / 8 - truth.values[0]).double().square().mean())
    assert 10 * math.log10(float(truth.values.max()) ** 2 / error) > 33
