"""Which points of a surface can be seen: from outside along many directions, or from the places of cameras.

Rays run from the points until they meet a face. A point that one direction, or one camera, sees is done with, so that
later ones are left with the hidden points; and the leaf whose face stopped a ray is tried first for the next, which
starts close by. Everything is float32 in the tree's frame: what is asked for is whether a face is in the way of a ray
that starts a thousandth of the surface's size off it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.bvh import Tree, along_a_curve
from invrender.geometry.bvh_growth import F32, STACK, WIDE, Nodes, Singles
from invrender.geometry.lanes import entered, lowest, met
from invrender.geometry.vectors import Bools, Floats, Ints, unit
from invrender.jit import body, kernel

ABOUT = F32(0.5)  # the cosine up to which a direction is about a normal
ZERO, ONE, NOWHERE = F32(0), F32(1), F32(np.inf)
PARALLEL = F32(1e-20)  # stands in for a direction of zero, whose inverse would give 0 * inf


def spread_directions(n: int, phase: float = 0.3) -> Floats:
    """Unit vectors [n,3] on a golden-angle spiral over the sphere."""
    i = np.arange(n)
    y = 1 - 2 * (i + 0.5) / n
    r, a = np.sqrt(1 - y * y), i * np.pi * (3 - np.sqrt(5)) + phase
    return np.stack([r * np.sin(a), y, r * np.cos(a)], axis=1)


def _packed(tree: Tree) -> tuple[Singles, Nodes, Nodes, Singles]:
    """What rays need of a tree."""
    return tree.boxes, tree.children, tree.counts, tree.triangles


def _singles(values: NDArray[Any]) -> Singles:
    return np.ascontiguousarray(values, np.float32)


def visible_from_outside(
    points: Floats, tree: Tree, lift: float, directions: int = 64, normals: Floats | None = None
) -> Bools:
    """Whether a ray from each point [K,3] escapes along at least one of the directions; [K].

    `lift` is how far, in world units, a ray starts from its point, so that the point's own face does not hide it.
    Outward `normals` [K,3] change no answer: directions about them are tried first, as most of these escape.
    """
    seen, ways = np.zeros(len(points), bool), _singles(spread_directions(directions)[_apart(directions)])
    order, across = along_a_curve(points), _singles(np.zeros((0, 3)) if normals is None else normals)
    _mark_escaping(_packed(tree), _singles(tree.placed(points)), order, ways, across, F32(lift * tree.scale), seen)
    return seen


def _apart(count: int) -> Ints:
    """An order of so many directions in which neighbours differ: what blocks one may leave the next free."""
    return np.argsort(np.arange(count) * (np.sqrt(5) - 1) / 2 % 1)


def outlined(points: Floats, normals: Floats, tree: Tree, lift: float, directions: int = 32) -> Bools:
    """Whether an outline can run through each point [K,3] of a surface: a line that touches it there is free; [K].

    Lines are tried along `directions` tangents, from a distance of `lift` above the surface, so that bumps lower than
    that hide nothing. A point is outlined where one of them meets the surface in neither direction.

    Args:
        points, normals: [K,3], the normals of length 1, outward.
        tree: over the surface.
        lift: in world units.
        directions: how many tangents.
    """
    seen = np.zeros(len(points), bool)
    first = unit(np.cross(normals, np.eye(3)[np.abs(normals).argmin(1)]))
    across = _singles(first), _singles(np.cross(normals, first))
    start = _singles(tree.placed(points + lift * normals))
    _mark_outlined(_packed(tree), start, *across, along_a_curve(points), _apart(directions), seen)
    return seen


@kernel
def _mark_outlined(
    tree: Any, points: Singles, first: Singles, second: Singles, order: Ints, turns: Ints, seen: Bools
) -> None:
    """Set `seen` [K] where a line along a point's tangent is free on both sides of it."""
    stack, keys = np.empty(STACK, np.int32), np.empty(WIDE, np.float32)
    hit = -1
    for turn in turns / len(turns) * np.pi:
        x, y = F32(np.cos(turn)), F32(np.sin(turn))
        for k in order:
            if seen[k]:
                continue
            dx = x * first[k, 0] + y * second[k, 0]
            dy = x * first[k, 1] + y * second[k, 1]
            dz = x * first[k, 2] + y * second[k, 2]
            o = points[k, 0], points[k, 1], points[k, 2]
            found = _on_way(tree, o, (dx, dy, dz), NOWHERE, hit, stack, keys)
            if found < 0:
                found = _on_way(tree, o, (-dx, -dy, -dz), NOWHERE, hit, stack, keys)
            seen[k] = found < 0
            hit = found


def seen_from(
    points: Floats, tree: Tree, eyes: Floats, framed: Bools, lift: float, normals: Floats | None = None
) -> Bools:
    """Whether nothing lies between a point and at least one of the eyes that have it in their picture; [K].

    Args:
        points: [K,3].
        tree: over the surface.
        eyes: [N,3] places of cameras.
        framed: [N,K] whether a camera has a point in its picture, as if nothing hid it.
        lift: how far, in world units, a ray starts from its point.
        normals: [K,3] outward; they change no answer, but eyes before the surface are tried first.
    """
    seen = np.zeros(len(points), bool)
    across = np.zeros((0, 3)) if normals is None else np.ascontiguousarray(normals, np.float64)
    _mark_seen(
        _packed(tree), tree.placed(points), along_a_curve(points), tree.placed(eyes), np.ascontiguousarray(framed),
        across, lift * tree.scale, seen,
    )  # fmt: skip
    return seen


@kernel
def _mark_seen(
    tree: Any, points: Floats, order: Ints, eyes: Floats, framed: Bools, normals: Floats, lift: float, seen: Bools
) -> None:
    """Set `seen` [K] where a ray reaches an eye; with normals, eyes before the surface come first."""
    stack, keys = np.empty(STACK, np.int32), np.empty(WIDE, np.float32)
    for row in range(2 * len(eyes) if len(normals) else len(eyes)):
        hit, first = -1, row < len(eyes)
        eye = row if first else row - len(eyes)
        for k in order:
            if seen[k] or not framed[eye, k]:
                continue
            x, y, z = eyes[eye, 0] - points[k, 0], eyes[eye, 1] - points[k, 1], eyes[eye, 2] - points[k, 2]
            if len(normals) and (x * normals[k, 0] + y * normals[k, 1] + z * normals[k, 2] > 0.0) != first:
                continue
            length = np.sqrt(x * x + y * y + z * z)
            if length <= lift:
                seen[k] = True
                continue
            x, y, z = x / length, y / length, z / length
            o = F32(points[k, 0] + lift * x), F32(points[k, 1] + lift * y), F32(points[k, 2] + lift * z)
            hit = _on_way(tree, o, (F32(x), F32(y), F32(z)), F32(length - lift), hit, stack, keys)
            seen[k] = hit < 0


@kernel
def _mark_escaping(
    tree: Any, points: Singles, order: Ints, directions: Singles, normals: Singles, lift: F32, seen: Bools
) -> None:
    """Set `seen` [K] where a ray escapes; with normals, directions about them come first."""
    stack, keys = np.empty(STACK, np.int32), np.empty(WIDE, np.float32)
    for row in range(2 * len(directions) if len(normals) else len(directions)):
        hit, first = -1, row < len(directions)
        d = row if first else row - len(directions)
        x, y, z = directions[d, 0], directions[d, 1], directions[d, 2]
        for k in order:
            if seen[k]:
                continue
            if len(normals) and (x * normals[k, 0] + y * normals[k, 1] + z * normals[k, 2] > ABOUT) != first:
                continue
            o = points[k, 0] + lift * x, points[k, 1] + lift * y, points[k, 2] + lift * z
            hit = _on_way(tree, o, (x, y, z), NOWHERE, hit, stack, keys)
            seen[k] = hit < 0


def blocked(origins: Floats, directions: Floats, tree: Tree) -> Bools:
    """Whether rays from [K,3] along [K,3], of length 1, meet the surface; [K]. Neighbours should follow each other."""
    found = np.zeros(len(origins), bool)
    _mark_blocked(_packed(tree), _singles(tree.placed(origins)), _singles(directions), found)
    return found


@kernel
def _mark_blocked(tree: Any, origins: Singles, directions: Singles, found: Bools) -> None:
    """Set `found` [K] where a ray meets a face."""
    stack, keys = np.empty(STACK, np.int32), np.empty(WIDE, np.float32)
    hit = -1
    for k in range(len(origins)):
        o, d = (origins[k, 0], origins[k, 1], origins[k, 2]), (directions[k, 0], directions[k, 1], directions[k, 2])
        hit = _on_way(tree, o, d, NOWHERE, hit, stack, keys)
        found[k] = hit >= 0


@body
def _on_way(tree: Any, o: Any, d: Any, far: F32, hit: int, stack: Nodes, keys: Singles) -> int:
    """A leaf with a face that the ray from o along d meets nearer than `far`, first tried in `hit`; -1: there is none.

    Of the children of a node that the ray enters the nearest is gone on with: what stops a ray is mostly close.
    """
    boxes, children, counts, triangles = tree
    if hit >= 0 and met(triangles, hit, o[0], o[1], o[2], d[0], d[1], d[2], far) != 0:
        return hit
    ix = ONE / (d[0] if d[0] != ZERO else PARALLEL)
    iy = ONE / (d[1] if d[1] != ZERO else PARALLEL)
    iz = ONE / (d[2] if d[2] != ZERO else PARALLEL)
    stack[0], waiting = 0, 1
    while waiting > 0:
        waiting -= 1
        node = np.uint64(stack[waiting])
        mask = entered(boxes, node, o[0], o[1], o[2], ix, iy, iz, far, keys) & ((1 << counts[node]) - 1)
        nearest, first = NOWHERE, waiting
        while mask != 0:
            k = np.uint64(lowest(mask))
            mask &= mask - 1
            child = children[node, k]
            if child < 0:
                if met(triangles, ~child, o[0], o[1], o[2], d[0], d[1], d[2], far) != 0:
                    return int(~child)
                continue
            stack[waiting] = child
            if keys[k] < nearest:
                nearest, first = keys[k], waiting
            waiting += 1
        if waiting > first:
            stack[first], stack[waiting - 1] = stack[waiting - 1], stack[first]
    return -1
