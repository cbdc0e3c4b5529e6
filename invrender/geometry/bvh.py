"""A bounding volume hierarchy (BVH) over triangles, for compiled kernels: nearest faces, any face on a ray, overlaps.

Faces are sorted along a Morton curve and taken four by four as the leaves (Lauterbach et al. 2009, "Fast BVH
Construction on GPUs"); over these a tree of up to eight children a node is grown by the surface area heuristic in bins
(Wald 2007, "On fast Construction of SAH-based Bounding Volume Hierarchies"). Boxes are float32, in a frame in which the
mesh fits into [-1, 1], and a little larger than what they hold: they only decide what is looked at. Those of children
lie side by side, so that eight are tested at once (`lanes.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from invrender.geometry.bvh_growth import F32, WIDE, Nodes, Singles, grow
from invrender.geometry.vectors import Floats, Ints
from invrender.jit import body, kernel

LEAF = 4
PAD = 2.0**-21  # by which boxes are larger on each side: more than float32 rounds in [-2, 2]
_BITS = 14  # of each coordinate in a Morton code: with the number of a face it fits into 63 bits
_SPREAD = (
    (32, 0x1F00000000FFFF),
    (16, 0x1F0000FF0000FF),
    (8, 0x100F00F00F00F00F),
    (4, 0x10C30C30C30C30C3),
    (2, 0x1249249249249249),
)


@dataclass(frozen=True)
class Tree:
    """See the module; `L` leaves and `N` nodes.

    Attributes:
        vertices, faces: of the mesh, [V,3] and [F,3].
        order: [4 L] faces leaf by leaf; the last one is repeated where the last leaf has less than four.
        leaves: [L,6,4] float32 lower and upper corners of the faces' boxes.
        boxes: [N,6,8] float32 those of the children; node 0 is the root.
        children: [N,8] nodes, or ~leaf.
        counts: [N] how many children there are.
        centre: [3] and `scale`: points x of the world are (x - centre) scale in the tree.
        diagonal: of the faces' box, in the world.
        crossed: about how many leaves a line through that box meets.
    """

    vertices: Floats
    faces: Ints
    order: Ints
    leaves: Singles
    boxes: Singles
    children: Nodes
    counts: Nodes
    centre: Floats
    scale: float
    diagonal: float
    crossed: float

    @cached_property
    def triangles(self) -> Singles:
        """[L,9,4] a corner and two edges of each face, in the tree's frame: what rays are tested with."""
        out = np.empty((len(self.leaves), 9, LEAF), np.float32)
        _pack_triangles(self.vertices, self.faces, self.order, self.centre, self.scale, out)
        return out

    def placed(self, points: Floats) -> Floats:
        """Points [K,3] of the world in the tree's frame."""
        return (points - self.centre) * self.scale


def build_tree(vertices: Floats, faces: Ints) -> Tree:
    """The hierarchy over faces [F,3] of finite vertices [V,3]; F may be 0: then it has no leaf."""
    vertices, faces = np.ascontiguousarray(vertices, np.float64), np.ascontiguousarray(faces, np.int64)
    low, high = np.zeros(3), np.zeros(3)
    _bounds(vertices, faces, low, high)
    extent = max(float((high - low).max()), 1e-290) if (high > low).any() else 1.0
    centre, scale = 0.5 * low + 0.5 * high, 2.0 ** -np.ceil(np.log2(0.5 * extent))
    count = -(-len(faces) // LEAF)
    keys = np.empty(len(faces), np.int64)
    bits = max(len(faces) - 1, 1).bit_length()
    _code(vertices, faces, centre, scale, bits, keys)
    keys.sort()
    order = np.full(count * LEAF, keys[-1] if len(keys) else 0, np.int64)
    order[: len(keys)] = keys
    order &= (1 << bits) - 1
    leaves, around = np.empty((count, 6, LEAF), np.float32), np.empty((count, 6), np.float32)
    _fill_leaves(vertices, faces, order, centre, scale, leaves, around)
    boxes, children = np.empty((count + 1, 6, WIDE), np.float32), np.empty((count + 1, WIDE), np.int32)
    counts = np.zeros(count + 1, np.int32)
    nodes = grow(around, boxes, children, counts)
    return Tree(
        vertices, faces, order, leaves, boxes[:nodes], children[:nodes], counts[:nodes], centre, float(scale),
        float(np.sqrt(((high - low) ** 2).sum())), _crossed(around, (high - low) * scale),
    )  # fmt: skip


def _crossed(around: Singles, size: Floats) -> float:
    """The leaves' surfaces [L,6] over that of the box around all: how many a line through it meets on average."""
    x, y, z = ((around[:, 3 + axis] - around[:, axis]).astype(np.float64) for axis in range(3))
    whole = size[0] * size[1] + size[1] * size[2] + size[2] * size[0]
    return float((x * y + y * z + z * x).sum() / max(whole, 1e-12))


def along_a_curve(points: Floats) -> Ints:
    """An order [K] of points [K,3] in which those that follow each other are close in space."""
    if not len(points):
        return np.zeros(0, np.int64)
    low, high = points.min(0), points.max(0)
    keys, bits = np.empty(len(points), np.int64), max(len(points) - 1, 1).bit_length()
    _code_points(points, low, (2**_BITS - 1) / max(float((high - low).max()), 1e-300), bits, keys)
    keys.sort()
    return np.asarray(keys & ((1 << bits) - 1))


@kernel
def _bounds(v: Floats, f: Ints, low: Floats, high: Floats) -> None:
    for axis in range(3):
        low[axis], high[axis] = (np.inf, -np.inf) if len(f) else (0.0, 0.0)
    for face in range(len(f)):
        for corner in range(3):
            for axis in range(3):
                x = v[f[face, corner], axis]
                low[axis], high[axis] = min(low[axis], x), max(high[axis], x)


@body
def _spread(cell: int) -> int:
    """The bits of a number with two zeros before each."""
    cell &= 0x1FFFFF
    for shift, mask in _SPREAD:
        cell = (cell | (cell << shift)) & mask
    return cell


@kernel
def _code(v: Floats, f: Ints, centre: Floats, scale: float, bits: int, keys: Ints) -> None:
    """Morton codes of the middles of the faces' boxes, each with the number of its face below it."""
    cells = 2.0 ** (_BITS - 1) - 1e-3
    for face in range(len(f)):
        code = 0
        for axis in range(3):
            a, b, c = v[f[face, 0], axis], v[f[face, 1], axis], v[f[face, 2], axis]
            middle = (0.5 * min(a, b, c) + 0.5 * max(a, b, c) - centre[axis]) * scale
            code = code << 1 | _spread(int((middle + 1.0) * cells))
        keys[face] = code << bits | face


@kernel
def _code_points(points: Floats, low: Floats, cells: float, bits: int, keys: Ints) -> None:
    for k in range(len(points)):
        code = 0
        for axis in range(3):
            code = code << 1 | _spread(int((points[k, axis] - low[axis]) * cells))
        keys[k] = code << bits | k


@kernel
def _fill_leaves(
    v: Floats, f: Ints, order: Ints, centre: Floats, scale: float, leaves: Singles, around: Singles
) -> None:
    """The boxes of the faces of each leaf, and those of the leaves [L,6]."""
    for leaf in range(len(leaves)):
        for axis in range(3):
            lowest, highest = F32(np.inf), F32(-np.inf)
            for k in range(LEAF):
                face = order[leaf * LEAF + k]
                a, b, c = v[f[face, 0], axis], v[f[face, 1], axis], v[f[face, 2], axis]
                low = F32((min(a, b, c) - centre[axis]) * scale - PAD)
                high = F32((max(a, b, c) - centre[axis]) * scale + PAD)
                leaves[leaf, axis, k], leaves[leaf, 3 + axis, k] = low, high
                lowest, highest = min(lowest, low), max(highest, high)
            around[leaf, axis], around[leaf, 3 + axis] = lowest, highest


@kernel
def _pack_triangles(v: Floats, f: Ints, order: Ints, centre: Floats, scale: float, out: Singles) -> None:
    for row in range(len(order)):
        leaf, k, face = row // LEAF, row % LEAF, order[row]
        for axis in range(3):
            a = v[f[face, 0], axis]
            out[leaf, axis, k] = (a - centre[axis]) * scale
            out[leaf, 3 + axis, k] = (v[f[face, 1], axis] - a) * scale
            out[leaf, 6 + axis, k] = (v[f[face, 2], axis] - a) * scale
