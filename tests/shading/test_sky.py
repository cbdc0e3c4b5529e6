"""Clear skies: limits that are known, quadrature by another method, and what they look like."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import quad

from invrender.errors import InputError
from invrender.shading import sky as model
from invrender.shading.lat_long import picture_directions
from invrender.shading.sky import Sky, radiance, sky_picture, sun_and_sky, sunlight

NOON = Sky((0, 1, 0), 1.0)


def lost(height: float, sky: Sky, band: int) -> tuple[float, float, float]:
    """Scattering of air and of haze, and extinction, per km."""
    air = model.AIR[band] * math.exp(-height / model.AIR_HEIGHT)
    dim = (sky.turbidity - 1) * model.AIR[1] * model.AIR_HEIGHT / model.HAZE_HEIGHT
    dim *= math.exp(-height / model.HAZE_HEIGHT)
    ozone = model.OZONE[band] * max(0, 1 - abs(height - model.OZONE_HEIGHT) / model.OZONE_HALF)
    return air, model.HAZE_ALBEDO * dim, air + dim + ozone


def depth(low: float, high: float, sky: Sky, band: int) -> float:
    return quad(lambda h: lost(h, sky, band)[2], low, high, points=[10, 25, 40], limit=200)[0]


@pytest.mark.parametrize("band", range(3))
def test_the_sun_overhead_is_dimmed_by_the_vertical_optical_depth(band):
    for sky in (NOON, replace(NOON, turbidity=4.0)):
        expected = sky.sunlight * math.exp(-depth(model.EYE, 100, sky, band))
        assert float(sunlight(sky)[band]) == pytest.approx(expected, rel=2e-4)


def test_turbidity_is_the_ratio_of_optical_depths():
    clear, hazy = (-torch.log(sunlight(replace(NOON, turbidity=t)) / NOON.sunlight)[1] for t in (1.0, 3.0))
    air = model.AIR[1] * model.AIR_HEIGHT
    assert float(hazy - clear) == pytest.approx(2 * air * math.exp(-model.EYE / model.HAZE_HEIGHT), rel=2e-3)


def test_the_zenith_under_a_sun_overhead_is_what_quadrature_gives():
    sky = replace(NOON, turbidity=2.0)
    found = radiance(torch.tensor([[0.0, 1.0, 0.0]], dtype=torch.float64), sky, often=False)[0]
    forward = 3 / (8 * math.pi)
    g = model.HAZE_G
    haze_forward = 3 / (8 * math.pi) * (1 - g * g) * 2 / (2 + g * g) / (1 - g) ** 3
    for band in range(3):
        whole = depth(model.EYE, 100, sky, band)  # light comes down and goes on down: T is the same everywhere
        once = quad(lambda h: lost(h, sky, band)[0] * forward + lost(h, sky, band)[1] * haze_forward, model.EYE, 100)[0]  # noqa: B023
        assert float(found[band]) == pytest.approx(sky.sunlight * math.exp(-whole) * once, rel=5e-3)


def test_light_of_many_scatterings_is_a_part_of_the_sky():
    directions = picture_directions((8, 8))[:3].reshape(-1, 3)
    once, often = (radiance(directions, Sky(), each) for each in (False, True))
    share = float(often.mean() / once.mean())
    assert 1.1 < share < 2.5


def test_the_sky_is_blue_and_paler_towards_the_horizon_and_the_low_sun_red():
    picture = sky_picture(replace(Sky(), size=(16, 32)))
    assert picture.shape == (16, 32, 3)
    assert bool((picture > 0).all())
    zenith, horizon = picture[0].mean(0), picture[7].mean(0)
    assert zenith[2] > 1.3 * zenith[0]
    assert horizon[2] / horizon[0] < zenith[2] / zenith[0]
    assert float(horizon.mean()) > float(zenith.mean())
    brightest = int(picture.sum(-1).argmax())
    towards = picture_directions((16, 32)).reshape(-1, 3)[brightest]
    assert float(towards @ torch.tensor(Sky().sun, dtype=torch.float64)) > 0.95 * np.linalg.norm(Sky().sun)
    low = sunlight(Sky((1, 0.05, 0)))
    assert float(low[0]) > 3 * float(low[2])


def test_sun_and_sky_belong_together():
    environment, sun = sun_and_sky(Sky((1, 2, 3), size=(4, 8)))
    assert environment.picture is not None and environment.picture.shape == (4, 8, 3)
    assert sun.direction == (1, 2, 3)
    torch.testing.assert_close(torch.as_tensor(sun.intensity, dtype=torch.float64), sunlight(Sky((1, 2, 3))))


@pytest.mark.parametrize(("sun", "turbidity"), [((0, -1, 0), 2), ((0, 0, 0), 2), ((0, 1, 0), 0.9), ((0, 1, 0), 1e9)])
def test_what_cannot_be_is_refused(sun, turbidity):
    with pytest.raises(InputError):
        Sky(sun, turbidity)
