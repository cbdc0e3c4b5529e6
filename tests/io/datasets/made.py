"""Small datasets that the tests in this folder vary."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

SIZE = (24, 32)


def disc(size: tuple[int, int] = SIZE) -> np.ndarray:
    """A [H,W] bool disc left of and above the middle, so that nothing turned looks like it."""
    y, x = np.mgrid[: size[0], : size[1]] + 0.5
    return np.hypot(x - 0.4 * size[1], y - 0.4 * size[0]) < 0.25 * min(size)


def matrices(count: int = 3) -> list[list[list[float]]]:
    """Camera-to-world matrices along a ring in the plane y = 0, looking at the origin from 4 units away."""
    poses = []
    for angle in np.arange(count) * 2 * np.pi / count:
        c, s = float(np.cos(angle)), float(np.sin(angle))
        poses.append([[c, 0, s, 4 * s], [0, 1, 0, 0], [-s, 0, c, 4 * c], [0, 0, 0, 1.0]])
    return poses


def write_poses(folder: Path, files: list[str], **fields: Any) -> None:
    """A transforms.json of those files, with 40 pixels of focal length unless told otherwise."""
    frames = [{"file_path": f, "transform_matrix": m} for f, m in zip(files, matrices(len(files)), strict=True)]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "transforms.json").write_text(json.dumps({"fl_x": 40.0, **fields, "frames": frames}))


def write_rgba(path: Path, size: tuple[int, int] = SIZE) -> None:
    """A picture whose alpha is the disc."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.full((*size, 4), 90, np.uint8)
    image[..., 3] = disc(size) * 255
    Image.fromarray(image).save(path, format=None if path.suffix else "PNG")


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the table in a dataset's transforms.json."""
    path = folder / "transforms.json"
    table = json.loads(path.read_text())
    change(table)
    path.write_text(json.dumps(table))
