"""GIFs of our own writing are read by Pillow as they were drawn."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageSequence

from invrender.io.gif import write_gif


def frames_of(path):
    with Image.open(path) as film:
        return [np.asarray(each.convert("RGB")) for each in ImageSequence.Iterator(film)]


@pytest.mark.parametrize("size", [(1, 1), (7, 301), (64, 1)])
def test_pictures_of_few_colours_come_back_exactly(tmp_path, size):
    random = np.random.default_rng(0)
    colours = random.integers(0, 64, (40, 3)).astype(np.uint8) * 4
    frames = [colours[random.integers(0, 40, size)] for _ in range(5)]
    frames.insert(2, frames[1])  # one that changes nothing
    write_gif(tmp_path / "film.gif", frames)
    found = frames_of(tmp_path / "film.gif")
    shown = [frame for k, frame in enumerate(frames) if k == 0 or len(found) == len(frames) or k != 2]
    assert len(found) == len(shown)
    for one, other in zip(found, shown, strict=True):
        np.testing.assert_array_equal(one, other)


def test_noise_needs_more_codes_than_a_table_holds(tmp_path):
    frames = [np.random.default_rng(k).integers(0, 256, (90, 120, 1)).astype(np.uint8).repeat(3, 2) for k in range(3)]
    write_gif(tmp_path / "noise.gif", frames)
    for one, other in zip(frames_of(tmp_path / "noise.gif"), frames, strict=True):
        assert np.abs(one.astype(int) - other).max() <= 4
