"""The transforms of OpenVDB grids: from the whole-numbered coordinates of voxels to the world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.vdb_bytes import Cursor

Axes = NDArray[np.float64]
_SCALES = 5  # vectors by which a scale is told: itself, the voxel's size, and three that follow from it


def read_map(cursor: Cursor, path: Path) -> tuple[Axes, Axes]:
    """Axes [3,3], a step along i, j, k in each column, and origin [3] of the transform at the cursor.

    Raises:
        InputError: it is no linear one.
        ValueError: the file breaks the format's rules.
    """
    kind = cursor.text()
    if kind == "TranslationMap":
        return np.eye(3), _vectors(cursor, 1)[0]
    if kind in ("ScaleMap", "UniformScaleMap"):
        return np.diag(_vectors(cursor, _SCALES)[0]), np.zeros(3)
    if kind in ("ScaleTranslateMap", "UniformScaleTranslateMap"):
        vectors = _vectors(cursor, 1 + _SCALES)
        return np.diag(vectors[1]), vectors[0]
    if kind in ("AffineMap", "UnitaryMap"):  # points are rows here: the world is [i, j, k, 1] @ matrix
        matrix = np.array(cursor.unpack("16d")).reshape(4, 4)
        return matrix[:3, :3].T.copy(), matrix[3, :3].copy()
    if kind == "NonlinearFrustumMap":
        raise InputError(
            f"{path} holds a grid in the frustum of a camera (NonlinearFrustumMap), whose voxels are no boxes",
            "resample it onto a grid with a linear transform in the program that made it (Houdini: VDB Resample)",
        )
    raise ValueError(f"its transform is a {kind}, which is not known")


def _vectors(cursor: Cursor, count: int) -> Axes:
    return np.array(cursor.unpack(f"{3 * count}d")).reshape(count, 3)
