"""Turning volumes are drawn with the pixels that their samples can show, and shown with as many as are asked for."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.nouns import TransferFunction, Volume
from invrender.render.emission import VolumeStyle
from invrender.run.volume_turn import FRAMES, LEAST, around, drawn_side, turned


@pytest.mark.parametrize(
    ("samples", "side", "drawn"), [(8, 256, LEAST), (8, 64, 64), (96, 256, 144), (96, 128, 128), (500, 256, 256)]
)
def test_pixels_grow_with_samples_up_to_what_is_shown(samples: float, side: int, drawn: int) -> None:
    assert drawn_side(samples, side) == drawn


def test_a_coarse_volume_is_drawn_small_and_shown_large() -> None:
    axis = torch.linspace(-1, 1, 12)
    values = torch.exp(-3 * (axis[:, None, None] ** 2 + axis[:, None] ** 2 + axis**2))[None]
    volume = Volume(values, torch.tensor([[-1.0, -1, -1], [1, 1, 1]]))
    ramp = torch.linspace(0, 1, 8)
    style = VolumeStyle(TransferFunction(ramp[:, None].expand(-1, 3).contiguous(), 4 * ramp, 0.0, 1.0), None)
    backend = select("cpu")
    cameras = around(volume, style, 200)
    assert (len(cameras), cameras.size) == (FRAMES, (LEAST, LEAST))
    (picture,) = turned(volume, style, cameras[[0]], 200, backend)
    assert picture.shape == (200, 200, 3)
    assert picture[100, 100].mean() > picture[4, 4].mean()
    smooth = np.abs(np.diff(picture[100].astype(int), axis=0)).max()
    assert smooth < 40  # enlarged without steps
