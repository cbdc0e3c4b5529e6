"""Transfer functions as files and pictures: what is read is what was written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.errors import InputError
from invrender.nouns.transfer import TransferFunction
from invrender.render.looks import LOOKS, look_of
from invrender.render.transfer_file import read_transfer, transfer_texts, write_transfer
from invrender.render.transfer_picture import draw_transfer
from invrender.samples import VOLUMES


@pytest.mark.parametrize("name", LOOKS)
def test_a_look_comes_back(tmp_path: Path, name: str) -> None:
    transfer = look_of(VOLUMES["cloud"](24), name).transfer
    write_transfer(tmp_path / "transfer.json", transfer)
    for place in (tmp_path, tmp_path / "transfer.json"):  # a run's folder, and the file
        found = read_transfer(place)
        assert (found.low, found.high) == pytest.approx((transfer.low, transfer.high), rel=1e-8)
        assert float((found.opacity - transfer.opacity).abs().max()) < 4e-3
        assert float((found.colours - transfer.colours).abs().max()) < 0.02


def test_straight_lines_take_two_points() -> None:
    line = TransferFunction(torch.zeros(256, 3), torch.linspace(0, 0.5, 256), -1.0, 3.0)
    assert transfer_texts(line) == {"window": "-1,3", "colormap": "0:#000000,1:#000000", "opacity": "0:0,1:0.5"}


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("{", "no transfer function"),
        ('{"window": "0,1"}', "no 'colormap'"),
        ('{"window": "1,0", "colormap": "gray", "opacity": "linear"}', "empty"),
        ('{"window": "0,1", "colormap": "grey day", "opacity": "linear"}', "no colormap"),
        ('{"window": 5, "colormap": "gray", "opacity": "linear"}', "no transfer function"),
        ("[]", "no transfer function"),
    ],
)
def test_damaged_files_are_told(tmp_path: Path, text: str, word: str) -> None:
    (tmp_path / "t.json").write_text(text)
    with pytest.raises(InputError) as caught:
        read_transfer(tmp_path / "t.json")
    assert word in caught.value.cause
    with pytest.raises(InputError, match=r"holds no transfer\.json"):
        read_transfer(tmp_path)
    with pytest.raises(InputError, match="no file"):
        read_transfer(tmp_path / "other.json")


def test_the_picture_shows_curve_colours_and_histogram() -> None:
    volume = VOLUMES["volume-sphere"](24)
    transfer = TransferFunction(torch.tensor([[1.0, 0, 0], [0.0, 0, 1]]), torch.tensor([0.0, 1.0]), -1.0, 2.0)
    bare, full = draw_transfer(transfer, None, (180, 320)), draw_transfer(transfer, volume, (180, 320))
    assert bare.shape == full.shape == (180, 320, 3)
    bar = bare[142:150].mean(0)
    red, blue = bar[40], bar[300]
    assert (red[0] > 150, red[2] < 60, blue[2] > 150, blue[0] < 60) == (True,) * 4
    differ = np.abs(bare.astype(int) - full.astype(int)).sum((0, 2)).astype(bool)  # columns with bars
    left, right = 0.1 * 320, 0.97 * 320
    columns = (np.flatnonzero(differ) - left) / (right - left) * 3 - 1
    assert np.abs(columns - 0).min() < 0.1 > np.abs(columns - 1).min()  # the samples of air and of the ball
