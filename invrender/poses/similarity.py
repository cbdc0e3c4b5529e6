"""The similarity (scale, rotation, shift) between two sets of cameras, and how far they differ after it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotation @ x + shift."""

    scale: float
    rotation: Floats
    shift: Floats

    def points(self, points: Floats) -> Floats:
        """Points [P,3] moved."""
        moved: Floats = self.scale * points @ self.rotation.T + self.shift
        return moved

    def poses(self, camera_to_world: Floats) -> Floats:
        """Camera-to-world matrices [N,4,4] moved; their axes stay of length 1."""
        moved = camera_to_world.copy()
        moved[:, :3, :3] = self.rotation @ camera_to_world[:, :3, :3]
        moved[:, :3, 3] = self.points(camera_to_world[:, :3, 3])
        return moved


def align(points: Floats, target: Floats) -> Similarity:
    """The similarity that brings points [P,3] nearest to `target` [P,3] in the mean square (Umeyama 1991).

    Raises:
        ValueError: there are fewer than three, or they lie in one place or on a line, which leaves the rotation open.
    """
    a, b = points - points.mean(0), target - target.mean(0)
    variance = float((a**2).sum(1).mean())
    u, s, vt = np.linalg.svd(b.T @ a / len(a))
    if len(points) < 3 or s[1] <= 1e-12 * s[0] or variance == 0:
        raise ValueError("a similarity takes three points that are not on a line")
    signs = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ np.diag(signs) @ vt
    scale = float((s * signs).sum()) / variance
    return Similarity(scale, rotation, target.mean(0) - scale * rotation @ points.mean(0))


@dataclass(frozen=True)
class Difference:
    """How far cameras [N] lie from reference cameras after alignment.

    Attributes:
        position: [N] distances, as a share of the mean distance of the reference cameras from their centre.
        angle: [N] of the rotations, in degrees.
    """

    position: Floats
    angle: Floats


def compare(camera_to_world: Floats, reference: Floats) -> Difference:
    """Compare camera-to-world matrices [N,4,4] with those of the same pictures in another frame and unit.

    Raises:
        ValueError: fewer than three cameras, or all of them on a line.
    """
    moved = align(camera_to_world[:, :3, 3], reference[:, :3, 3]).poses(camera_to_world)
    places = reference[:, :3, 3]
    radius = float(np.linalg.norm(places - places.mean(0), axis=1).mean())
    position = np.linalg.norm(moved[:, :3, 3] - places, axis=1) / radius
    # |R - S| = 2 sqrt(2) sin(angle / 2), which keeps its digits for small angles
    chord = np.linalg.norm(moved[:, :3, :3] - reference[:, :3, :3], axis=(1, 2)) / (2 * np.sqrt(2))
    return Difference(position, np.degrees(2 * np.arcsin(np.clip(chord, 0, 1))))
