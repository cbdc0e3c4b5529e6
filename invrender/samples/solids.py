"""Test volumes of simple shapes and of seeded noise, in the unit frame: longest axis 1, centred on the origin."""

from __future__ import annotations

import numpy as np

from invrender.nouns import Volume
from invrender.samples.volumes import Array, axes, edge, falloff

RADIUS, HALF = 0.7, 0.55  # of the ball and of the cube, in halves of the grid's side


def sphere(size: int = 128) -> Volume:
    """A ball of constant density, 0.7 of the grid across."""
    x, y, z = axes(size)
    return Volume.from_numpy(_sharp(RADIUS - np.sqrt(x * x + y * y + z * z), size))


def cube(size: int = 128) -> Volume:
    """A cube of constant density, 0.55 of the grid across, along the axes."""
    x, y, z = axes(size)
    sides = [np.clip(_sharp(HALF - np.abs(at), size), 0, 1) for at in (x, y, z)]
    return Volume.from_numpy(sides[0] * sides[1] * sides[2])


def blobs(size: int = 128, seed: int = 11, count: int = 24) -> Volume:
    """Random soft blobs that melt into each other, of different size and density."""
    random = np.random.default_rng(seed)
    x, y, z = axes(size)
    density = np.zeros((size,) * 3, np.float32)
    for _ in range(count):
        radius = random.uniform(0.16, 0.34)
        direction = random.standard_normal(3)
        centre = direction / np.linalg.norm(direction) * (0.92 - radius) * random.random() ** (1 / 3)
        away = np.sqrt((x - centre[0]) ** 2 + (y - centre[1]) ** 2 + (z - centre[2]) ** 2)
        density += random.uniform(0.35, 1.0) * falloff(away, radius)
    return Volume.from_numpy(density / density.max())


def turbulence(size: int = 128, seed: int = 3) -> Volume:
    """Turbulence after Perlin (1985): the sum of the absolute values of octaves of noise, in a ball."""
    from scipy.ndimage import map_coordinates

    random = np.random.default_rng(seed)
    field, amplitude = np.zeros((size,) * 3, np.float32), 1.0
    for resolution in (4, 8, 16, 32):
        nodes = random.standard_normal((resolution + 3,) * 3).astype(np.float32)
        at = np.linspace(1, resolution + 1, size, dtype=np.float32)
        field += amplitude * np.abs(map_coordinates(nodes, np.meshgrid(at, at, at, indexing="ij"), order=3))
        amplitude /= 2
    x, y, z = axes(size)
    ball = np.clip((0.92 - np.sqrt(x * x + y * y + z * z)) / 0.15, 0, 1)
    return Volume.from_numpy(np.clip(1.15 - field / field.mean(), 0, None) / 1.15 * ball)  # dense along the creases


def complex_shapes(size: int = 128) -> Volume:
    """A complex of nested shapes: a ball (1), three rings (0.7), a cage of rods (0.5) in a faint shell (0.15)."""
    x, y, z = axes(size)
    radius = np.sqrt(x * x + y * y + z * z)
    density = 0.15 * edge(0.05 - np.abs(radius - 0.88), size)
    for u, v, w in ((x, y, z), (y, z, x), (z, x, y)):
        ring = np.hypot(np.hypot(u, v) - 0.45, w)
        density = np.maximum(density, 0.7 * edge(0.07 - ring, size))
        for side_v in (-1, 1):
            for side_w in (-1, 1):
                rod = np.hypot(v - 0.47 * side_v, w - 0.47 * side_w) + np.clip(np.abs(u) - 0.47, 0, None)
                density = np.maximum(density, 0.5 * edge(0.05 - rod, size))
    return Volume.from_numpy(np.maximum(density, edge(0.25 - radius, size)))


def _sharp(distance: Array, size: int) -> Array:
    """1 inside (distance > 0) and 0 outside, with a ramp of one voxel: volumes come out right."""
    return np.clip(distance * (size - 1) / 2 + 0.5, 0, 1)
