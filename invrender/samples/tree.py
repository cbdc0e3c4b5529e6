"""A small tree made by rule: branches that fork, and leaves around the thin ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.nouns import Mesh

Array = NDArray[np.float64]
Faces = NDArray[np.int64]

_SIDES, _RINGS = (10, 8, 6, 5, 4), (9, 7, 6, 4, 4)  # of the tubes, by how often wood has forked
_GOLDEN = np.pi * (3 - 5**0.5)  # the angle between a branch and the next around their parent
_UP = np.array([0.0, 1.0, 0.0])
_DEEPEST = 4
_LEAVES = 16  # around each twig
_SEED = 7


@dataclass(frozen=True)
class _Branch:
    """A bent piece of wood.

    Attributes:
        points: [P,3] along its middle.
        radii: [P].
        depth: 0 for the trunk.
    """

    points: Array
    radii: Array
    depth: int


def bark() -> Mesh:
    """The trunk and branches of the tree: closed tubes that start inside their parents."""
    tubes = [_tube(branch) for branch in _branches()]
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in tubes])
    faces = np.concatenate([each + start for (_, each), start in zip(tubes, starts, strict=False)])
    return Mesh.from_numpy(np.concatenate([vertices for vertices, _ in tubes]).round(4), faces)


def leaves() -> Mesh:
    """The leaves of the tree: each is a rhomb folded along its middle, two triangles."""
    random = np.random.default_rng(_SEED)
    twigs = [branch for branch in _branches() if branch.depth >= _DEEPEST - 1]
    vertices = np.concatenate([_leaf(branch, random) for branch in twigs for _ in range(_LEAVES)])
    first = 4 * np.arange(len(vertices) // 4)
    faces = np.concatenate([np.stack([first, first + k, first + k + 1], axis=1) for k in (1, 2)])
    return Mesh.from_numpy(vertices.round(4), faces)


def _branches() -> list[_Branch]:
    """All branches, the trunk first."""
    return list(_grown(np.zeros(3), _UP, 1.5, 0.16, 0, np.random.default_rng(_SEED)))


def _grown(
    start: Array, along: Array, length: float, radius: float, depth: int, random: np.random.Generator
) -> Iterator[_Branch]:
    """A branch and all that grow out of it."""
    steps = np.linspace(0, 1, _RINGS[depth])
    bend = _unit(random.normal(size=3)) * (0.08 if depth == 0 else 0.22) * length
    points = start + steps[:, None] * length * along + (steps**2)[:, None] * (bend + 0.12 * depth * length * _UP)
    taper = 1 - 0.45 * steps + (0.5 * np.exp(-9 * steps) if depth == 0 else 0)  # the trunk widens at its foot
    yield _Branch(points, radius * taper, depth)
    if depth == _DEEPEST:
        return
    side, count = _unit(np.cross(along, random.normal(size=3))), 5 if depth == 0 else 4
    for k in range(count):
        place = 0.55 + 0.45 * (k + 1) / count if depth == 0 else 0.35 + 0.65 * (k + 1) / count
        at = points[min(round(place * (len(points) - 1)), len(points) - 1)]
        outwards = np.cos(k * _GOLDEN) * side + np.sin(k * _GOLDEN) * np.cross(along, side)
        spread = 0.95 - 0.45 * (k == count - 1)
        ahead = _unit(along + spread * outwards + 0.15 * random.normal(size=3))
        yield from _grown(at, ahead, length * random.uniform(0.58, 0.7), radius * 0.5, depth + 1, random)


def _tube(branch: _Branch) -> tuple[Array, Faces]:
    """A branch as a closed surface: rings about its middle, and both ends."""
    points, count, sides = branch.points, len(branch.points), _SIDES[branch.depth]
    along = np.gradient(points, axis=0)
    along = along / np.linalg.norm(along, axis=1, keepdims=True)
    side = np.cross(along, _unit(np.cross(along[0], [0.31, 0.17, 0.93])))
    side = side / np.linalg.norm(side, axis=1, keepdims=True)
    angle = np.arange(sides) * 2 * np.pi / sides
    ring = np.cos(angle)[:, None] * side[:, None] + np.sin(angle)[:, None] * np.cross(along, side)[:, None]
    vertices = (points[:, None] + branch.radii[:, None, None] * ring).reshape(-1, 3)
    k, nxt = np.arange(sides), (np.arange(sides) + 1) % sides
    rows = np.arange(count - 1)[:, None] * sides
    a, b, c, d = rows + k, rows + nxt, rows + sides + nxt, rows + sides + k
    foot, tip = len(vertices), len(vertices) + 1
    last = (count - 1) * sides
    faces = [np.stack([a, b, c], -1).reshape(-1, 3), np.stack([a, c, d], -1).reshape(-1, 3)]
    faces += [np.stack([np.full(sides, foot), nxt, k], 1), np.stack([np.full(sides, tip), last + k, last + nxt], 1)]
    return np.concatenate([vertices, points[:1], points[-1:]]), np.concatenate(faces)


def _leaf(branch: _Branch, random: np.random.Generator) -> Array:
    """[4,3] the corners of a leaf on a twig."""
    place = random.uniform(0.3, 1.0) * (len(branch.points) - 1)
    low = min(int(place), len(branch.points) - 2)
    at = branch.points[low] + (place - low) * (branch.points[low + 1] - branch.points[low])
    ahead = _unit(_unit(random.normal(size=3)) + 0.8 * _unit(branch.points[-1] - branch.points[0]))
    across = _unit(np.cross(ahead, random.normal(size=3) + 2 * _UP))
    length = random.uniform(0.13, 0.22)
    fold = 0.12 * length * np.cross(across, ahead)
    middle, half = at + 0.5 * length * ahead, 0.3 * length * across
    return np.stack([at, middle + half + fold, at + length * ahead, middle - half + fold])


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))
