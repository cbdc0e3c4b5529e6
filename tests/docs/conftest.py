"""A folder as a reader has it: the repository's data, and pictures of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from invrender.cli.app import run
from tests.docs.commands import ROOT

SMALL = {"SIZE": "40", "VIEWS": "6", "ITERATIONS": "3", "GIF_FRAMES": "2", "PRESET": "draft", "GIF_SIZE": "64"}

MADE = (
    f"reconstruct {ROOT / 'data' / 'mug.glb'} -o @/mug --method silhouette",
    "sample cloud -o @/cloud.npz --resolution 24",
)
"""What is in `outputs`, @/ standing for it; `draft` and `fine` are the mug's run once more."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with everything that the pages take for granted, and settings for haste."""
    for name in ("data", "examples", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("photos", "capture"):
        (tmp_path / name).symlink_to(ROOT / "data" / "vase_photos")
    monkeypatch.chdir(tmp_path)
    hasten(monkeypatch)
    return tmp_path


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that take seconds."""
    for name, value in SMALL.items():
        monkeypatch.setenv(f"INVRENDER_{name}", value)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What earlier commands may have left in `outputs/`."""
    folder = tmp_path_factory.mktemp("made") / "outputs"
    with pytest.MonkeyPatch.context() as patch:
        hasten(patch)
        for words in MADE:
            line = [str(folder / word[2:]) if word.startswith("@/") else word for word in words.split()]
            assert run([*line, "-q"]) == 0, words
    for name in ("draft", "fine"):
        shutil.copytree(folder / "mug", folder / name)
    return folder
