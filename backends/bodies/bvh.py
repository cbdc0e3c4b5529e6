"""Bodies for rays: intersection with a triangle, and traversal of a bounding volume hierarchy to the first hit."""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .target import device

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]
Six: TypeAlias = tuple[float, float, float, float, float, float]

STACK = 96  # the builder's trees are never deeper
PARALLEL = 1e-300  # stands in for a direction of zero, whose inverse would give 0 * inf


@device
def first_face(
    ox: float, oy: float, oz: float, dx: float, dy: float, dz: float,
    corners: Floats, order: Ints, boxes: Floats, links: Ints, stack: Ints,
) -> int:  # fmt: skip
    """The first face that the ray meets at t > 0, the lowest of those at the same distance; -1 for a miss.

    Args:
        ox ... dz: origin and direction.
        corners: [F,3,3].
        order: [F] face ids, leaf by leaf.
        boxes: [B,6] lower and upper corners of the tree's nodes; node 0 is the root.
        links: [B,2] first child (the other one follows it) and 0, or the leaf's first row of `order` and its length.
        stack: [STACK], overwritten.
    """
    ix = 1.0 / (dx if dx != 0.0 else PARALLEL)
    iy = 1.0 / (dy if dy != 0.0 else PARALLEL)
    iz = 1.0 / (dz if dz != 0.0 else PARALLEL)
    best, nearest = -1, math.inf
    stack[0], waiting = 0, 1
    while waiting > 0:
        waiting -= 1
        node = stack[waiting]
        if box_entry(ox, oy, oz, ix, iy, iz, boxes, node) > nearest:
            continue
        start, length = links[node, 0], links[node, 1]
        if length == 0:
            left = box_entry(ox, oy, oz, ix, iy, iz, boxes, start)
            right = box_entry(ox, oy, oz, ix, iy, iz, boxes, start + 1)
            near, far = (start, start + 1) if left <= right else (start + 1, start)
            if max(left, right) <= nearest and max(left, right) < math.inf:
                stack[waiting] = far
                waiting += 1
            if min(left, right) <= nearest and min(left, right) < math.inf:
                stack[waiting] = near
                waiting += 1
            continue
        for row in range(start, start + length):
            face = order[row]
            t = ray_triangle(ox, oy, oz, dx, dy, dz, corners, face)
            if t < nearest or (t == nearest and t < math.inf and face < best):
                best, nearest = face, t
    return best


@device
def box_entry(ox: float, oy: float, oz: float, ix: float, iy: float, iz: float, boxes: Floats, node: int) -> float:
    """Where a ray with inverse direction (ix, iy, iz) enters a box, at least 0; inf where it misses it."""
    x0, x1 = (boxes[node, 0] - ox) * ix, (boxes[node, 3] - ox) * ix
    y0, y1 = (boxes[node, 1] - oy) * iy, (boxes[node, 4] - oy) * iy
    z0, z1 = (boxes[node, 2] - oz) * iz, (boxes[node, 5] - oz) * iz
    enter = max(min(x0, x1), min(y0, y1), min(z0, z1), 0.0)
    leave = min(max(x0, x1), max(y0, y1), max(z0, z1))
    return enter if enter <= leave else math.inf


@device
def ray_triangle(ox: float, oy: float, oz: float, dx: float, dy: float, dz: float, corners: Floats, face: int) -> float:
    """Distance t > 0 along a ray to a face, from either side; inf for a miss (Moeller and Trumbore 1997)."""
    ax, ay, az = corners[face, 0, 0], corners[face, 0, 1], corners[face, 0, 2]
    sx, sy, sz = corners[face, 1, 0] - ax, corners[face, 1, 1] - ay, corners[face, 1, 2] - az
    rx, ry, rz = corners[face, 2, 0] - ax, corners[face, 2, 1] - ay, corners[face, 2, 2] - az
    px, py, pz = dy * rz - dz * ry, dz * rx - dx * rz, dx * ry - dy * rx
    det = sx * px + sy * py + sz * pz
    qx, qy, qz = ox - ax, oy - ay, oz - az
    u = (qx * px + qy * py + qz * pz) / det
    cx, cy, cz = qy * sz - qz * sy, qz * sx - qx * sz, qx * sy - qy * sx
    v = (dx * cx + dy * cy + dz * cz) / det
    t = (rx * cx + ry * cy + rz * cz) / det
    # Comparisons with the NaN of a parallel ray or a degenerate face fail.
    return t if u >= 0.0 and v >= 0.0 and u + v <= 1.0 and t > 0.0 else math.inf
