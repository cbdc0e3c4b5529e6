"""The pictures of a batch on one sheet."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from invrender.batch.collection import sheet
from invrender.batch.collection.collect import collect
from invrender.batch.collection.thumbnails import thumbnail
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
    assert abs(shown - np.asarray(drawn).astype(int))[2:-2, 2:-2].mean() < 3  # a ball, from any side


def side_by_side(wide: int, tint: int) -> Image.Image:
    """A target, and beside it an object so many pixels wide."""
    picture = Image.new("L", (82, 40), 240)
    picture.paste(20, (5, 5, 35, 35))
    picture.paste(tint, (45, 5, 45 + wide, 35))
    return picture.convert("RGB")


def test_a_turn_at_the_end_is_shown_from_where_it_is_widest(tmp_path: Path) -> None:
    turn = [side_by_side(wide, tint) for wide, tint in ((10, 60), (24, 90), (12, 120))]
    begun = [side_by_side(30, 150), side_by_side(34, 180)]  # no results yet
    begun[0].save(tmp_path / "progress.gif", save_all=True, append_images=[*begun[1:], *turn])
    turn[0].save(tmp_path / "turntable.gif", save_all=True, append_images=turn[1:])
    with Image.open(io.BytesIO(thumbnail(tmp_path).data)) as shown:
        assert abs(int(np.asarray(shown.convert("L"))[20, 50]) - 90) < 12


def test_a_film_without_a_turn_ends_with_the_result(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (40, 20), (90 * number, 0, 0)) for number in range(3)]
    for name in ("progress.gif", "turntable.gif"):
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with Image.open(io.BytesIO(thumbnail(tmp_path).data)) as shown:
            assert abs(np.asarray(shown)[..., 0].astype(int) - 180).max() < 12


def test_of_a_torn_film_the_last_whole_frame_is_shown(tmp_path: Path) -> None:
    noise = np.random.default_rng(0)
    frames = [Image.fromarray(noise.integers(60 * k, 60 * k + 9, (30, 40), np.uint8)) for k in range(4)]
    path = tmp_path / "progress.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    path.write_bytes(path.read_bytes()[:-400])
    found = thumbnail(tmp_path)
    with Image.open(io.BytesIO(found.data)) as shown:
        assert abs(np.asarray(shown.convert("L")).mean() - 124) < 5
    assert found.trouble == "progress.gif is damaged"


def test_sheets_are_split_into_pages(batch: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheet, "MOST", 2)
    assert [path.name for path in collect(batch).sheets] == ["results.png", "results-2.png", "results-3.png"]
    monkeypatch.setattr(sheet, "MOST", 3)
    assert [path.name for path in collect(batch).sheets] == ["results.png", "results-2.png"]
    assert not (batch / "results-3.png").exists()  # of the call before
