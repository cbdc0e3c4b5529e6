"""Barycentrics of what pixels see of a triangle mesh, recomputed from the numbers of the faces that they see."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.triples import Triple, cross, dot
from invrender.geometry.vectors import Floats, Ints
from invrender.jit import body, kernel


def shares(clip: Floats, faces: Ints, pixel: Ints, face: Ints, size: tuple[int, int]) -> NDArray[np.float32]:
    """Perspective-correct barycentrics [P,3] float32 at the centres of pixels; they add up to 1.

    Args:
        clip: [V,4] float64 clip positions.
        faces: [F,3] int64.
        pixel: [P] int64, row by row.
        face: [P] int64, the face that each of them sees.
        size: (H, W).
    """
    found = np.empty((len(pixel), 3), np.float32)
    _fill_shares(clip, faces, pixel, face, *size, found)
    return found


@kernel
def _fill_shares(
    clip: Floats, faces: Ints, pixel: Ints, face: Ints, height: int, width: int, found: NDArray[np.float32]
) -> None:
    for p in range(len(pixel)):
        row, column = pixel[p] // width, pixel[p] % width
        at = ((column + 0.5) * 2 / width - 1, 1 - (row + 0.5) * 2 / height, 1.0)
        f = face[p]
        a, b, c = _flat(clip, faces[f, 0]), _flat(clip, faces[f, 1]), _flat(clip, faces[f, 2])
        # Volumes between the eye's ray and the edges: of x, y and w they are linear, so perspective is in them.
        one, two, three = dot(at, cross(b, c)), dot(at, cross(c, a)), dot(at, cross(a, b))
        total = one + two + three
        if total == 0.0:
            one, two, three, total = 1.0, 1.0, 1.0, 3.0
        found[p, 0], found[p, 1], found[p, 2] = one / total, two / total, three / total


@body
def _flat(clip: Floats, i: int) -> Triple:
    """(x, y, w) of a vertex."""
    return clip[i, 0], clip[i, 1], clip[i, 3]
