"""The examples that reconstruct something run as they stand in the repository, on tiny inputs, and find it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_ply
from invrender.io.volumes.write import write_volume
from invrender.methods.silhouette import settings as silhouette
from invrender.methods.transmittance import settings as transmittance
from invrender.methods.volume_colour import settings as volume_colour
from invrender.samples import SAMPLES, VOLUMES
from tests.examples.conftest import Example


@pytest.fixture(autouse=True)
def _hasty_drafts(monkeypatch: pytest.MonkeyPatch) -> None:
    for presets, iterations in ((silhouette.PRESETS, 24), (transmittance.PRESETS, 20), (volume_colour.PRESETS, 40)):
        monkeypatch.setitem(presets, "draft", {**presets["draft"], "iterations": iterations, "gif_frames": 3})


@pytest.fixture
def ball(tmp_path: Path) -> Path:
    write_volume(tmp_path / "ball.npz", VOLUMES["double-sphere"](16))
    return tmp_path / "ball.npz"


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+\.\d+", text)]


def test_silhouettes(example: Example, tmp_path: Path) -> None:
    write_ply(tmp_path / "ball.ply", SAMPLES["sphere"]())
    assert numbers(example("silhouettes", "ball.ply", "run"))[-1] > 0.97
    assert (tmp_path / "run" / "progress.gif").is_file()


def test_transmittance(example: Example, ball: Path, tmp_path: Path) -> None:
    assert numbers(example("transmittance", ball, "run"))[-1] > 25
    assert (tmp_path / "run" / "volume.vti").is_file()


def test_colours(example: Example, ball: Path, tmp_path: Path) -> None:
    assert all(psnr > 25 for psnr in numbers(example("colours", ball, "run")))
    assert (tmp_path / "run" / "volume" / "volume.npz").is_file()
    assert (tmp_path / "run" / "transfer" / "transfer.json").is_file()


def test_from_python(example: Example, tmp_path: Path) -> None:
    write_ply(tmp_path / "ball.ply", SAMPLES["sphere"]())
    out = example("from_python", "ball.ply", "out.ply")
    assert [line.split()[1] for line in out.splitlines()[:-1]] == ["0/240", "60/240", "120/240", "180/240"]
    assert numbers(out)[-1] > 0.97
    assert len(read_mesh(tmp_path / "out.ply").faces) > 500
