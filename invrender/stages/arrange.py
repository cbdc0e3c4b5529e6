"""Objects at random places on a stage, all of them in view however they are turned about the vertical axis."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from invrender.nouns.stage import Stage
from invrender.stages.solids import KINDS, Ints, Solid, solid

Floats = NDArray[np.float64]
Random = np.random.Generator

TRIES = 12  # places that an object is tried at; the one that overlaps least is taken
MOST = 5  # primitives of a scene
STACKED = 0.25  # share of primitives that stand on another one, where there is room
UPRIGHT = 0.5  # share of objects that are turned about the vertical axis alone


@dataclass(frozen=True)
class Room:
    """Where objects may be: an upright cylinder about the origin.

    Attributes:
        radius: of it.
        floor, ceiling: heights.
    """

    radius: float
    floor: float
    ceiling: float


@dataclass(frozen=True)
class Body:
    """A closed object in the world: vertices [V,3] float64, faces [F,3] int64."""

    vertices: Floats
    faces: Ints

    def turned(self, angle: float) -> Body:
        """About the vertical axis, in radians, counter-clockwise seen from above."""
        return Body(self.vertices @ about_y(angle).T, self.faces)

    @property
    def low(self) -> float:
        """The least height."""
        return float(self.vertices[:, 1].min())

    @property
    def high(self) -> float:
        """The greatest height."""
        return float(self.vertices[:, 1].max())


@cache
def room(stage: Stage, size: tuple[int, int]) -> Room:
    """The cylinder of the stage's reach, from the ground up to where it leaves the view or comes too near.

    Args:
        stage: with or without ground.
        size: (H, W) of pictures, of which the proportions count.
    """
    radius = stage.reach
    angle = np.linspace(0, 2 * np.pi, 64, endpoint=False)
    ring = np.stack([radius * np.cos(angle), np.zeros(64), radius * np.sin(angle)], 1)
    heights = np.linspace(-1.5 * radius, 3 * radius, 181)
    fits = np.array([bool(seen(ring + np.array([0, height, 0]), stage, size).all()) for height in heights])
    middle = int(np.abs(heights).argmin())
    above, below = fits[middle:], fits[middle::-1]
    high = heights[middle + (len(above) if above.all() else int(above.argmin())) - 1]
    low = heights[middle - (len(below) if below.all() else int(below.argmin())) + 1]
    return Room(radius, float(low) if stage.ground is None else stage.ground, float(high))


def seen(points: Floats, stage: Stage, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Which points [N,3] are in the picture and between the depths."""
    pose = stage.camera_to_world.numpy()
    local = (points - pose[:3, 3]) @ pose[:3, :3]
    depth = -local[:, 2]
    right, up = stage.half_extents(size)
    flat = (np.abs(local[:, 0]) <= right * depth) & (np.abs(local[:, 1]) <= up * depth)
    return np.asarray(flat & (depth >= stage.near) & (depth <= stage.far))


def primitives(random: Random, space: Room, fewest: int = 2, most: int = MOST) -> list[Body]:
    """Solids of random kinds, sizes and turns, on the floor or on each other."""
    bodies: list[Body] = []
    for _ in range(int(random.integers(fewest, most + 1))):
        kind = KINDS[int(random.choice(len(KINDS), p=(0.26, 0.26, 0.26, 0.12, 0.1)))]
        first, second, third = random.uniform(0.5, 1.0, 3)
        shape = solid(kind, (float(first), float(second), float(third)))
        bodies.append(placed(random, shape, float(random.uniform(0.26, 0.56)) * space.radius, space, bodies))
    return bodies


def placed(random: Random, shape: Solid, size: float, space: Room, others: Sequence[Body]) -> Body:
    """An object turned at random and put where it overlaps others least.

    Args:
        random: where chance comes from.
        shape: about its middle.
        size: its circumradius; less where that does not fit.
        space: in which it has to be.
        others: that are there already.
    """
    vertices, faces = shape
    turn = about_y(float(random.uniform(0, 2 * np.pi)))
    if random.uniform() >= UPRIGHT:
        turn = _rotation(random)
    vertices = (vertices - (vertices.min(0) + vertices.max(0)) / 2) @ turn.T
    wide, tall = float(np.hypot(vertices[:, 0], vertices[:, 2]).max()), float(np.ptp(vertices[:, 1]))
    circumradius = float(np.linalg.norm(vertices, axis=1).max())
    scale = min(size / circumradius, space.radius / wide, (space.ceiling - space.floor) / tall)
    vertices, wide, tall = vertices * scale, wide * scale, tall * scale
    if others and random.uniform() < STACKED:
        under = others[int(random.integers(len(others)))]
        top = under.high - 0.04 * tall  # a little sunk in, for a ball to stand on a ball
        if top + tall <= space.ceiling:
            spot = _within(under.vertices[:, [0, 2]].mean(0), space.radius - wide)
            return _moved(vertices, faces, spot, top)
    spots = [_spot(random, space.radius - wide) for _ in range(TRIES)]
    spot = min(spots, key=lambda at: _overlap(at, wide, others))
    return _moved(vertices, faces, spot, space.floor)


def _moved(vertices: Floats, faces: Ints, spot: Floats, bottom: float) -> Body:
    """At a place (x, z), its lowest point at the height `bottom`."""
    return Body(vertices + np.array([spot[0], bottom - vertices[:, 1].min(), spot[1]]), faces)


def _spot(random: Random, reach: float) -> Floats:
    """A place in a disc."""
    angle, away = random.uniform(0, 2 * np.pi), reach * np.sqrt(random.uniform())
    return np.array([away * np.cos(angle), away * np.sin(angle)])


def _within(spot: Floats, reach: float) -> Floats:
    away = float(np.hypot(*spot))
    return spot if away <= reach else spot * (reach / away)


def _overlap(spot: Floats, wide: float, others: Sequence[Body]) -> float:
    """How deep circles about the objects, seen from above, are in each other at most; below 0: they are apart."""
    worst = -np.inf
    for other in others:
        flat = other.vertices[:, [0, 2]]
        middle = (flat.min(0) + flat.max(0)) / 2
        radius = float(np.hypot(*(flat - middle).T).max())
        worst = max(worst, wide + radius - float(np.hypot(*(spot - middle))))
    return float(worst)


def about_y(angle: float) -> Floats:
    """[3,3] rotation about +Y."""
    c, s = np.cos(angle), np.sin(angle)
    return np.array([[c, 0, s], [0, 1, 0], [-s, 0, c]])


def _rotation(random: Random) -> Floats:
    """A rotation of which all are as likely: a unit quaternion of normal numbers (Shoemake 1992)."""
    w, x, y, z = (q := random.normal(size=4)) / np.linalg.norm(q)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
