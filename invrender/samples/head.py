"""A head as computed tomography sees it: the layers of a medical phantom, made by formula, in Hounsfield units."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.nouns import Volume

Array = NDArray[Any]  # float32
Vector = tuple[float, float, float]

AIR, FAT, SKIN, MUSCLE, BONE, MARROW = -1000.0, -90.0, 60.0, 45.0, 1100.0, 350.0
LIQUOR, WHITE_MATTER, GREY_MATTER, EYE, LENS, TOOTH = 8.0, 28.0, 42.0, 12.0, 80.0, 1800.0
"""Hounsfield units: air -1000, water 0 (usual values in textbooks of radiology, such as Buzug 2008)."""

CRANIUM, CRANIUM_AXES = (0.0, 0.22, -0.1), (0.585, 0.615, 0.705)
FACE, FACE_AXES = (0.0, -0.24, 0.19), (0.41, 0.54, 0.47)


def head(size: int = 128) -> Volume:
    """A head in Hounsfield units: skin, fat, skull, liquor, brain, ventricles, eyes and teeth; it looks along +Z."""
    line = np.linspace(-1, 1, size, dtype=np.float32)
    x, y, z = line[None, None, :], line[None, :, None], line[:, None, None]
    values = np.full((size,) * 3, AIR, np.float32)

    def fill(distance: Array, value: float | Array) -> None:
        """Put a value where the distance is negative, with a border as wide as a sampled one has."""
        share = np.clip(0.5 - distance * size / 4.5, 0, 1)
        values[...] += share * (value - values)

    cranium, face = _ellipsoid(x, y, z, CRANIUM, CRANIUM_AXES), _ellipsoid(x, y, z, FACE, FACE_AXES)
    skin = _skin(x, y, z, cranium, face)
    fill(skin, SKIN)
    fill(skin + 0.025, FAT)
    fill(skin + 0.055, MUSCLE)
    _spine(x, y, z, fill)
    _bones(x, y, z, fill, skin, cranium, face)
    _brain(x, y, z, fill, cranium)
    _airways(x, y, z, fill)
    for side in (-1, 1):
        fill(_ellipsoid(x, y, z, (0.2 * side, 0.02, 0.37), (0.1, 0.1, 0.1)), EYE)
        fill(_ellipsoid(x, y, z, (0.2 * side, 0.02, 0.445), (0.04, 0.04, 0.02)), LENS)
    return Volume.from_numpy(values, name="ct")


def _skin(x: Array, y: Array, z: Array, cranium: Array, face: Array) -> Array:
    """Distance to the surface of the head: cranium, face, nose, ears and neck, blended."""
    nose = _ellipsoid(x, y, z, (0.0, -0.14, 0.68), (0.085, 0.15, 0.13))
    nose = _union(nose, _ellipsoid(x, y, z, (0.0, 0.0, 0.62), (0.05, 0.16, 0.07)), 0.06)
    chin = _ellipsoid(x, y, z, (0.0, -0.66, 0.5), (0.16, 0.12, 0.13))
    lips = _ellipsoid(x, y, z, (0.0, -0.4, 0.63), (0.13, 0.055, 0.06))
    skin = _union(_union(cranium, face, 0.16), _union(nose, _union(chin, lips, 0.1), 0.1), 0.08)
    for side in (-1, 1):
        ear = _ellipsoid(x, y, z, (0.6 * side, -0.02, -0.1), (0.045, 0.17, 0.105))
        ear = np.maximum(ear, -_ellipsoid(x, y, z, (0.64 * side, 0.0, -0.08), (0.035, 0.1, 0.06)))
        skin = _union(skin, ear, 0.04)
        skin = _carved(skin, _ellipsoid(x, y, z, (0.2 * side, 0.03, 0.66), (0.13, 0.07, 0.1)), 0.1)
    neck = np.maximum(np.hypot(x / 1.05, z + 0.17) - 0.31 - 0.06 * np.clip(-y - 0.65, 0, 1), -0.93 - y)
    return _union(skin, np.maximum(neck, y - 0.1), 0.14)


def _bones(x: Array, y: Array, z: Array, fill: Any, skin: Array, cranium: Array, face: Array) -> None:
    """The skull with its marrow, cheeks, jaw, teeth and sockets."""
    base = -0.3 - y - 0.35 * (z + 0.1)  # the base of the skull rises towards the face
    vault = np.maximum(cranium + 0.085, base)
    fill(vault, BONE)
    fill(np.maximum(vault + 0.03, -(vault + 0.055)), MARROW)
    upper = np.maximum(np.maximum(face + 0.1, -0.36 - y), 0.08 - z)
    hollow = np.maximum(np.maximum(upper + 0.06, np.abs(x) - 0.3), 0.12 - z)
    fill(upper, BONE)
    fill(hollow, MUSCLE)
    bow = np.hypot(x / 0.8, (z - 0.05) / 1.02)  # the arch of both jaws, seen from above
    lower = np.maximum(np.abs(bow - 0.385) - 0.038, np.maximum(np.abs(y + 0.58) - 0.09, -0.05 - z))
    branch = np.maximum(np.abs(np.abs(x) - 0.31) - 0.03, np.maximum(np.abs(z + 0.01) - 0.08, np.abs(y + 0.38) - 0.27))
    fill(np.maximum(_union(lower, branch, 0.05), skin + 0.07), BONE)
    for side in (-1, 1):
        cheek = _ellipsoid(x, y, z, (0.25 * side, -0.13, 0.33), (0.07, 0.05, 0.11))
        fill(cheek, BONE)
        fill(_ellipsoid(x, y, z, (0.2 * side, 0.02, 0.41), (0.14, 0.12, 0.2)), FAT)
    crown = np.abs(np.mod(np.arctan2(x, z - 0.05) / 0.14, 1) - 0.5)  # gaps between the teeth
    teeth = np.maximum(np.abs(bow - 0.395) - 0.028, np.maximum(0.2 - z, crown * 0.1 - 0.043))
    for height in (-0.405, -0.475):
        fill(np.maximum(teeth, np.abs(y - height) - 0.03), TOOTH)


def _spine(x: Array, y: Array, z: Array, fill: Any) -> None:
    """Vertebrae of the neck with their discs, spines and canal."""
    along = np.mod((y + 0.93) / 0.13, 1)
    body = np.maximum(np.hypot(x / 1.2, z + 0.2) - 0.1, np.maximum(np.abs(along - 0.5) * 0.13 - 0.05, y + 0.3))
    thorn = np.maximum(np.hypot(x, (y + 0.93) % 0.13 - 0.065) - 0.03, np.maximum(np.abs(z + 0.4) - 0.1, y + 0.3))
    fill(np.maximum(body, -0.95 - y), BONE)
    fill(np.maximum(thorn, -0.95 - y), BONE)
    fill(np.maximum(np.hypot(x, z + 0.335) - 0.05, y + 0.25), LIQUOR)
    fill(np.maximum(np.hypot(x, z + 0.335) - 0.03, y + 0.25), WHITE_MATTER)


def _brain(x: Array, y: Array, z: Array, fill: Any, cranium: Array) -> None:
    """Liquor, two hemispheres with a folded cortex, cerebellum, and the ventricles."""
    base = -0.22 - y - 0.35 * (z + 0.1)
    inside = np.maximum(cranium + 0.165, base)
    fill(inside, LIQUOR)
    folds = 0.022 * (np.sin(15 * x + 4 * np.sin(5 * y)) * np.cos(13 * y + 3 * np.sin(6 * z)) + np.sin(14 * z + 5 * x))
    gap = 0.014 - np.abs(x) - 0.5 * np.clip(0.1 - y, 0, 1)  # between the hemispheres, above
    cerebrum = np.maximum(np.maximum(inside + 0.03 + np.abs(folds), gap), -0.08 - y)
    fill(cerebrum, GREY_MATTER)
    fill(cerebrum + 0.06 + 1.5 * folds, WHITE_MATTER)
    layers = 0.012 * np.sin(70 * y)
    cerebellum = np.maximum(_ellipsoid(x, y, z, (0.0, -0.16, -0.42), (0.34, 0.13, 0.2)) + layers, inside + 0.02)
    fill(cerebellum, GREY_MATTER)
    stem = np.maximum(np.hypot(x, z + 0.22 + 0.25 * (y + 0.1)) - 0.075, np.abs(y + 0.12) - 0.2)
    fill(stem, WHITE_MATTER)
    for side in (-1, 1):
        bend = x * side - 0.06 - 0.12 * (z + 0.1) ** 2 * 4 - 0.1 * np.clip(-z - 0.1, 0, 1)
        horn = np.sqrt((bend / 0.05) ** 2 + ((y - 0.2 - 0.1 * z) / 0.075) ** 2 + ((z + 0.08) / 0.36) ** 2)
        fill((horn - 1) * 0.05, LIQUOR)
    fill(_ellipsoid(x, y, z, (0.0, 0.05, -0.1), (0.016, 0.09, 0.12)), LIQUOR)


def _airways(x: Array, y: Array, z: Array, fill: Any) -> None:
    """The nose with its septum, sinuses, mouth and windpipe."""
    for side in (-1, 1):
        fill(_ellipsoid(x, y, z, (0.045 * side, -0.17, 0.42), (0.032, 0.11, 0.22)), AIR)
        fill(_ellipsoid(x, y, z, (0.19 * side, -0.19, 0.36), (0.08, 0.085, 0.1)), AIR)
        fill(np.maximum(np.hypot(y + 0.02, z + 0.1) - 0.025, np.maximum(0.42 - x * side, x * side - 0.66)), AIR)
    fill(_ellipsoid(x, y, z, (0.0, -0.44, 0.34), (0.16, 0.03, 0.12)), AIR)
    throat = np.maximum(np.hypot(x, z - 0.02 - 0.2 * (y + 0.3)) - 0.055, np.maximum(y + 0.2, -0.97 - y))
    fill(throat, AIR)


def _ellipsoid(x: Array, y: Array, z: Array, centre: Vector, axes: Vector) -> Array:
    """About the distance to an ellipsoid, negative inside: the first order of its implicit function (Taubin 1994)."""
    u, v, w = ((at - c) / r for at, c, r in zip((x, y, z), centre, axes, strict=True))
    level = np.sqrt(u * u + v * v + w * w)
    slope = np.sqrt((u / axes[0]) ** 2 + (v / axes[1]) ** 2 + (w / axes[2]) ** 2)
    return np.asarray(level * (level - 1) / np.maximum(slope, 1e-6))


def _union(one: Array, other: Array, width: float) -> Array:
    """The nearer of two distances, rounded over `width`."""
    share = np.clip(0.5 + 0.5 * (other - one) / width, 0, 1)
    return np.asarray(other + (one - other) * share - width * share * (1 - share))


def _carved(one: Array, hole: Array, width: float) -> Array:
    """What is left of a body without a hole, rounded over `width`."""
    return -_union(-one, hole, width)

