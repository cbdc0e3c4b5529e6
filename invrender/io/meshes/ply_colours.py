"""The colours of a .ply file, at vertices or on faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.colour import srgb_to_linear
from invrender.errors import InputError
from invrender.io.meshes.ply_data import Table
from invrender.io.meshes.polygons import Triangles
from invrender.io.meshes.text import Integers

Floats = NDArray[np.float64]

_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))


def read_colours(path: Path, table: Table) -> Floats | None:
    """[R,3] linear colours of an element's rows, or None where it has none.

    Integers span their type; floats are 0 to 1, or 0 to 255 where any is larger.

    Raises:
        InputError: a colour is not a number, or not in that range.
    """
    names = next((names for names in _NAMES if all(n in table and table[n].sizes is None for n in names)), None)
    if names is None:
        return None
    values = np.stack([table[name].values.astype(np.float64) for name in names], axis=1)
    scale = max(_scale(table[name].kind, values) for name in names)
    values = values / scale
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 1.01:
        raise InputError(f"{path} has colours that are not in their range", "export it again, or without colours")
    return srgb_to_linear(np.minimum(values, 1.0))


def _scale(kind: np.dtype, values: Floats) -> float:
    """What stands for full intensity; integers wider than two bytes hold bytes nonetheless."""
    if kind.kind != "f" and kind.itemsize <= 2:
        return float(np.iinfo(kind).max)
    return 255.0 if kind.kind != "f" or (values > 1.01).any() else 1.0


def spread_colours(faces: Floats | None, triangles: Triangles, corners: Integers, count: int) -> Floats | None:
    """[V,3] the mean colour of the polygons around each vertex, from those of the polygons [P,3]; white without any.

    A mesh has colours at its vertices alone.
    """
    if faces is None:
        return None
    total, weight = np.zeros((count, 3)), np.zeros(count)
    own = faces[triangles.polygon]
    for k in range(3):
        np.add.at(total, corners[: len(own), k], own)
        np.add.at(weight, corners[: len(own), k], 1)
    return np.where(weight[:, None] > 0, total / np.maximum(weight, 1)[:, None], 1.0)
