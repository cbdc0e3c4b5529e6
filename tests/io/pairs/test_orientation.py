"""Which way the axes of somebody's voxels go is found out from their pictures, or left open."""

from __future__ import annotations

import numpy as np
import pytest

from invrender.errors import UsageError
from invrender.io.pairs.axes import EVERY, ORIGINAL, OURS, checked_axes, from_ours, to_ours
from invrender.io.pairs.orientation import best_axes, resized
from tests.io.pairs.made import picture, samples, solid


def test_every_one_of_48_ways_is_found() -> None:
    solids, pictures = samples(4)
    for axes in EVERY:
        fit = best_axes(list(from_ours(solids, axes)), list(pictures))
        assert (fit.axes, fit.clear) == (axes, True)


def test_pictures_of_something_else_and_balls_leave_it_open() -> None:
    random = np.random.default_rng(1)
    for count in (1, 4, 16):
        solids = [solid(random) for _ in range(count)]
        assert not best_axes(solids, [picture(solid(random)) for _ in solids]).clear
    balls = [solid(random, balls=1) for _ in range(8)]
    centred = [np.roll(ball, 16 - np.argwhere(ball).mean(0).round().astype(int), (0, 1, 2)) for ball in balls]
    assert not best_axes(centred, [picture(ball) for ball in centred]).clear
    empty = [np.zeros((8, 8, 8))] * 3
    assert not best_axes(empty, [np.zeros((8, 8))] * 3).clear


def test_axes_go_to_ours_and_back() -> None:
    z_down, y_down, x_right = np.meshgrid(*(np.arange(n) for n in (2, 3, 4)), indexing="ij")
    theirs = np.empty((4, 3, 2), int)  # x right, y up, z towards the camera
    for depth, row, column in np.ndindex(2, 3, 4):
        theirs[column, 2 - row, 1 - depth] = 100 * depth + 10 * row + column
    assert np.array_equal(to_ours(theirs, ORIGINAL), 100 * z_down + 10 * y_down + x_right)
    assert to_ours(theirs[..., ::-1], OURS).shape == (4, 3, 2)
    for axes in EVERY:
        assert np.array_equal(from_ours(to_ours(theirs[None], axes), axes), theirs[None])


@pytest.mark.parametrize(("text", "axes"), [("+x+y+z", "+x+y+z"), ("x, -y, z", "+x-y+z"), ("-Z-y+X", "-z-y+x")])
def test_axes_are_understood(text: str, axes: str) -> None:
    assert checked_axes(text) == axes


@pytest.mark.parametrize("text", ["", "xyy", "xy", "x+y+zz", "right up near", "--x+y+z", "+x+y+z+"])
def test_what_are_no_axes_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="--axes"):
        checked_axes(text)


def test_cells_are_averaged() -> None:
    values = np.arange(10.0)[None].repeat(6, 0)
    assert resized(values, (3, 4)).tolist() == [[0.5, 3, 5.5, 8]] * 3
    assert resized(values[:, :2], (1, 4)).tolist() == [[0, 0, 1, 1]]
