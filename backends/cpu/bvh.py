"""Builds the bounding volume hierarchy (BVH) that rays traverse (`invrender.backends.bodies.bvh`).

Top down, by the surface area heuristic over 16 bins of the faces' centres (Wald 2007, "On fast Construction of
SAH-based Bounding Volume Hierarchies").
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.backends.bodies.target import device
from invrender.backends.cpu.contour import Floats, Ints
from invrender.jit import kernel

BINS = 16
LEAF = 4  # faces below which splitting does not pay
DEEPEST = 56  # levels by the heuristic; below, halves by number (31 more at most) keep the stack short
PADDING = 1e-12  # of the largest coordinate, so that rounding never hides a face that its box just touches


@dataclass(frozen=True)
class Bvh:
    """See `invrender.backends.bodies.bvh.first_face`."""

    corners: Floats
    order: Ints
    boxes: Floats
    links: Ints


_kept: list[Bvh] = []  # that of the last call


def build(corners: Floats) -> Bvh:
    """The hierarchy over faces with corners [F,3,3] float64, which must not change any more.

    Faces that are not finite can never be hit: left out. The last one is kept, since rays come in many parts.
    """
    for last in _kept[:1]:
        if np.array_equal(last.corners, corners):
            return last
    built = grown(corners)
    _kept[:] = [built]
    return built


def grown(corners: Floats) -> Bvh:
    """The same, which is not kept."""
    order = np.flatnonzero(np.isfinite(corners).all((1, 2))).astype(np.int32)
    boxes, links = np.empty((2 * len(order) + 1, 6)), np.zeros((2 * len(order) + 1, 2), np.int32)
    count = _build(corners, order, boxes, links)
    return Bvh(corners, order, boxes[:count], links[:count])


@kernel
def _build(corners: Floats, order: Ints, boxes: Floats, links: Ints) -> int:
    """Fill order, boxes and links; the number of nodes."""
    boxes[0, :3], boxes[0, 3:] = np.inf, -np.inf
    if len(order) == 0:
        links[0, 1] = 1
        return 0
    largest = 0.0
    for face in order:
        for corner in range(3):
            for axis in range(3):
                largest = max(largest, abs(corners[face, corner, axis]))
    # Work to do: node, its faces order[start:stop], and how deep it lies.
    todo = np.empty((2 * DEEPEST + 64, 4), np.int64)
    todo[0, 0], todo[0, 1], todo[0, 2], todo[0, 3] = 0, 0, len(order), 0
    waiting, count = 1, 1
    while waiting > 0:
        waiting -= 1
        node, start, stop, depth = todo[waiting, 0], todo[waiting, 1], todo[waiting, 2], todo[waiting, 3]
        _bound(corners, order, start, stop, PADDING * largest, boxes, node)
        middle = start
        if stop - start > LEAF:
            middle = _split(corners, order, start, stop) if depth < DEEPEST else (start + stop) // 2
        if middle == start:
            links[node, 0], links[node, 1] = start, stop - start
            continue
        links[node, 0], links[node, 1] = count, 0
        for child in range(2):
            todo[waiting, 0], todo[waiting, 3] = count + child, depth + 1
            todo[waiting, 1], todo[waiting, 2] = (start, middle) if child == 0 else (middle, stop)
            waiting += 1
        count += 2
    return count


@device
def _bound(corners: Floats, order: Ints, start: int, stop: int, padding: float, boxes: Floats, node: int) -> None:
    for axis in range(3):
        low, high = np.inf, -np.inf
        for k in range(start, stop):
            for corner in range(3):
                low = min(low, corners[order[k], corner, axis])
                high = max(high, corners[order[k], corner, axis])
        boxes[node, axis], boxes[node, 3 + axis] = low - padding, high + padding


@device
def _split(corners: Floats, order: Ints, start: int, stop: int) -> int:
    """Partition order[start:stop] where it costs least; the first row of the second part."""
    axis, low, width = _widest(corners, order, start, stop)
    if not width > 0.0:
        return (start + stop) // 2
    number = np.zeros(BINS, np.int64)
    box = np.empty((BINS, 6), np.float64)
    for k in range(BINS):
        _clear(box, k)
    for k in range(start, stop):
        face = order[k]
        at = _bin(corners, face, axis, low, width)
        number[at] += 1
        for side in range(3):
            for corner in range(3):
                box[at, side] = min(box[at, side], corners[face, corner, side])
                box[at, 3 + side] = max(box[at, 3 + side], corners[face, corner, side])
    cut = _cheapest(number, box)
    middle = start
    for k in range(start, stop):
        if _bin(corners, order[k], axis, low, width) < cut:
            order[k], order[middle] = order[middle], order[k]
            middle += 1
    return middle if start < middle < stop else (start + stop) // 2


@device
def _widest(corners: Floats, order: Ints, start: int, stop: int) -> tuple[int, float, float]:
    """The axis along which the faces' centres spread most, and the start and the length of their range (times 3)."""
    best, begin, width = 0, 0.0, -1.0
    for axis in range(3):
        low, high = np.inf, -np.inf
        for k in range(start, stop):
            centre = corners[order[k], 0, axis] + corners[order[k], 1, axis] + corners[order[k], 2, axis]
            low, high = min(low, centre), max(high, centre)
        if high - low > width:
            best, begin, width = axis, low, high - low
    return best, begin, width


@device
def _bin(corners: Floats, face: int, axis: int, low: float, width: float) -> int:
    centre = corners[face, 0, axis] + corners[face, 1, axis] + corners[face, 2, axis]
    return min(int((centre - low) / width * BINS), BINS - 1)


@device
def _cheapest(number: NDArray[np.int64], box: Floats) -> int:
    """The first bin of the second part, where the two parts' areas times their faces sum to least."""
    after = np.empty(BINS, np.float64)
    whole, count = np.empty((1, 6), np.float64), 0
    _clear(whole, 0)
    for k in range(BINS - 1, 0, -1):
        _grow(whole, box, k)
        count += number[k]
        after[k] = _area(whole) * count if count else np.inf
    _clear(whole, 0)
    count, cut, least = 0, BINS // 2, np.inf
    for k in range(1, BINS):
        _grow(whole, box, k - 1)
        count += number[k - 1]
        cost = _area(whole) * count + after[k] if count else np.inf
        if cost < least:
            cut, least = k, cost
    return cut


@device
def _clear(box: Floats, row: int) -> None:
    for side in range(3):
        box[row, side], box[row, 3 + side] = np.inf, -np.inf


@device
def _grow(whole: Floats, box: Floats, row: int) -> None:
    for side in range(3):
        whole[0, side] = min(whole[0, side], box[row, side])
        whole[0, 3 + side] = max(whole[0, 3 + side], box[row, 3 + side])


@device
def _area(box: Floats) -> float:
    """Half the surface of a box."""
    x, y, z = box[0, 3] - box[0, 0], box[0, 4] - box[0, 1], box[0, 5] - box[0, 2]
    return float(x * y + y * z + z * x)
