"""The examples run as they stand in the repository, and find what they look for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from tests.examples.conftest import Example

ROOT = Path(__file__).parents[2]
MUG = str(ROOT / "data" / "mug.glb")


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


def test_shadow(example: Example) -> None:
    assert float(example("shadow", MUG).split()[2]) < 2  # degrees


def test_scene_light(example: Example) -> None:
    assert float(example("scene_light", MUG).split()[2]) < 0.01  # sizes of the mug


def test_predict_light(example: Example) -> None:
    off, anyhow = (float(word) for word in example("predict_light").split()[2::2])
    assert off < 0.25 * anyhow


def test_fit_extinction(example: Example) -> None:
    assert float(example("fit_extinction", "cloud").split()[1]) == pytest.approx(8, rel=0.02)


def test_overview(example: Example, tmp_path: Path) -> None:
    example("overview", MUG, MUG, "overview.png")
    assert size(tmp_path / "overview.png") == (1120, 272)
