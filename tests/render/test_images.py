"""What tensors become in image files."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.colour import linear_to_srgb
from invrender.render.images import contact_sheet, depth_picture, stored_as_is, to_bytes


def test_bytes_are_srgb_and_clipped():
    assert to_bytes(torch.tensor([-1.0, 0.0, 0.2140, 1.0, 7.0])).tolist() == [0, 0, 127, 255, 255]


def test_values_that_are_no_colours_survive_an_srgb_writer():
    values = torch.linspace(0, 1, 11).double()
    assert linear_to_srgb(stored_as_is(values).numpy()).tolist() == pytest.approx(values.tolist())


def test_near_is_white_far_is_dark_and_nothing_is_black():
    grey, near, far = depth_picture(torch.tensor([2.0, 3.0, 4.0, math.inf]))
    assert (near, far) == (2.0, 4.0)
    assert grey.tolist() == pytest.approx([1.0, 0.575, 0.15, 0.0])
    assert depth_picture(torch.tensor([2.0, 2.000001, math.inf]))[0].tolist() == [1.0, 1.0, 0.0]
    empty, near, _ = depth_picture(torch.full((2, 2), math.inf))
    assert empty.sum() == 0
    assert math.isnan(near)


def test_a_sheet_fills_rows_from_the_left():
    sheet = contact_sheet(torch.arange(5.0)[:, None, None, None].expand(-1, 2, 3, 1))
    assert sheet.shape == (4, 9, 1)
    assert sheet[::2, ::3, 0].tolist() == [[0, 1, 2], [3, 4, 0]]
