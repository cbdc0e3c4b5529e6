"""Where a thing of a scene file stands: a matrix, or scale, rotate and translate, applied in this order.

scale      a number, or three along the axes
rotate     [x, y, z]: degrees about the X, then the Y, then the Z axis of the world, counter-clockwise as seen from
           the tip of the axis (Blender's XYZ); or [angle, x, y, z]: degrees about that axis, as in pbrt
translate  [x, y, z]
matrix     four rows of four numbers (row-major, translation in the last column), or the same 16 numbers in one list
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invrender.io.scenes.table import Table

Array = NDArray[np.float64]

KEYS = ("scale", "rotate", "translate", "matrix")
_FLATTEST = 1e-12  # of the smallest to the largest stretch, below which nothing has a volume


def placement(table: Table) -> Array:
    """[4,4] from the frame of a thing to the world.

    Raises:
        InputError: it is no placement, or makes things flat.
    """
    table.check_alone("matrix", KEYS[:3])
    if table.has("matrix"):
        world = matrix(table)
    else:
        world = np.eye(4)
        world[:3, :3] = linear(table)
        world[:3, 3] = table.vector("translate", (0.0, 0.0, 0.0))
    stretch = np.linalg.svd(world[:3, :3], compute_uv=False)
    if not stretch[2] > _FLATTEST * stretch[0]:
        raise table.wrong("has a matrix that makes things flat", "use one whose three columns point different ways")
    return world


def linear(table: Table) -> Array:
    """[3,3] of `scale`, then `rotate`."""
    return np.asarray(_rotation(table) * _scale(table))


def matrix(table: Table) -> Array:
    """[4,4] of `matrix`, whose last row is 0 0 0 1."""
    rows = table.values["matrix"]
    flat = rows
    if isinstance(rows, list) and len(rows) == 4 and all(isinstance(row, list) for row in rows):
        flat = [value for row in rows for value in row]
    found = np.asarray(Table(table.path, table.where, {"matrix": flat}).numbers("matrix", 16)).reshape(4, 4)
    if not np.array_equal(found[3], [0.0, 0.0, 0.0, 1.0]):
        raise table.wrong(
            f"has a matrix whose last row is {[float(value) for value in found[3]]}",
            "write it row by row, the translation in the last column and 0, 0, 0, 1 in the last row",
        )
    return found


def mirrors(world: Array) -> bool:
    """Whether a placement turns things inside out, so that their faces must be reversed."""
    return bool(np.linalg.det(world[:3, :3]) < 0)


def _scale(table: Table) -> Array:
    several = isinstance(table.values.get("scale"), list)
    found = np.asarray(table.vector("scale")) if several else np.full(3, table.number("scale", 1.0))
    if not found.all():
        raise table.wrong("has a scale of 0", "use numbers other than 0; negative ones mirror")
    return found


def _rotation(table: Table) -> Array:
    if not table.has("rotate"):
        return np.eye(3)
    values = table.values["rotate"]
    if isinstance(values, list) and len(values) == 4:
        angle, *axis = table.numbers("rotate", 4)
        if not any(axis):
            raise table.wrong("has a rotation about [0, 0, 0]", "write [angle, x, y, z] with an axis of some length")
        return about(np.asarray(axis), angle)
    if not isinstance(values, list) or len(values) != 3:
        raise table.wrong(
            "has a 'rotate' that is not understood", "write degrees [x, y, z], or [angle, x, y, z] about an axis"
        )
    x, y, z = (about(axis, angle) for axis, angle in zip(np.eye(3), table.numbers("rotate", 3), strict=True))
    return np.asarray(z @ y @ x)


def about(axis: Array, degrees: float) -> Array:
    """[3,3] that rotates about an axis [3] of any length (Rodrigues)."""
    x, y, z = axis / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    angle = np.radians(degrees % 360)
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
