"""Handles of a surface where voxels of its grid meet at an edge alone.

There the surface joins two voxels at some places and parts them at others, as values near zero have it, so it may have
handles that the voxels do not. One voxel at such a place is changed, by a fraction of a cell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.vectors import Bools, Ints

Field = NDArray[np.float32]
MOST = 6  # changes of which the whole surface is asked what becomes of it
REACH = 2  # voxels around one, within which its change is seen
CHANGED = 0.2  # of a cell: how far from the surface a voxel comes to lie

Allowed = Callable[[Ints, bool], bool]
Count = Callable[[Field], tuple[int, int]]


def without_contacts(field: Field, spacing: float, allowed: Allowed, count: Count) -> Field | None:
    """A field [nx,ny,nz] whose surface has fewer handles; None: no change at one voxel takes one away.

    Args:
        field: positive inside; its border lies outside.
        spacing: of the grid.
        allowed: whether voxels [1,3] may be cut (True) or filled.
        count: parts and handles of a field's surface.
    """
    parts, handles = count(field)
    asked, changes = 0, 0
    for voxel in _contacts(field):
        if not handles or asked == MOST:
            break
        at, cut = tuple(voxel), bool(field[tuple(voxel)] > 0)
        value = (-CHANGED if cut else CHANGED) * spacing
        if not _simplifies(field, voxel, value) or not allowed(voxel[None], cut):
            continue
        before, field = field, field.copy()
        field[at] = value
        found = count(field)
        asked += 1
        if found[1] < handles and found[0] <= parts:
            (parts, handles), changes = found, changes + 1
        else:
            field = before
    return field if changes else None


def _contacts(field: Field) -> Iterator[Ints]:
    """Voxels [3] of cells' faces that have two voxels inside, across from each other; the nearest to zero first."""
    inside = field > 0
    found = np.zeros(field.shape, bool)
    for axis in range(3):
        of = np.moveaxis(inside, axis, 0)  # views, so that `found` is written to
        corners = [(a, b) for a in (0, 1) for b in (0, 1)]
        parts = {(a, b): _shifted(of, a, b) for a, b in corners}
        apart = (parts[0, 0] == parts[1, 1]) & (parts[0, 1] == parts[1, 0]) & (parts[0, 0] != parts[0, 1])
        for a, b in corners:
            _shifted(np.moveaxis(found, axis, 0), a, b)[...] |= apart
    voxels = np.argwhere(found)
    yield from voxels[np.argsort(np.abs(field[tuple(voxels.T)]), kind="stable")]


def _shifted(values: Bools, a: int, b: int) -> Bools:
    """One corner of every square across the first axis."""
    return values[:, a : values.shape[1] - 1 + a, b : values.shape[2] - 1 + b]


def _simplifies(field: Field, voxel: Ints, value: float) -> bool:
    """Whether the surface around a voxel has a handle less, or a part more, if its value is changed."""
    low = np.maximum(voxel - REACH, 0)
    window = field[tuple(slice(a, b) for a, b in zip(low, voxel + REACH + 1, strict=True))]
    changed = window.copy()
    changed[tuple(voxel - low)] = value
    return _characteristic(changed) > _characteristic(window)


def _characteristic(field: Field) -> int:
    """Vertices less edges plus faces of a field's surface."""
    from skimage.measure import marching_cubes

    level = 1e-6 * float(np.abs(field).max())
    if not field.min() < level < field.max():
        return 0
    vertices, faces, _, _ = marching_cubes(field, level)
    ends = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    return len(vertices) - len(np.unique(ends, axis=0)) + len(faces)
