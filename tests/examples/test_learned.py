"""The examples that train networks run as they stand in the repository, briefly, and learn something."""

from __future__ import annotations

import re
from pathlib import Path

from PIL import Image

import invrender
from tests.examples.conftest import Example

ROOT = Path(__file__).parents[2]


def numbers(text: str) -> list[float]:
    return [float(number) for number in re.findall(r"\d+\.\d+", text)]


def test_learn_picture(example: Example, tmp_path: Path) -> None:
    assert numbers(example("learn_picture", ROOT / "docs" / "overview.png", "learned.png", 60))[0] > 11
    with Image.open(tmp_path / "learned.png") as image:
        assert image.size == (128, 64)


def test_learn_volume(example: Example, tmp_path: Path) -> None:
    assert numbers(example("learn_volume", "cloud", "cloud.png", 40))[0] > 20
    assert invrender.read_field(tmp_path).field.shape == (32, 32, 32)


def test_learn_from_light(example: Example, tmp_path: Path) -> None:
    assert numbers(example("learn_from_light", "cloud", "field.npz", 30))[0] > 18
    assert isinstance(invrender.read(tmp_path / "field.npz"), invrender.Volume)


def test_learn_sky(example: Example) -> None:
    first, last = numbers(example("learn_sky", "cloud", 12))
    assert last < 0.5 * first
