"""Cameras of bare photographs are found once, and anew where the photographs or the wishes changed."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from invrender.poses import bare
from invrender.poses.bare import dataset_beside, posed
from invrender.poses.dataset import REPORT
from invrender.poses.options import PoseOptions


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Three pictures in `photos`; each search for cameras is replaced by a record, and noted with its overwriting."""
    for name in "abc":
        add(tmp_path, name)
    made: list[bool] = []

    def find(source: Path, place: Path, options: PoseOptions, *, overwrite: bool, say: Any) -> None:
        made.append(overwrite)
        place.mkdir(exist_ok=True)
        names = sorted(path.name for path in source.iterdir())
        (place / "transforms.json").write_text(json.dumps({"frames": []}))
        record = {"placed": names[:2], "unplaced": dict.fromkeys(names[2:], "blurred"), "options": asdict(options)}
        (place / REPORT).write_text(json.dumps(record))

    monkeypatch.setattr(bare, "find_poses", find)
    return made


def add(folder: Path, name: str) -> None:
    (folder / "photos").mkdir(exist_ok=True)
    Image.fromarray(np.full((8, 8, 3), 90, np.uint8)).save(folder / "photos" / f"{name}.png")


def ask(folder: Path, options: PoseOptions | None = None, again: bool = False) -> list[str]:
    """What is said."""
    said: list[str] = []
    place, _ = posed(folder / "photos", folder / "out", options or PoseOptions(), again=again, say=said.append)
    assert place == dataset_beside(folder / "out") == folder / "out.dataset"
    return said


def test_the_same_photographs_are_posed_once(calls: list[bool], tmp_path: Path) -> None:
    assert ask(tmp_path) == []
    (said,) = ask(tmp_path)
    assert "--fresh" in said
    assert calls == [False]


def test_they_are_posed_anew_on_demand_and_for_other_wishes(calls: list[bool], tmp_path: Path) -> None:
    ask(tmp_path)
    ask(tmp_path, again=True)
    ask(tmp_path, PoseOptions(scale=2.0))
    assert calls == [False, True, True]


def test_they_are_posed_anew_where_one_was_added_or_changed(calls: list[bool], tmp_path: Path) -> None:
    ask(tmp_path)
    add(tmp_path, "d")
    ask(tmp_path)
    later = (tmp_path / "out.dataset" / REPORT).stat().st_mtime + 10
    os.utime(tmp_path / "photos" / "a.png", (later, later))
    ask(tmp_path)
    assert calls == [False, True, True]


def test_a_damaged_record_is_no_reason_to_go_on(calls: list[bool], tmp_path: Path) -> None:
    ask(tmp_path)
    (tmp_path / "out.dataset" / REPORT).write_text("{")
    ask(tmp_path)
    assert len(calls) == 2
