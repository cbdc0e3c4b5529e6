"""The examples run as they stand in the repository, and find what they look for."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

ROOT = Path(__file__).parents[1]
MUG = str(ROOT / "data" / "mug.glb")

Example = Callable[..., str]


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> Example:
    """Run examples/NAME.py with arguments, in a folder of its own; returns what it printed."""

    def run(name: str, *arguments: object) -> str:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        runpy.run_path(str(ROOT / "examples" / f"{name}.py"), run_name="__main__")
        return capsys.readouterr().out

    return run


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_render_mesh(example: Example, tmp_path: Path) -> None:
    example("render_mesh", MUG, "mug.png")
    assert size(tmp_path / "mug.png") == (256, 256)


def test_volume_picture(example: Example, tmp_path: Path) -> None:
    example("volume_picture", "cloud", "cloud.png")
    assert size(tmp_path / "cloud.png") == (192, 96)


def test_light_gradient(example: Example) -> None:
    assert float(example("light_gradient", MUG).split()[2]) < 2  # degrees


def test_fit_extinction(example: Example) -> None:
    assert float(example("fit_extinction", "cloud").split()[1]) == pytest.approx(8, rel=0.02)


def test_overview(example: Example, tmp_path: Path) -> None:
    example("overview", MUG, MUG, "overview.png")
    assert size(tmp_path / "overview.png") == (1120, 272)
