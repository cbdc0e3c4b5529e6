"""Targets find their cameras, are decoded to linear values, and are refused where they cannot be meant."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.errors import InputError
from invrender.methods.scene.misfit import compared
from invrender.methods.scene.targets import Target, read_targets
from invrender.nouns import Camera, Mesh, Scene

TRIANGLE = Mesh(torch.eye(3, dtype=torch.float64), torch.tensor([[0, 1, 2]]))


def scene(*names: str, size: tuple[int, int] | None = None) -> Scene:
    cameras = [Camera(torch.eye(4, dtype=torch.float64), size=size, name=name) for name in names]
    return Scene(TRIANGLE, background=(0.0, 1.0, 0.0), cameras=cameras)


def png(path: Path, value: tuple[int, ...], size: tuple[int, int] = (8, 6)) -> str:
    path.parent.mkdir(exist_ok=True)
    Image.fromarray(np.full((size[1], size[0], len(value)), value, np.uint8)).save(path)
    return str(path)


def read(folder: Path, among: Scene, alpha: str = "over", size: int | None = None) -> tuple[Target, ...]:
    return read_targets([str(folder)], among, alpha, size)


def test_by_name_and_in_order(tmp_path: Path) -> None:
    for name in ("left", "right"):
        png(tmp_path / "named" / f"{name}.png", (128, 0, 0))
        png(tmp_path / "other" / f"{name}.png", (128, 0, 0))
    assert [each.name for each in read(tmp_path / "named", scene("right", "middle", "left"))] == ["right", "left"]
    assert [each.name for each in read(tmp_path / "other", scene("one", "two"))] == ["one", "two"]


def test_srgb_is_decoded(tmp_path: Path) -> None:
    target = read_targets([png(tmp_path / "a.png", (188, 0, 255))], scene("a"), "over", None)[0]
    assert target.image[0, 0].tolist() == pytest.approx([0.5029, 0, 1], abs=1e-4)
    assert target.full[0, 0].tolist() == [False, False, True]


def test_light_beyond_white_is_no_error(tmp_path: Path) -> None:
    target = read_targets([png(tmp_path / "a.png", (255, 255, 255))], scene("a"), "over", None)[0]
    level = compared([target])
    assert float(level.difference(torch.full((6, 8, 3), 7.0).double(), 0).abs().max()) == 0
    assert float(level.difference(torch.full((6, 8, 3), 0.5).double(), 0).abs().max()) > 0


@pytest.mark.parametrize(
    ("alpha", "red", "weight"),
    [("over", [0.0, 1.0, 0.0], 1.0), ("weigh", [1.0, 0, 0], 0.0), ("ignore", [1.0, 0, 0], 1.0)],
)
def test_alpha(tmp_path: Path, alpha: str, red: list[float], weight: float) -> None:
    target = read_targets([png(tmp_path / "a.png", (255, 0, 0, 0))], scene("a"), alpha, None)[0]
    assert target.image[0, 0].tolist() == red and float(target.weight[0, 0]) == weight


def test_scaled_down(tmp_path: Path) -> None:
    assert read_targets([png(tmp_path / "a.png", (9, 9, 9), (64, 48))], scene("a"), "over", 16)[0].size == (12, 16)


def test_wrong_number(tmp_path: Path) -> None:
    png(tmp_path / "t" / "left.png", (1, 1, 1))
    with pytest.raises(InputError, match=r"1 targets \(left\) for 2 cameras \(one, two\)"):
        read(tmp_path / "t", scene("one", "two"))


def test_wrong_proportions(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="8 x 6 pixels, and the camera a takes 8 x 8"):
        read_targets([png(tmp_path / "a.png", (1, 1, 1))], scene("a", size=(8, 8)), "over", None)


def test_no_pictures(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    with pytest.raises(InputError, match="holds no pictures"):
        read(tmp_path / "t", scene("a"))
