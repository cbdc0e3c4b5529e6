"""A bounding volume hierarchy (BVH) over triangles, for compiled kernels: nearest faces, and pairs that may intersect.

A complete binary tree over the faces in Morton order (Lauterbach et al. 2009): node i has the children 2 i + 1 and
2 i + 2, the leaves come last and hold one face each; surplus leaves have empty boxes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from invrender.geometry.triples import Triple
from invrender.geometry.vectors import Floats, Ints
from invrender.jit import body

STACK = 64  # a full tree of so many levels would not fit in memory
_BITS = 21  # of each coordinate in a Morton code
_SPREAD = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)


@dataclass(frozen=True)
class Bvh:
    """See the module.

    Attributes:
        order: [F] faces in the order of the leaves.
        boxes: [N,6] lower and upper corners of the nodes; N // 2 of them come before the leaves.
    """

    order: Ints
    boxes: Floats


def build_bvh(corners: Floats) -> Bvh:
    """The hierarchy over faces with corners [F,3,3], F > 0."""
    low, high = corners.min(1), corners.max(1)
    order = np.argsort(morton_codes(low + high), kind="stable")
    level = np.full((1 << (len(corners) - 1).bit_length(), 6), np.inf)
    level[: len(corners)] = np.concatenate([low, -high], 1)[order]
    levels = [level]
    while len(level) > 1:
        level = np.minimum(level[0::2], level[1::2])
        levels.append(level)
    boxes = np.concatenate(levels[::-1])
    boxes[:, 3:] *= -1
    return Bvh(order, boxes)


def morton_codes(points: Floats) -> Ints:
    """Interleaved bits of the coordinates of points [K,3]: points with close codes are close in space; [K]."""
    low, high = points.min(0, initial=np.inf), points.max(0, initial=-np.inf)
    scale = (2**_BITS - 1) / max(float((high - low).max()), 1e-300)
    cell = ((points - low) * scale).astype(np.int64)
    for shift, mask in _SPREAD:
        cell = (cell | (cell << shift)) & mask
    return np.asarray(cell[:, 0] << 2 | cell[:, 1] << 1 | cell[:, 2])


@body
def squared_distance(boxes: Floats, node: int, p: Triple) -> float:
    """The squared distance of a point from a box; infinite if that is empty."""
    dx = max(boxes[node, 0] - p[0], p[0] - boxes[node, 3], 0.0)
    dy = max(boxes[node, 1] - p[1], p[1] - boxes[node, 4], 0.0)
    dz = max(boxes[node, 2] - p[2], p[2] - boxes[node, 5], 0.0)
    return float(dx * dx + dy * dy + dz * dz)


@body
def overlap(boxes: Floats, a: int, b: int) -> bool:
    """Whether two boxes meet."""
    return bool(
        boxes[a, 0] <= boxes[b, 3]
        and boxes[b, 0] <= boxes[a, 3]
        and boxes[a, 1] <= boxes[b, 4]
        and boxes[b, 1] <= boxes[a, 4]
        and boxes[a, 2] <= boxes[b, 5]
        and boxes[b, 2] <= boxes[a, 5]
    )
