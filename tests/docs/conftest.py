"""A folder as a reader has it: the repository's data, and pictures of their own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.commands import ROOT

SMALL = {"SIZE": "40", "VIEWS": "6", "ITERATIONS": "3", "GIF_FRAMES": "2", "PRESET": "draft", "GIF_SIZE": "64"}


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with everything that the pages take for granted, and settings for haste."""
    for name in ("data", "examples", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("photos", "capture"):
        (tmp_path / name).symlink_to(ROOT / "data" / "vase_photos")
    monkeypatch.chdir(tmp_path)
    for name, value in SMALL.items():
        monkeypatch.setenv(f"INVRENDER_{name}", value)
    return tmp_path
