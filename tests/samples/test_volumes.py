"""Sample volumes: finite densities in the unit frame, the same every time, each with the shape its name promises."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.ndimage import label

from invrender.samples import VOLUMES, describe
from invrender.samples.solids import blobs, turbulence

DENSITIES = [name for name in VOLUMES if name != "head"]


@pytest.mark.parametrize("name", DENSITIES)
def test_densities_are_finite_and_stay_off_the_border(name):
    volume = VOLUMES[name](32)
    values = volume.values[0].numpy()
    assert values.shape == (32, 32, 32)
    assert np.array_equal(volume.bounds, [[-0.5] * 3, [0.5] * 3])
    assert np.isfinite(values).all()
    assert values.min() == 0
    assert 0.4 < values.max() < 4
    border = values.copy()
    border[1:-1, 1:-1, 1:-1] = 0
    assert border.max() < 0.02 * values.max()
    assert np.array_equal(values, VOLUMES[name](32).values[0].numpy())
    assert describe(name).endswith(".")


@pytest.mark.parametrize(
    ("name", "bodies", "holes"), [("volume-torus", 1, 1), ("double-sphere", 2, 1), ("helix", 1, 1)]
)
def test_the_shapes_have_their_parts(name, bodies, holes):
    solid = VOLUMES[name](64).values[0].numpy() > 0.12
    assert label(solid)[1] == bodies
    assert (label(~solid)[1] - 1 >= holes) == (name == "double-sphere")  # only the shell encloses air


def test_the_phantom_has_the_grey_of_its_brain():
    head = VOLUMES["shepp-logan"](64).values[0].numpy()
    assert abs(float(np.median(head[head > 0.05])) - 0.2) < 1e-6
    assert head.max() == 1


def test_solids_have_their_volume():
    for name, expected in (("volume-sphere", 4 / 3 * np.pi * 0.7**3 / 8), ("volume-cube", 0.55**3)):
        values = VOLUMES[name](64).values[0].double().numpy()
        weights = np.ones(64)
        weights[[0, -1]] = 0.5  # of the trapezoidal rule over the grid's box
        share = np.einsum("zyx,z,y,x->", values, weights, weights, weights) / 63**3
        assert abs(share / expected - 1) < 0.005, name


def test_blobs_are_random_but_of_a_seed():
    one, same, other = blobs(24), blobs(24, seed=11), blobs(24, seed=12)
    assert np.array_equal(one.values, same.values)
    assert not np.array_equal(one.values, other.values)
    assert label(one.values[0].numpy() > 0.2)[1] > 1


def test_turbulence_has_fine_creases_where_noise_changes_its_sign():
    values = turbulence(64).values[0].numpy()
    inside = values[20:44, 20:44, 20:44]
    slopes = np.abs(np.diff(inside, axis=2))
    assert inside.std() > 0.1
    assert np.percentile(slopes, 99) > 4 * np.median(slopes)  # steep beside creases, gentle elsewhere


def test_the_complex_has_its_four_densities_from_inside_out():
    values = VOLUMES["complex"](96).values[0].numpy()
    middle = 48
    along = values[middle, middle, middle:]
    assert along[0] == 1
    assert along[round(0.45 * 47.5)] == pytest.approx(0.7, abs=0.01)  # through the rings
    assert along[round(0.88 * 47.5)] == pytest.approx(0.15, abs=0.01)  # and the shell
    corner = [middle + round(0.47 * 47.5)] * 2
    assert values[middle, corner[0], corner[1]] == pytest.approx(0.5, abs=0.02)  # a rod of the cage


def test_a_ray_into_the_head_meets_its_layers_in_order():
    values = VOLUMES["head"](128).values[0].numpy()
    z, y = round(127 * 0.45), round(127 * 0.65)
    ray = values[z, y, :64]  # from the right ear's side to the middle of the brain
    air, scalp, bone = (ray < -900), (ray > -300) & (ray < 150), ray > 600
    first = [int(np.flatnonzero(layer)[0]) for layer in (air, scalp, bone)]
    assert first == sorted(first)
    inner = int(np.flatnonzero(bone)[-1])
    brain = ray[inner + 4 : 60]
    assert brain.min() >= 7.5  # liquor
    assert brain.max() < 45
    assert (brain > 38).any()  # cortex
    assert (np.abs(brain - 28) < 2).any()  # white matter
    assert VOLUMES["head"](64).name == "ct"
    assert values.min() == pytest.approx(-1000)
    assert values.max() > 1500  # teeth


def test_the_head_has_two_ventricles_apart():
    values = VOLUMES["head"](128).values[0].numpy()
    row = values[58, round(127 * 0.6), 50:78]
    liquor = np.abs(row - 8) < 4
    assert label(liquor)[1] >= 2
