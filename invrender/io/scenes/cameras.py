"""Cameras of a scene file."""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.projection import look_at
from invrender.io.scenes.table import Table
from invrender.io.scenes.transforms import matrix
from invrender.nouns import Camera
from invrender.nouns.light import Vector

Array = NDArray[np.float64]

_PLACE = ("position", "target", "direction", "up")
_LENS = ("fov", "extent", "aperture", "focus")
KEYS = ("name", *_PLACE, "matrix", *_LENS, "size", "width", "height")
_PARALLEL = 1e-9  # sine of the angle between two directions, below which they are parallel
_RIGID = 1e-4  # how far the axes of a matrix may be from unit length and right angles
_LARGEST = 2**16  # pixels along a side


def camera_of(table: Table, name: str) -> Camera:
    """The camera of a table.

    Raises:
        InputError: a key or value is not known or not possible.
    """
    table.check_keys(KEYS)
    table.check_alone("matrix", _PLACE)
    table.check_alone("fov", ["extent"])
    pose = rigid(table) if table.has("matrix") else _pose(table)
    aperture = table.number("aperture", 0.0, least=0.0)
    if aperture and table.has("extent"):
        raise table.wrong("is orthographic ('extent') and has a lens ('aperture')", "leave one of them out")
    return Camera(
        pose,
        fov=table.number("fov", 45.0, above=0.0, below=180.0),
        extent=table.number("extent", above=0.0) if table.has("extent") else None,
        aperture=aperture,
        focus=table.number("focus", _reach(table), above=0.0),
        size=_size(table),
        name=name,
    )


def _pose(table: Table) -> torch.Tensor:
    """[4,4] camera to world of a position and what the camera looks at."""
    position, forward = table.vector("position"), _forward(table)
    up = table.direction("up", (0.0, 1.0, 0.0))
    across = np.linalg.norm(np.cross(_unit(forward), _unit(up)))
    if table.has("up") and across < _PARALLEL:
        raise table.wrong("looks along its 'up' direction", "give another one: [0, 0, -1] when it looks straight down")
    pose = torch.eye(4, dtype=torch.float64)
    pose[:3, :3] = look_at([(0.0, 0.0, 0.0)], torch.from_numpy(_unit(forward)), up)[0, :3, :3].T
    pose[:3, 3] = torch.tensor(position, dtype=torch.float64)
    return pose


def _forward(table: Table) -> Vector:
    """The way in which the camera looks."""
    table.check_alone("direction", ["target"])
    if table.has("direction"):
        return table.direction("direction")
    position, target = table.vector("position"), table.vector("target")
    x, y, z = (end - start for start, end in zip(position, target, strict=True))
    if not (x or y or z):
        raise table.wrong("stands on its target", "move 'position' or 'target'")
    return x, y, z


def _reach(table: Table) -> float:
    """The distance that is sharp where nothing is said: that of the target."""
    if not table.has("target"):
        return 1.0
    return float(np.linalg.norm(np.subtract(table.vector("target"), table.vector("position"))))


def _unit(vector: Vector) -> Array:
    array = np.asarray(vector) / np.abs(vector).max()
    return np.asarray(array / np.linalg.norm(array))


def rigid(table: Table) -> torch.Tensor:
    """[4,4] camera to world of a matrix, its axes brought to unit length and right angles where rounding moved them."""
    found = matrix(table)
    axes = found[:3, :3]
    if np.abs(axes.T @ axes - np.eye(3)).max() > _RIGID:
        raise table.wrong("has a matrix that stretches or shears", "give camera axes unit length and right angles")
    if np.linalg.det(axes) < 0:
        raise table.wrong("has a matrix that mirrors", "negate one of its first three columns")
    if np.abs(axes.T @ axes - np.eye(3)).max() > 1e-12:
        left, _, right = np.linalg.svd(axes)
        found[:3, :3] = left @ right
    return torch.from_numpy(found)


def _size(table: Table) -> tuple[int, int] | None:
    """(H, W) of `size = [width, height]`, or of the two keys; None where nothing is said."""
    table.check_alone("size", ["width", "height"])
    if table.has("width") != table.has("height"):
        raise table.wrong("has only one of 'width' and 'height'", "give both, or size = [width, height]")
    if table.has("size"):
        width, height = table.numbers("size", 2)
    elif table.has("width"):
        width, height = table.number("width"), table.number("height")
    else:
        return None
    for side in (width, height):
        if side != int(side) or not 1 <= side <= _LARGEST:
            raise table.wrong(f"has a size of {side:g} pixels", f"use whole numbers from 1 to {_LARGEST}")
    return int(height), int(width)
