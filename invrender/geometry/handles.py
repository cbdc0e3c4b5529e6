"""False handles of a visual hull: what rounding and hidden places join is cut, what they leave open is filled.

A hull of few views, on a grid of cells wider than a pixel, has handles that the object lacks: a gap of less than two
cells closes here and there, and where views hide something, webs stay that no silhouette needs. Each handle has a
narrowest place, a sheet of voxels at which it can be cut or its hole be filled (see `homotopy`). A sheet is cut

- where, between the grid's points, an image shows a gap right through it: sampling closed it; or
- where no image needs it: on the lines of sight through all of its points the rest of the hull is object too, or the
  image shows no object there;

and a hole is filled where, between the grid's points, the hull has none, or only one of a fraction of a pixel. What an
image looks through stays open, and what an image needs stays whole.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.homotopy import BAND, CORE, NEAR, grown
from invrender.geometry.vectors import Bools, Ints
from invrender.geometry.voxel_parts import euler_number, labelled, widened

Field = NDArray[np.float32]
CUT_DEPTH, FILL_DEPTH = 2.0, 1.0  # cells from the surface, how deep the places lie at which handles are cut and filled
GAP = 0.2  # of a cell: how far from the surface the voxels of a sheet come to lie
ROUNDS = 4  # a handle that is needed at its narrowest place may not be so at the next
IDLE = 2  # rounds without success after which there is none to come
MOST = 32  # sheets that are looked at in a round
LARGEST = 4000  # voxels of a sheet
FINER = 3  # places between two points of the grid at which sheets are looked at
NO_WIDER = 4  # voxels around a sheet that is needed, within which it's not tried again


@dataclass(frozen=True)
class Evidence:
    """What the images say; see `carving`.

    Attributes:
        field_at: the hull's field [nx,ny,nz] at points of finer grids: lower corner and counts in voxels, points per
            voxel.
        needed: whether an image needs voxels [K,3] of the hull given without them, a field [nx,ny,nz].
        cut_rounding, fill_rounding: how deep, in units of the field, a sheet is that masks' rounding may have made, and
            a hole.
    """

    field_at: Callable[[Ints, Ints, int], Field]
    needed: Callable[[Ints, Field], bool]
    cut_rounding: float
    fill_rounding: float

    def allow(self, field: Field, sheet: Ints, cut: bool) -> bool:
        """Whether no image speaks against cutting a field's object at a sheet [K,3], or filling its hole there."""
        return _sampled(field, sheet, cut, self) or (cut and not self.needed(sheet, field))


def without_false_handles(field: Field, spacing: float, evidence: Evidence) -> Field | None:
    """A hull's field [nx,ny,nz], changed at the sheets of false handles; None: there are none.

    Its border lies outside the hull.
    """
    field = field.copy()
    kept: dict[bool, Bools] = {cut: np.zeros(field.shape, bool) for cut in (True, False)}
    changes, idle = 0, 0
    for _ in range(ROUNDS):
        found = [(len(sheet), cut, sheet) for cut in (False, True) for sheet in _sheets(field, spacing, cut, kept[cut])]
        found.sort(key=lambda each: each[:2])
        before = changes
        for size, cut, sheet in found[:MOST]:
            if size <= LARGEST and _opens(field, sheet, cut) and evidence.allow(field, sheet, cut):
                field[tuple(sheet.T)] = (-GAP if cut else GAP) * spacing
                changes += 1
            else:
                _mark(kept[cut], sheet)
        idle = idle + 1 if changes == before else 0
        if not found or idle == IDLE:
            break
    return field if changes else None


def _sheets(field: Field, spacing: float, cut: bool, kept: Bools) -> list[Ints]:
    """Sheets [K,3] of voxels without which each a loop of the object, or of what is around it, is cut.

    Where the core is of several parts, sheets between them hold the object together, and the thickest of them stay.
    """
    depth = spacing * (CUT_DEPTH if cut else FILL_DEPTH)
    signed = field if cut else -field
    if kept.any():
        signed = np.where(kept & (signed > 0), 2 * depth, signed)
    state = grown(signed, depth)
    label, count = labelled(state == BAND)
    if not count:
        return []
    part, parts = labelled(state == CORE)
    voxels = np.argwhere(label)
    of = label[tuple(voxels.T)]
    order = np.argsort(of, kind="stable")
    groups = np.split(voxels[order], np.cumsum(np.bincount(of)[1:])[:-1])
    groups.sort(key=lambda group: -float(signed[tuple(group.T)].max()))
    root = np.arange(parts + 1)
    sheets = []
    for group in groups:
        around = (group[:, None] + NEAR).reshape(-1, 3)
        around = around[((around >= 0) & (around < field.shape)).all(1)]
        joined = np.unique(root[part[tuple(around.T)]])
        joined = joined[joined > 0]
        if len(joined) > 1:
            root[np.isin(root, joined)] = joined[0]
        elif len(joined) and bool((signed[tuple(around.T)] <= 0).any()):
            sheets.append(group)
    return sheets


def _box(sheet: Ints, margin: int, shape: tuple[int, ...]) -> tuple[Ints, Ints]:
    """Lowest and highest voxel of a box around a sheet."""
    return np.maximum(sheet.min(0) - margin, 0), np.minimum(sheet.max(0) + margin, np.array(shape) - 1)


def _opens(field: Field, sheet: Ints, cut: bool) -> bool:
    """Whether the object gets simpler: its Euler number, parts less handles plus cavities, grows."""
    low, high = _box(sheet, 2, field.shape)
    near = field[tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))] > 0
    after = near.copy()
    after[tuple((sheet - low).T)] = not cut
    # Marching cubes joins voxels across a corner or an edge at some places and not at others.
    gains = [euler_number(after, corners) - euler_number(near, corners) for corners in (False, True)]
    return bool(min(gains) >= 0 and max(gains) > 0)


def _sampled(field: Field, sheet: Ints, cut: bool, evidence: Evidence) -> bool:
    """Whether, between the points of the grid, the sheet is cut (or the hole filled) already, but for rounding.

    Around the sheet the object falls into pieces. If no path through points deeper than the rounding joins them, it is.
    """
    low, high = _box(sheet, 1, field.shape)
    size = high - low + 1
    if np.prod(size) * FINER**3 > 1 << 20:
        return False
    window = tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))
    signed = field[window] if cut else -field[window]
    inside = signed > 0
    own = np.zeros(inside.shape, bool)
    own[tuple((sheet - low).T)] = True
    near = widened(own)
    sides, count = labelled(inside & near & ~own)
    if count < 2:
        return False
    fine = evidence.field_at(low, (size - 1) * FINER + 1, FINER)
    solid = (fine if cut else -fine) > (evidence.cut_rounding if cut else evidence.fill_rounding)
    solid &= _nearest(near, fine.shape)
    joined, _ = labelled(solid)
    side = _nearest(sides, fine.shape)
    pairs = np.unique(np.stack([joined[solid & (side > 0)], side[solid & (side > 0)]]), axis=1)
    return bool(np.bincount(pairs[0]).max(initial=0) < 2)


def _nearest(values: NDArray[Any], shape: tuple[int, ...]) -> NDArray[Any]:
    """Values at the points of a grid FINER times as fine, each that of the nearest voxel."""
    axes = [(np.arange(count) + FINER // 2) // FINER for count in shape]
    return values[np.ix_(*axes)]


def _mark(kept: Bools, sheet: Ints) -> None:
    """Mark a sheet and what is around it."""
    low, high = _box(sheet, NO_WIDER, kept.shape)
    window = tuple(slice(a, b + 1) for a, b in zip(low, high, strict=True))
    own = np.zeros(tuple(high - low + 1), bool)
    own[tuple((sheet - low).T)] = True
    kept[window] |= widened(own, NO_WIDER)
