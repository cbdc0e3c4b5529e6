"""What a report holds of a film: frames that fit into it, and as long a film as there was."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from invrender.report.media import FRAMES, Filmed, excerpt, jpegs

SIDE = 400


def _frames(count: int, seed: int = 0) -> list[np.ndarray]:
    """Smooth pictures, each with a disc at another place."""
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    made = []
    for row, column in random.uniform(60, 340, (count, 2)):
        inside = (rows - row) ** 2 + (columns - column) ** 2 < 2500
        made.append(np.where(inside[..., None], [200, 60, 30], [240, 240, 235]).astype(np.uint8))
    return made


def _picture(address: str) -> np.ndarray:
    kind, _, data = address.partition(",")
    assert kind == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert("RGB"))


def test_frames_are_embedded_as_they_are_where_they_fit():
    frames = _frames(4)
    found = jpegs(Filmed(frames, 100), 10**7)
    assert len(found) == 4
    for frame, address in zip(frames, found, strict=True):
        assert np.abs(_picture(address).astype(int) - frame).mean() < 3


@pytest.mark.parametrize("share", [0.7, 0.4])
def test_frames_shrink_into_what_room_there_is(share):
    film = Filmed(_frames(6), 100)
    whole = sum(map(len, jpegs(film, 10**7)))
    found = jpegs(film, int(share * whole))
    assert len(found) == 6
    assert sum(map(len, found)) <= share * whole
    assert jpegs(film, 100) == []


def test_an_excerpt_ends_with_the_result_and_lasts_as_long():
    frames = [np.full((4, 4, 3), grey, np.uint8) for grey in range(3 * FRAMES)]
    found = excerpt(frames, 50.0)
    assert len(found.frames) == FRAMES
    assert (int(found.frames[0][0, 0, 0]), int(found.frames[-1][0, 0, 0])) == (0, 3 * FRAMES - 1)
    assert found.pause * FRAMES == pytest.approx(50 * 3 * FRAMES, rel=0.01)
