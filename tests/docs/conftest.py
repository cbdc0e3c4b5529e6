"""A folder as a reader has it: the repository's data, and pictures of their own."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from invrender.cli.app import run
from tests.docs.commands import ROOT

SMALL = {"SIZE": "40", "ITERATIONS": "3", "GIF_FRAMES": "2", "PRESET": "draft", "GIF_SIZE": "64"}

MUG = ROOT / "data" / "mug.glb"
JOBS = f"""
[defaults]
input = {str(MUG)!r}
views = 6
[[jobs]]
name = "mug"
[[jobs]]
name = "mug, from all sides"
cameras = "sphere"
"""
MADE = (
    ("reconstruct", str(MUG), "-o", "@mug", "--method", "silhouette", "--views", "6"),
    ("sample", "cloud", "-o", "@cloud.npz", "--resolution", "24"),
    ("dataset", "make", "--count", "8", "--size", "40", "-o", "@pairs"),
    ("dataset", "export", "@pairs", "--to", "npz", "-o", "@npz"),
    ("batch", "start", "@jobs.toml", "-o", "@batch"),
)
"""What is in `outputs`, for which @ stands; `draft` and `fine` are the mug's run once more."""


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, with everything that the pages take for granted, and settings for haste."""
    for name in ("data", "examples", "benchmarks"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("photos", "capture"):
        (tmp_path / name).symlink_to(ROOT / "data" / "vase_photos")
    (tmp_path / "scan.glb").symlink_to(ROOT / "data" / "mug.glb")
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
        folder.mkdir()
        (folder / "jobs.toml").write_text(JOBS, encoding="utf-8")
        for words in MADE:
            line = [str(folder / word[1:]) if word.startswith("@") else word for word in words]
            assert run([*line, "-q"]) == 0, words
    for name in ("draft", "fine"):
        shutil.copytree(folder / "mug", folder / name)
    return folder
