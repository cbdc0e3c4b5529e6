"""Which points of a surface can be seen: from outside along many directions, or from the places of cameras.

Rays run from the points until they meet a face. A point that one direction, or one camera, sees is done with, so that
later ones are left with the hidden points; and the face that stopped a ray is tried first for the next, which starts
close by.
"""

from __future__ import annotations

import numpy as np

from invrender.geometry.bvh import STACK, build_bvh, morton_codes
from invrender.geometry.triples import Triple, along, cross, dot, minus, point
from invrender.geometry.vectors import Bools, Floats, Ints, unit
from invrender.jit import body, kernel

PARALLEL = 1e-300  # stands in for a direction of zero, whose inverse would give 0 * inf
ROUNDING = 1e-15  # of a distance, so that a face that its box just touches is not missed


def spread_directions(n: int, phase: float = 0.3) -> Floats:
    """Unit vectors [n,3] on a golden-angle spiral over the sphere."""
    i = np.arange(n)
    y = 1 - 2 * (i + 0.5) / n
    r, a = np.sqrt(1 - y * y), i * np.pi * (3 - np.sqrt(5)) + phase
    return np.stack([r * np.sin(a), y, r * np.cos(a)], axis=1)


def _ready(points: Floats, corners: Floats) -> tuple[Floats, Floats, Floats, Ints]:
    """A tree over faces [F,3,3]: its boxes and the faces in its order; points [K,3] and the order that keeps near ones
    together."""
    bvh, points = build_bvh(corners), np.ascontiguousarray(points, np.float64)
    return bvh.boxes, corners[bvh.order], points, np.argsort(morton_codes(points), kind="stable")


def visible_from_outside(points: Floats, vertices: Floats, faces: Ints, lift: float, directions: int = 64) -> Bools:
    """Whether a ray from each point [K,3] escapes along at least one of the directions; [K].

    `lift` is how far, in world units, a ray starts from its point, so that the point's own face does not hide it.
    """
    seen = np.zeros(len(points), bool)
    if not len(faces):
        return ~seen
    boxes, corners, points, order = _ready(points, vertices[faces])
    _mark_escaping(boxes, corners, points, order, spread_directions(directions), lift, seen)
    return seen


def outlined(
    points: Floats, normals: Floats, vertices: Floats, faces: Ints, lift: float, directions: int = 32
) -> Bools:
    """Whether an outline can run through each point [K,3] of a surface: a line that touches it there is free; [K].

    Lines are tried along `directions` tangents, from a distance of `lift` above the surface, so that bumps lower than
    that hide nothing. A point is outlined where one of them meets the surface in neither direction.

    Args:
        points, normals: [K,3], the normals of length 1, outward.
        vertices, faces: of the surface, [V,3] and [F,3].
        lift: in world units.
        directions: how many tangents.
    """
    seen = np.zeros(len(points), bool)
    if not len(faces):
        return ~seen
    boxes, corners, points, order = _ready(points, vertices[faces])
    first = unit(np.cross(normals, np.eye(3)[np.abs(normals).argmin(1)]))
    second = np.cross(normals, first)
    for turn in np.arange(directions) / directions * np.pi:
        tangents = np.cos(turn) * first + np.sin(turn) * second
        _mark_outlined(boxes, corners, points, normals, tangents, order, lift, seen)
    return seen


@kernel
def _mark_outlined(
    boxes: Floats, corners: Floats, points: Floats, normals: Floats, tangents: Floats, order: Ints, lift: float,
    seen: Bools,
) -> None:  # fmt: skip
    """Set `seen` [K] where a line along a point's tangent is free on both sides of it."""
    stack = np.empty(STACK, np.int64)
    hit = 0
    for k in order:
        if seen[k]:
            continue
        n, d = point(normals, k), point(tangents, k)
        o, back = along(point(points, k), lift, n), (-d[0], -d[1], -d[2])
        if _meets(corners[hit], o, d, np.inf) or _meets(corners[hit], o, back, np.inf):
            continue
        found = _any_face(boxes, corners, o, d, np.inf, stack)
        if found < 0:
            found = _any_face(boxes, corners, o, back, np.inf, stack)
        seen[k] = found < 0
        hit = max(found, 0)


def seen_from(points: Floats, vertices: Floats, faces: Ints, eyes: Floats, framed: Bools, lift: float) -> Bools:
    """Whether nothing lies between a point and at least one of the eyes that have it in their picture; [K].

    Args:
        points: [K,3].
        vertices, faces: of the surface, [V,3] and [F,3].
        eyes: [N,3] places of cameras.
        framed: [N,K] whether a camera has a point in its picture, as if nothing hid it.
        lift: how far, in world units, a ray starts from its point.
    """
    seen = np.zeros(len(points), bool)
    if not len(faces):
        return np.asarray(framed.any(0))
    boxes, corners, points, order = _ready(points, vertices[faces])
    eyes = np.ascontiguousarray(eyes, np.float64)
    _mark_seen(boxes, corners, points, order, eyes, np.ascontiguousarray(framed), lift, seen)
    return seen


@kernel
def _mark_seen(
    boxes: Floats, corners: Floats, points: Floats, order: Ints, eyes: Floats, framed: Bools, lift: float, seen: Bools
) -> None:
    """Set `seen` [K] where a ray reaches an eye; `corners` [F,3,3] come in the tree's order, points in `order` [K]."""
    stack = np.empty(STACK, np.int64)
    for row in range(len(eyes)):
        eye, hit = point(eyes, row), 0
        for k in order:
            if seen[k] or not framed[row, k]:
                continue
            way = minus(eye, point(points, k))
            length = np.sqrt(dot(way, way))
            if length <= lift:
                seen[k] = True
                continue
            d = along((0.0, 0.0, 0.0), 1.0 / length, way)
            o = along(point(points, k), lift, d)
            if _meets(corners[hit], o, d, length - lift):
                continue
            found = _any_face(boxes, corners, o, d, length - lift, stack)
            seen[k] = found < 0
            hit = max(found, 0)


@kernel
def _mark_escaping(
    boxes: Floats, corners: Floats, points: Floats, order: Ints, directions: Floats, lift: float, seen: Bools
) -> None:
    """Set `seen` [K] where a ray escapes; `corners` [F,3,3] come in the tree's order, points in that of `order` [K]."""
    stack = np.empty(STACK, np.int64)
    for row in range(len(directions)):
        d, hit = point(directions, row), 0
        for k in order:
            if seen[k]:
                continue
            o = along(point(points, k), lift, d)
            if _meets(corners[hit], o, d, np.inf):
                continue
            found = _any_face(boxes, corners, o, d, np.inf, stack)
            seen[k] = found < 0
            hit = max(found, 0)


@body
def _any_face(boxes: Floats, corners: Floats, o: Triple, d: Triple, far: float, stack: Ints) -> int:
    """A face, in the tree's order, that the ray from o along d meets nearer than `far`; -1: it escapes."""
    inverse = (
        1.0 / (d[0] if d[0] != 0.0 else PARALLEL),
        1.0 / (d[1] if d[1] != 0.0 else PARALLEL),
        1.0 / (d[2] if d[2] != 0.0 else PARALLEL),
    )
    inner_nodes = len(boxes) // 2
    stack[0], waiting = 0, 1
    while waiting > 0:
        waiting -= 1
        node = stack[waiting]
        if not _enters(boxes, node, o, inverse):
            continue
        if node < inner_nodes:
            stack[waiting], stack[waiting + 1] = 2 * node + 1, 2 * node + 2
            waiting += 2
        elif _meets(corners[node - inner_nodes], o, d, far):
            return int(node - inner_nodes)
    return -1


@body
def _enters(boxes: Floats, node: int, o: Triple, inverse: Triple) -> bool:
    """Whether a ray meets a box."""
    enter, leave = 0.0, np.inf if boxes[node, 0] < np.inf else -1.0  # an empty one is never met
    for axis in range(3):
        a = (boxes[node, axis] - o[axis]) * inverse[axis]
        b = (boxes[node, 3 + axis] - o[axis]) * inverse[axis]
        enter, leave = max(enter, min(a, b)), min(leave, max(a, b))
    return bool(enter <= leave * (1 + ROUNDING))


@body
def _meets(corners: Floats, o: Triple, d: Triple, far: float) -> bool:
    """Whether the ray from o along d meets a triangle [3,3] nearer than `far`, from either side.

    By Moeller and Trumbore 1997.
    """
    a = point(corners, 0)
    s, r, q = minus(point(corners, 1), a), minus(point(corners, 2), a), minus(o, a)
    p, c = cross(d, r), cross(q, s)
    det = dot(s, p)
    u, v, t = dot(q, p) / det, dot(d, c) / det, dot(r, c) / det
    return bool(u >= 0.0 and v >= 0.0 and u + v <= 1.0 and 0.0 < t < far)  # never with the NaN of a parallel ray
