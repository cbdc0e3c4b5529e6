"""Windows on what is occupied, the cameras that see them, and an order of views that does not jump."""

from __future__ import annotations

import itertools

import pytest
import torch

from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import orbit
from invrender.cameras.windows import Window, calm_order, through, windows_on
from invrender.nouns import Cameras


def _ring(count: int, size: tuple[int, int] = (60, 80)) -> Cameras:
    projection = perspective(40.0, size, 0.1, 10.0).expand(count, 4, 4)
    return Cameras(look_at(3 * orbit(count, 15.0), (0.0, 0.0, 0.0)), projection, size)


def test_a_window_holds_what_is_occupied_in_the_picture_s_proportions() -> None:
    occupied = torch.zeros(2, 60, 80, dtype=torch.bool)
    occupied[0, 5:20, 50:70] = True
    occupied[1, 40:55, 10:20] = True
    found = windows_on(occupied)
    assert {(each.height, each.width) for each in found} == {(20, 26)}
    assert found[0].of(occupied[0]).sum() == occupied[0].sum()
    assert found[1].of(occupied[1]).sum() == occupied[1].sum()


@pytest.mark.parametrize("full", [True, False])
def test_all_of_a_picture_is_shown_where_it_is_full(full: bool) -> None:
    occupied = torch.full((1, 60, 80), full)
    occupied[0, 2, 2] = occupied[0, 57, 77] = True
    assert windows_on(occupied) == [Window(0, 0, 60, 80)]


def test_a_camera_sees_through_a_window_what_the_picture_shows_there() -> None:
    camera, window = _ring(1), Window(12, 30, 24, 32)
    part = through(camera, window, (48, 64))
    point = torch.tensor([0.1, -0.2, 0.3, 1.0], dtype=torch.float64)
    places = []
    for each in (camera, part):
        x, y, _, w = (each.clip_from_world[0] @ point).tolist()
        height, width = each.size
        places.append(((x / w + 1) / 2 * width, (1 - y / w) / 2 * height))
    (x, y), (within_x, within_y) = places
    assert (within_x, within_y) == pytest.approx((2 * (x - 30), 2 * (y - 12)))


def test_views_are_shown_in_a_round() -> None:
    mixed = [0, 7, 3, 10, 5, 1, 8, 2, 11, 4, 9, 6]
    order = calm_order(_ring(12)[mixed], 12)
    steps = [(mixed[after] - mixed[before]) % 12 for before, after in itertools.pairwise(order)]
    assert set(steps) in ({1}, {11})


def test_a_few_views_are_spread_around() -> None:
    chosen = sorted(calm_order(_ring(12), 4))
    assert chosen == [0, 3, 6, 9]
