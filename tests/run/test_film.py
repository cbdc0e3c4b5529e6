"""Shots of a film: drawn evenly, kept small, shown as the current picture while a run goes on, and gone on with."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from invrender.run.film import Ending, Film, Moment, Reel, film_files, pack_shots, unpack_shots
from invrender.run.folder import RunFolder
from invrender.run.shots import unpacked


class _Phase:
    title = "refine"


def _step(index: int, total: int) -> Any:
    class One:
        phase, terms, estimate = _Phase, {"iou": 0.5}, index

    One.index, One.total = index, total
    return One


def _film(drawn: list[Moment], **more: Any) -> Film:
    def draw(estimate: int, now: Moment) -> np.ndarray:
        drawn.append(now)
        return np.full((20, 30, 3), 10 * estimate, np.uint8)

    last = [np.full((20, 30, 3), grey, np.uint8) for grey in (240, 250)]
    return Film(4, draw, lambda result, number: Ending(last, last[:1]), 10.0, **more)


def _frames(path: Path) -> list[tuple[int, int]]:
    """The grey of each picture and how long it stays, in milliseconds."""
    with Image.open(path) as film:
        found = []
        for number in range(film.n_frames):
            film.seek(number)
            found.append((film.convert("RGB").getpixel((5, 5))[0], film.info["duration"]))
        return found


def test_a_run_shows_its_latest_picture_and_ends_with_a_film(tmp_path: Path) -> None:
    drawn: list[Moment] = []
    with RunFolder.create(tmp_path / "run", command="reconstruct") as run:
        reel = Reel(_film(drawn, opening=0), run)
        for index in range(8):
            reel.step(_step(index, 8))
            with Image.open(run.path / "current.png") as current:
                assert current.size == (30, 20)
        assert [(now.number, now.step, now.total) for now in drawn] == [
            (0, 0, 0),
            (1, 2, 8),
            (2, 4, 8),
            (3, 6, 8),
            (4, 8, 8),
        ]
        assert sum(shot.bytes().nbytes for shot in reel.shots.all) < 1000  # of 9000 bytes
        reel.write(None)
    assert not (tmp_path / "run" / "current.png").exists()
    assert "current.png" not in run.record.files
    *film, (_, stays) = _frames(tmp_path / "run" / "progress.gif")
    assert [abs(grey - given) <= 2 for (grey, _), given in zip(film, (0, 10, 30, 50, 70, 240), strict=True)] == [
        True
    ] * 6
    assert {time for _, time in film} == {100} and stays == 2100


def test_shots_survive_a_checkpoint_and_are_shown_again(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", command="reconstruct") as run:
        reel = Reel(_film([]), run)
        for index in range(8):
            reel.step(_step(index, 8))
        again = unpack_shots({"other.1": np.zeros(3), **pack_shots(reel.shots)})
        assert [unpacked(shot)[0, 0, 0] for shot in again] == [10, 30, 50, 70]
        (run.path / "current.png").unlink()
        assert [shot.bytes() is given for shot, given in zip(Reel(_film([]), run, again).shots.all, again, strict=True)]
        assert (run.path / "current.png").is_file()


def test_films_are_written_as_mp4_where_asked(tmp_path: Path) -> None:
    av = pytest.importorskip("av")
    with RunFolder.create(tmp_path / "run", command="reconstruct") as run:
        reel = Reel(_film([], video=True), run)
        reel.step(_step(7, 8))
        reel.write(None)
    assert set(film_files(4, "mp4", turning=True)) <= {path.name for path in (tmp_path / "run").iterdir()}
    with av.open(str(tmp_path / "run" / "progress.mp4")) as container:
        assert len(list(container.decode(video=0))) == 3 + 20  # the last one stays for two seconds


@pytest.mark.parametrize("several", [False, True])
def test_pictures_are_drawn_aside_unless_several_ranks_work(tmp_path: Path, monkeypatch: Any, several: bool) -> None:
    """Ranks are called by one thread: two would mix their calls."""
    monkeypatch.setattr("invrender.run.film.are_several", lambda: several)
    threads = []

    def draw(estimate: int, now: Moment) -> np.ndarray:
        threads.append(threading.get_ident())
        return np.zeros((20, 30, 3), np.uint8)

    film = Film(4, draw, lambda result, number: Ending([np.zeros((20, 30, 3), np.uint8)]), 10.0, aside=True)
    with RunFolder.create(tmp_path / "run", command="reconstruct") as run:
        reel = Reel(film, run)
        for index in range(4):
            reel.step(_step(index, 4))
        reel.write(None)
    assert len(threads) == 4
    assert all((thread == threading.get_ident()) == several for thread in threads)


def test_no_film_leaves_nothing(tmp_path: Path) -> None:
    with RunFolder.create(tmp_path / "run", command="reconstruct") as run:
        reel = Reel(None, run)
        reel.step(_step(7, 8))
        reel.write(None)
    assert not list((tmp_path / "run").glob("*.gif")) and not (tmp_path / "run" / "current.png").exists()
    assert film_files(0, None, turning=True) == ()
