"""The examples run as they stand in the repository, and find what they look for."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

import invrender.samples
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


def test_fields(example: Example, tmp_path: Path) -> None:
    assert float(example("fields", "rings.png").split()[-1]) == pytest.approx(1)
    assert size(tmp_path / "rings.png") == (256, 128)


def test_field_gradient(example: Example) -> None:
    assert float(example("field_gradient").split()[2]) < 0.05


def test_sensors(example: Example) -> None:
    grid, points, rays = example("sensors", "cloud").splitlines()
    assert len({float(number) for number in grid.split()[-3:]}) == 3
    volume = invrender.samples.make("cloud", resolution=24)  # whose outermost samples are empty, and count half
    assert float(points.split()[-1]) == pytest.approx(float(volume.values.mean()) * (24 / 23) ** 3, rel=0.1)
    assert 200 < int(rays.split()[0]) < 576


def test_estimators(example: Example) -> None:
    rows = [line.split() for line in example("estimators", "cloud").splitlines()]
    exact, *others = ([float(row[2]), float(row[4]), float(row[-1])] for row in rows)
    for light, error, slope in others:
        assert light == pytest.approx(exact[0], abs=4 * error / 24 + 1e-3)
        assert slope == pytest.approx(exact[2], rel=0.2)


def test_cloud_parts(example: Example, tmp_path: Path) -> None:
    black, white, red, ahead, sunny = map(float, example("cloud_parts", "cloud", "parts.png", 16, 4).split()[2:])
    assert black < red < white < 0.4 + 0.01  # what scatters all light is as bright as the sky
    assert sunny > ahead
    assert size(tmp_path / "parts.png") == (48, 32)
