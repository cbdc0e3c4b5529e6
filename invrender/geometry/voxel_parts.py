"""Sets of voxels: their connected parts, their Euler number, and what lies next to them.

As `scipy.ndimage` and `skimage.measure` have it, the import of which takes longer than all that a run asks of it.
"""

from __future__ import annotations

import numpy as np

from invrender.geometry.groups import root
from invrender.geometry.vectors import Bools, Ints
from invrender.jit import kernel


def labelled(inside: Bools) -> tuple[Ints, int]:
    """The 26-connected part of each voxel, numbered from 1 by its first voxel and 0 outside; and how many there are.

    Args:
        inside: [nx,ny,nz].

    Returns:
        Numbers [nx,ny,nz] int64.
    """
    whole = np.pad(inside, 1)  # so that every voxel has neighbours
    part = np.zeros(whole.shape, np.int64)
    rows = np.array([(x * whole.shape[1] + y) * whole.shape[2] for x, y in ((-1, -1), (-1, 0), (-1, 1), (0, -1))])
    count = _label(whole.reshape(-1), rows, part.reshape(-1))
    return part[1:-1, 1:-1, 1:-1], count


def euler_number(inside: Bools, corners: bool) -> int:
    """Parts less handles plus cavities of voxels [nx,ny,nz], which meet at corners and edges too, or at faces alone."""
    whole = np.pad(inside, 1)
    total = 0
    for axes in np.ndindex(2, 2, 2):
        # Closed cubes have a cell where one of the voxels around it is inside; open ones, where all of them are.
        cells = whole
        for axis in np.flatnonzero(axes):
            low = cells.take(np.arange(cells.shape[axis] - 1), axis)
            high = cells.take(np.arange(1, cells.shape[axis]), axis)
            cells = low | high if corners else low & high
        total += int(cells.sum()) * (-1) ** sum(axes)
    return -total if corners else total


def widened(inside: Bools, times: int = 1) -> Bools:
    """Voxels [nx,ny,nz] with those around them, 26 of each, so many times."""
    for axis in range(3):
        for _ in range(times):
            wider = inside.copy()
            at, before = _shifted(axis)
            wider[at] |= inside[before]
            wider[before] |= inside[at]
            inside = wider
    return inside


def _shifted(axis: int) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """All but the first and all but the last along an axis."""
    whole = [slice(None)] * 3
    return (
        (*whole[:axis], slice(1, None), *whole[axis + 1 :]),
        (*whole[:axis], slice(-1), *whole[axis + 1 :]),
    )


@kernel
def _label(inside: Bools, rows: Ints, part: Ints) -> int:
    """Number the parts, and count them. `rows` are the steps to the rows that come before a voxel's and touch it."""
    for i in range(len(inside)):
        if not inside[i]:
            continue
        part[i] = i
        if inside[i - 1]:  # which is joined already with all but the last of what both touch
            part[i] = root(part, i - 1)
        for k in range(4):
            for j in range(i + rows[k] + (1 if inside[i - 1] else -1), i + rows[k] + 2):
                if inside[j]:
                    one, other = root(part, i), root(part, j)
                    part[max(one, other)] = min(one, other)
    count = 0
    for i in range(len(inside)):
        if inside[i] and part[i] == i:
            count += 1
            part[i] = -count
        elif inside[i]:
            part[i] = part[part[i]]
    for i in range(len(inside)):
        part[i] = -part[i]
    return count
