"""How the upper tree of `bvh` grows over its leaves: parts are divided by the surface area heuristic in bins.

After Wald 2007, "On fast Construction of SAH-based Bounding Volume Hierarchies"; a node's parts are divided until there
are eight of them, the largest first.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.vectors import Ints
from invrender.jit import body, kernel

F32 = np.float32
Singles = NDArray[np.float32]
Nodes = NDArray[np.int32]

WIDE = 8
BINS = 16
DEEPEST = 24  # levels by the heuristic; below, parts of equal numbers: no input makes a stack overflow
STACK = (WIDE - 1) * (DEEPEST + 12) + 1


@kernel
def grow(around: Singles, boxes: Singles, children: Nodes, counts: Nodes) -> int:
    """Fill boxes, children and counts; the number of nodes."""
    if len(around) == 0:
        counts[0], boxes[0], children[0] = 0, F32(0), 0
        return 1
    order = np.arange(len(around)).astype(np.int32)
    number, bins, after = np.empty(BINS, np.int64), np.empty((BINS, 6), np.float32), np.empty(BINS, np.float32)
    todo = np.empty((STACK + WIDE, 4), np.int64)  # node, its leaves order[start:stop], how deep it lies
    todo[0, 0], todo[0, 1], todo[0, 2], todo[0, 3] = 0, 0, len(order), 0
    parts, whole = np.empty((WIDE, 2), np.int64), np.empty((WIDE, 7), np.float32)
    waiting, nodes = 1, 1
    while waiting > 0:
        waiting -= 1
        node, start, stop, depth = todo[waiting, 0], todo[waiting, 1], todo[waiting, 2], todo[waiting, 3]
        count = _divide(around, order, start, stop, depth, parts, whole, number, bins, after)
        counts[node] = count
        for k in range(count, WIDE):  # never looked at, but never undefined either
            children[node, k] = 0
            for side in range(6):
                boxes[node, side, k] = F32(0)
        for k in range(count):
            for side in range(6):
                boxes[node, side, k] = whole[k, side]
            if parts[k, 1] - parts[k, 0] == 1:
                children[node, k] = ~order[parts[k, 0]]
                continue
            children[node, k] = nodes
            todo[waiting, 0], todo[waiting, 3] = nodes, depth + 1
            todo[waiting, 1], todo[waiting, 2] = parts[k, 0], parts[k, 1]
            waiting += 1
            nodes += 1
    return nodes


@body
def _divide(
    around: Singles, order: Nodes, start: int, stop: int, depth: int, parts: Ints, whole: Singles, number: Ints,
    bins: Singles, after: Singles,
) -> int:  # fmt: skip
    """Part the leaves order[start:stop] in up to eight: `parts` [8,2], with their boxes and areas [8,7]; how many."""
    if stop - start <= WIDE:
        for k in range(stop - start):
            parts[k, 0], parts[k, 1] = start + k, start + k + 1
            _surround(around, order, start + k, start + k + 1, whole, k)
        return stop - start
    parts[0, 0], parts[0, 1], count = start, stop, 1
    _surround(around, order, start, stop, whole, 0)
    while count < WIDE:
        best, largest = -1, F32(-1)
        for k in range(count):
            length = parts[k, 1] - parts[k, 0]
            size = whole[k, 6] if depth < DEEPEST else F32(length)
            if length > 1 and size > largest:
                best, largest = k, size
        if best < 0:
            break
        begin, end = parts[best, 0], parts[best, 1]
        middle = (begin + end) // 2
        if depth < DEEPEST and end - begin > 2:
            middle = _split(around, order, begin, end, number, bins, after)
        parts[best, 1], parts[count, 0], parts[count, 1] = middle, middle, end
        _surround(around, order, begin, middle, whole, best)
        _surround(around, order, middle, end, whole, count)
        count += 1
    return count


@body
def _surround(around: Singles, order: Nodes, start: int, stop: int, whole: Singles, row: int) -> None:
    """The box of the leaves order[start:stop], and half its surface."""
    for side in range(3):
        whole[row, side], whole[row, 3 + side] = F32(np.inf), F32(-np.inf)
    for k in range(start, stop):
        leaf = order[k]
        for side in range(3):
            whole[row, side] = min(whole[row, side], around[leaf, side])
            whole[row, 3 + side] = max(whole[row, 3 + side], around[leaf, 3 + side])
    whole[row, 6] = _area(whole, row)


@body
def _area(box: Singles, row: int) -> Any:
    """Half the surface of a box."""
    x, y, z = box[row, 3] - box[row, 0], box[row, 4] - box[row, 1], box[row, 5] - box[row, 2]
    return x * y + y * z + z * x


@body
def _split(around: Singles, order: Nodes, start: int, stop: int, number: Ints, bins: Singles, after: Singles) -> int:
    """Partition order[start:stop] where it costs least along the axis on which middles spread most; the second part."""
    axis, low, width = 0, F32(0), F32(-1)
    for side in range(3):
        least, most = F32(np.inf), F32(-np.inf)
        for k in range(start, stop):
            middle = around[order[k], side] + around[order[k], 3 + side]
            least, most = min(least, middle), max(most, middle)
        if most - least > width:
            axis, low, width = side, least, most - least
    if not width > F32(0):
        return (start + stop) // 2
    per = F32(BINS * 0.9999) / width
    for k in range(BINS):
        number[k] = 0
        for side in range(3):
            bins[k, side], bins[k, 3 + side] = F32(np.inf), F32(-np.inf)
    for k in range(start, stop):
        leaf = order[k]
        at = min(int((around[leaf, axis] + around[leaf, 3 + axis] - low) * per), BINS - 1)
        number[at] += 1
        for side in range(3):
            bins[at, side] = min(bins[at, side], around[leaf, side])
            bins[at, 3 + side] = max(bins[at, 3 + side], around[leaf, 3 + side])
    cut = _cheapest(number, bins, after)
    middle = start
    for k in range(start, stop):
        leaf = order[k]
        if min(int((around[leaf, axis] + around[leaf, 3 + axis] - low) * per), BINS - 1) < cut:
            order[k], order[middle] = order[middle], leaf
            middle += 1
    return middle if start < middle < stop else (start + stop) // 2


@body
def _cheapest(number: Ints, bins: Singles, after: Singles) -> int:
    """The first bin of the second part, where the two parts' areas times their leaves sum to least."""
    count, x0, y0, z0, x1, y1, z1 = 0, F32(np.inf), F32(np.inf), F32(np.inf), F32(-np.inf), F32(-np.inf), F32(-np.inf)
    for k in range(BINS - 1, 0, -1):
        x0, y0, z0 = min(x0, bins[k, 0]), min(y0, bins[k, 1]), min(z0, bins[k, 2])
        x1, y1, z1 = max(x1, bins[k, 3]), max(y1, bins[k, 4]), max(z1, bins[k, 5])
        count += number[k]
        x, y, z = x1 - x0, y1 - y0, z1 - z0
        after[k] = (x * y + y * z + z * x) * F32(count) if count else F32(np.inf)
    count, x0, y0, z0, x1, y1, z1 = 0, F32(np.inf), F32(np.inf), F32(np.inf), F32(-np.inf), F32(-np.inf), F32(-np.inf)
    cut, least = BINS // 2, F32(np.inf)
    for k in range(BINS - 1):
        x0, y0, z0 = min(x0, bins[k, 0]), min(y0, bins[k, 1]), min(z0, bins[k, 2])
        x1, y1, z1 = max(x1, bins[k, 3]), max(y1, bins[k, 4]), max(z1, bins[k, 5])
        count += number[k]
        x, y, z = x1 - x0, y1 - y0, z1 - z0
        cost = (x * y + y * z + z * x) * F32(count) + after[k + 1] if count else F32(np.inf)
        if cost < least:
            cut, least = k + 1, cost
    return cut
