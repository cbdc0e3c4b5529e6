"""Solids by formula for benchmarks: objects of different kinds, each with the number of handles that it truly has.

    from formulas import KINDS
    mesh = KINDS["bust"].mesh(gap=0.03)

All are about 2 units large and stand along Y. Where a kind has a gap (between hair and shoulder, hand and hip, finger
and finger), it is as wide as asked for, so that it can be given in pixels of some views; a whole object results however
narrow it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from invrender.nouns import Mesh
from invrender.samples.implicit import Array, ball, capsule, cylinder, smooth_difference, smooth_union

GAP = 0.06  # between parts that come near to each other
LOW, HIGH = np.array((-1.05, -1.05, -1.05)), np.array((1.05, 1.05, 1.05))
Solid = Callable[[Array, float], Array]
Point = tuple[float, float, float]


@dataclass(frozen=True)
class Kind:
    """A kind of object: its solid (points [N,3] and the gap to values [N], negative inside), its handles, its parts."""

    solid: Solid
    handles: int
    parts: int = 1

    def mesh(self, gap: float = GAP, cells: int = 140) -> Mesh:
        """Its surface, by marching cubes on so many cells along a side.

        Args:
            gap: in units of the object.
            cells: at least six for each gap, or narrow ones close.

        Raises:
            ValueError: the surface does not have the handles that the kind has: the cells are too few for the gap.
        """
        from skimage.measure import marching_cubes

        axes = [np.linspace(low, high, cells + 1) for low, high in zip(LOW, HIGH, strict=True)]
        values = np.concatenate([
            self.solid(np.stack(np.meshgrid(slab, *axes[1:], indexing="ij"), -1).reshape(-1, 3), gap)
            for slab in np.array_split(axes[0], 8)
        ]).reshape([cells + 1] * 3)  # fmt: skip
        vertices, faces, _, _ = marching_cubes(values, 1e-6, gradient_direction="descent")
        handles = self.parts - (len(vertices) - len(faces) // 2) // 2
        if handles != self.handles:
            raise ValueError(f"{handles} handles instead of {self.handles}: more cells are needed")
        return Mesh.from_numpy(vertices * (HIGH - LOW) / cells + LOW, faces.astype(np.int64))


def ellipsoid(points: Array, centre: Point, axes: Point) -> Array:
    """Distance to an ellipsoid, not exact (Quilez)."""
    at = (points - centre) / axes
    k0, k1 = np.linalg.norm(at, axis=1), np.linalg.norm(at / axes, axis=1)
    return np.asarray(k0 * (k0 - 1) / np.maximum(k1, 1e-9))


def box(points: Array, centre: Point, half: Point, rounding: float) -> Array:
    """Distance to a box with rounded edges."""
    q = np.abs(points - centre) - half + rounding
    return np.asarray(np.linalg.norm(np.maximum(q, 0), axis=1) + np.minimum(q.max(axis=1), 0) - rounding)


def torus(points: Array, centre: Point, axis: int, radius: float, thickness: float) -> Array:
    """Distance to a ring about an axis, 0 to 2."""
    q = points - centre
    across = np.delete(q, axis, axis=1)
    return np.hypot(np.linalg.norm(across, axis=1) - radius, q[:, axis]) - thickness


def blended(parts: list[Array], blend: float) -> Array:
    """The smooth union of several solids' values."""
    value = parts[0]
    for part in parts[1:]:
        value = smooth_union(value, part, blend)
    return value


def mirrored(points: Array) -> Array:
    """Points with x >= 0: what is made there stands on both sides."""
    return np.stack([np.abs(points[:, 0]), points[:, 1], points[:, 2]], 1)


def bust(points: Array, gap: float) -> Array:
    """Head, neck and shoulders, and hair that hangs down on both sides to a gap above the shoulders."""
    both = mirrored(points)
    body = blended(
        [
            ellipsoid(points, (0, -0.7, 0), (0.8, 0.3, 0.36)),
            capsule(points, (0, -0.6, 0), (0, -0.1, 0.02), (0.2, 0.17)),
            ellipsoid(points, (0, 0.3, 0.04), (0.36, 0.46, 0.42)),
            ball(points, (0, -0.03, 0.3), 0.12),
        ],
        0.1,
    )
    hair = smooth_union(body, ellipsoid(points, (0, 0.42, -0.06), (0.42, 0.44, 0.42)), 0.05)
    height = -0.7 + 0.3 * (1 - (0.42 / 0.8) ** 2) ** 0.5  # of the shoulders below the hair
    lock = capsule(both, (0.4, 0.4, -0.03), (0.42, height + gap + 0.09, 0.0), (0.11, 0.09))
    return smooth_union(hair, lock, min(0.03, gap / 2))


def person(points: Array, gap: float) -> Array:
    """A standing figure whose hands are a gap away from its hips, with its feet apart."""
    both = mirrored(points)
    parts = [
        ellipsoid(points, (0, 0.25, 0), (0.26, 0.42, 0.17)),
        ellipsoid(points, (0, -0.12, 0), (0.25, 0.2, 0.18)),
        capsule(points, (0, 0.6, 0), (0, 0.7, 0), (0.07, 0.07)),
        ellipsoid(points, (0, 0.83, 0.02), (0.14, 0.17, 0.15)),
        capsule(both, (0.13, -0.15, 0), (0.2, -0.95, 0), (0.115, 0.07)),
    ]
    body = blended(parts, 0.05)
    hip, shoulder = 0.25 + gap + 0.055, (0.25, 0.5, 0)
    arm = smooth_union(
        capsule(both, shoulder, (max(0.4, hip), 0.15, -0.03), (0.075, 0.06)),
        capsule(both, (max(0.4, hip), 0.15, -0.03), (hip, -0.12, 0.02), (0.06, 0.055)),
        0.02,
    )
    return smooth_union(body, arm, min(0.02, gap / 2))


def akimbo(points: Array, gap: float) -> Array:
    """A standing figure with its hands on its hips: two handles."""
    del gap
    both = mirrored(points)
    body = blended(
        [
            ellipsoid(points, (0, 0.25, 0), (0.26, 0.42, 0.17)),
            ellipsoid(points, (0, -0.12, 0), (0.25, 0.2, 0.18)),
            capsule(points, (0, 0.6, 0), (0, 0.7, 0), (0.07, 0.07)),
            ellipsoid(points, (0, 0.83, 0.02), (0.14, 0.17, 0.15)),
            capsule(both, (0.13, -0.15, 0), (0.2, -0.95, 0), (0.115, 0.07)),
        ],
        0.05,
    )
    upper = capsule(both, (0.25, 0.5, 0), (0.6, 0.2, 0), (0.075, 0.06))
    lower = capsule(both, (0.6, 0.2, 0), (0.22, -0.05, 0.02), (0.06, 0.055))
    return blended([body, upper, lower], 0.03)


def cactus(points: Array, gap: float) -> Array:
    """A trunk with two arms that rise beside it, a gap away, and a third one behind."""
    parts = [capsule(points, (0, -0.8, 0), (0, 0.75, 0), (0.22, 0.2))]
    for angle, low, high in ((0.3, -0.3, 0.35), (3.3, -0.05, 0.6), (5.0, -0.5, 0.1)):
        c, s = np.cos(angle), np.sin(angle)
        away = 0.22 + gap + 0.11
        parts.append(capsule(points, (0, low - 0.12, 0), (away * c, low, away * s), (0.11, 0.11)))
        parts.append(capsule(points, (away * c, low, away * s), (away * c, high, away * s), (0.11, 0.1)))
    return blended(parts, min(0.03, gap / 2))


def hand(points: Array, gap: float) -> Array:
    """A palm with four fingers a gap apart at their tips, and a thumb."""
    parts = [box(points, (0, -0.45, 0), (0.42, 0.4, 0.12), 0.11)]
    for k in range(4):
        x, tip = -0.315 + 0.21 * k, (-1.5 + k) * (0.17 + gap)
        parts.append(capsule(points, (x, -0.15, 0), (tip, 0.55 + 0.1 * (k in (1, 2)), 0.05), (0.09, 0.085)))
    parts.append(capsule(points, (0.3, -0.5, 0), (0.75, 0.05, 0.1), (0.12, 0.09)))
    return blended(parts, min(0.02, gap / 2))


def horseshoe(points: Array, gap: float) -> Array:
    """A thick ring, open at one place by a gap."""
    ring = torus(points, (0, 0, 0), 2, 0.7, 0.2)
    cut = np.maximum(np.abs(points[:, 0]) - gap / 2, -points[:, 1])
    return smooth_difference(ring, cut, 0.02)


def teapot(points: Array, gap: float) -> Array:
    """A pot with a handle, a spout and a lid with a knob."""
    del gap
    body = blended(
        [
            ellipsoid(points, (0, -0.1, 0), (0.6, 0.45, 0.6)),
            cylinder(points, -0.58, -0.4, 0.35, 0.04),
            ball(points, (0, 0.43, 0), 0.09),
        ],
        0.05,
    )
    spout = capsule(points, (0.45, -0.2, 0), (0.92, 0.3, 0), (0.15, 0.07))
    handle = np.maximum(torus(points, (-0.6, -0.05, 0), 2, 0.29, 0.06), points[:, 0] + 0.45)
    return blended([body, spout, handle], 0.04)


def chair(points: Array, gap: float) -> Array:
    """A seat on four legs, with a back of two posts, a rail and a bar: two handles."""
    del gap
    both = mirrored(points)
    parts = [box(points, (0, -0.1, 0), (0.5, 0.06, 0.48), 0.04)]
    parts += [capsule(both, (0.42, -0.1, z), (0.45, -0.95, 1.1 * z), (0.06, 0.05)) for z in (-0.4, 0.4)]
    parts.append(capsule(both, (0.42, -0.1, -0.42), (0.42, 0.92, -0.55), (0.06, 0.055)))
    parts += [capsule(points, (-0.42, y, z), (0.42, y, z), (0.06, 0.06)) for y, z in ((0.88, -0.54), (0.45, -0.49))]
    return blended(parts, 0.03)


def table(points: Array, gap: float) -> Array:
    """A round top on four legs."""
    del gap
    both = mirrored(points)
    legs = [capsule(both, (0.5, 0.3, z), (0.6, -0.7, 1.2 * z), (0.07, 0.05)) for z in (-0.5, 0.5)]
    return blended([cylinder(points, 0.28, 0.42, 0.95, 0.04), *legs], 0.03)


def tree(points: Array, gap: float) -> Array:
    """A trunk with branches that fork twice, the same for every call."""
    del gap
    random, parts = np.random.default_rng(5), [capsule(points, (0, -0.88, 0), (0, 0, 0), (0.14, 0.1))]

    def branch(start: Array, direction: Array, length: float, radius: float, depth: int) -> None:
        end = start + length * direction
        parts.append(capsule(points, tuple(start), tuple(end), (radius, 0.75 * radius)))
        turn = random.uniform(0, 2 * np.pi)
        for k in range(3 if depth else 0):
            angle = turn + 2 * np.pi * k / 3
            side = np.cross(direction, (np.cos(angle), 0.3, np.sin(angle)))
            aim = direction + 0.9 * side / np.linalg.norm(side)
            branch(end, aim / np.linalg.norm(aim), 0.7 * length, 0.72 * radius, depth - 1)

    branch(np.array((0.0, -0.1, 0)), np.array((0.0, 1, 0)), 0.35, 0.1, 2)
    return blended(parts, 0.03)


def bowl(points: Array, gap: float) -> Array:
    """A deep bowl with a wall, on a foot."""
    del gap
    outside = smooth_union(ball(points, (0, 0.1, 0), 0.8), cylinder(points, -0.85, -0.6, 0.4, 0.04), 0.08)
    return smooth_difference(np.maximum(outside, points[:, 1] - 0.3), ball(points, (0, 0.15, 0), 0.68), 0.03)


def chain(points: Array, gap: float) -> Array:
    """Two rings, one through the other, that do not touch."""
    del gap
    return np.minimum(torus(points, (-0.33, 0, 0), 2, 0.5, 0.13), torus(points, (0.33, 0, 0), 1, 0.5, 0.13))


def ladder(points: Array, gap: float) -> Array:
    """Two rails with four rungs: three handles."""
    del gap
    parts = [capsule(mirrored(points), (0.4, -0.95, 0), (0.34, 0.95, 0), (0.08, 0.07))]
    parts += [capsule(points, (-0.38, y, 0), (0.38, y, 0), (0.06, 0.06)) for y in (-0.6, -0.2, 0.2, 0.6)]
    return blended(parts, 0.03)


KINDS = {
    "bust": Kind(bust, 0),
    "person": Kind(person, 0),
    "akimbo": Kind(akimbo, 2),
    "cactus": Kind(cactus, 0),
    "hand": Kind(hand, 0),
    "horseshoe": Kind(horseshoe, 0),
    "teapot": Kind(teapot, 1),
    "chair": Kind(chair, 2),
    "table": Kind(table, 0),
    "tree": Kind(tree, 0),
    "bowl": Kind(bowl, 0),
    "chain": Kind(chain, 2, parts=2),
    "ladder": Kind(ladder, 3),
}
