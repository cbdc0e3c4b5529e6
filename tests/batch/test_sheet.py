"""The pictures of a batch on one sheet."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from invrender.batch import sheet
from invrender.batch.collect import collect
from tests.batch.conftest import folder_of


def test_the_sheet_shows_every_job(batch: Path) -> None:
    (written,) = collect(batch).sheets
    with Image.open(written) as image:
        pixels = np.asarray(image.convert("RGB")).astype(int)
    across = (pixels.shape[1] - 2 * sheet.MARGIN + sheet.GAP) // (sheet.WIDTH + sheet.GAP)
    tiles = []
    for number in range(5):
        left = sheet.MARGIN + number % across * (sheet.WIDTH + sheet.GAP)
        top = sheet.TOP + number // across * (sheet.ROOM + sheet.GAP)
        tiles.append(pixels[top : top + sheet.PICTURE, left : left + sheet.WIDTH])
    assert all(tile[4:-4, 4:-4].std() > 2 for tile in tiles)  # not blank
    assert [tuple(tile[0, 0]) for tile in tiles] == [sheet.EDGE, sheet.EDGE, sheet.RED, sheet.EDGE, sheet.EDGE]
    with Image.open(folder_of(batch, "four") / "progress.gif") as film:
        film.seek(film.n_frames - 1)
        drawn = film.convert("RGB")
    drawn.thumbnail((sheet.WIDTH, sheet.PICTURE), Image.Resampling.LANCZOS)
    row = (sheet.PICTURE - drawn.height) // 2
    shown = tiles[0][row : row + drawn.height, : drawn.width]
    assert abs(shown - np.asarray(drawn).astype(int))[2:-2, 2:-2].mean() < 3


def test_sheets_are_split_into_pages(batch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST", 2)
    assert [path.name for path in collect(batch).sheets] == ["results.png", "results-2.png", "results-3.png"]
    monkeypatch.setattr(sheet, "MOST", 3)
    assert [path.name for path in collect(batch).sheets] == ["results.png", "results-2.png"]
    assert not (batch / "results-3.png").exists()  # of the call before
