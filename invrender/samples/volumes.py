"""Sample volumes made by formula, density in [0, about 2], in the unit frame: longest axis 1, centred on the origin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.nouns import Volume

Array = NDArray[Any]  # float32

OCTAVES = (4, 8, 16, 32, 64)
PERSISTENCE = 0.55

# Value, half axes, centre and rotation about z (degrees) of each ellipsoid: the head phantom of Shepp and Logan (1974)
# in three dimensions (Kak and Slaney 1988) with Toft's contrasts (1996).
HEAD = (
    (1.0, (0.69, 0.92, 0.81), (0.0, 0.0, 0.0), 0.0),
    (-0.8, (0.6624, 0.874, 0.78), (0.0, -0.0184, 0.0), 0.0),
    (-0.2, (0.11, 0.31, 0.22), (0.22, 0.0, 0.0), -18.0),
    (-0.2, (0.16, 0.41, 0.28), (-0.22, 0.0, 0.0), 18.0),
    (0.1, (0.21, 0.25, 0.41), (0.0, 0.35, -0.15), 0.0),
    (0.1, (0.046, 0.046, 0.05), (0.0, 0.1, 0.25), 0.0),
    (0.1, (0.046, 0.046, 0.05), (0.0, -0.1, 0.25), 0.0),
    (0.1, (0.046, 0.023, 0.05), (-0.08, -0.605, 0.0), 0.0),
    (0.1, (0.023, 0.023, 0.02), (0.0, -0.606, 0.0), 0.0),
    (0.1, (0.023, 0.046, 0.02), (0.06, -0.605, 0.0), 0.0),
)


def cloud(size: int = 128, seed: int = 7) -> Volume:
    """A cloud: five octaves of smooth noise with a soft round edge."""
    from scipy.ndimage import map_coordinates

    random = np.random.default_rng(seed)
    field, amplitude = np.zeros((size, size, size), np.float32), 1.0
    for resolution in OCTAVES:
        nodes = random.standard_normal((resolution + 3,) * 3).astype(np.float32)
        at = np.linspace(1, resolution + 1, size, dtype=np.float32)
        points = np.meshgrid(at, at, at, indexing="ij")
        field += amplitude * map_coordinates(nodes, points, order=3, mode="nearest")
        amplitude *= PERSISTENCE
    field /= field.std()
    x, y, z = axes(size)
    edge = np.clip((0.85 + 0.08 * field - np.sqrt(x * x + y * y + z * z)) / 0.25, 0, 1)
    return Volume.from_numpy(np.clip(0.55 + 0.45 * field, 0, None) * edge)


def cumulus(size: int = 128, seed: int = 4) -> Volume:
    """A cloud of fair weather: heaps of noise on a flat base, twice as wide as high."""
    random = np.random.default_rng(seed)
    height, depth = max(8, size // 2), max(8, 3 * size // 4)
    x = np.linspace(-1, 1, size, dtype=np.float32)[None, None, :]
    y = np.linspace(0, height / size * 2, height, dtype=np.float32)[None, :, None]
    z = np.linspace(-depth / size, depth / size, depth, dtype=np.float32)[:, None, None]
    heaps = np.full((depth, height, size), -1, np.float32)
    for _ in range(26):
        away, angle = 0.62 * math.sqrt(random.random()), 2 * math.pi * random.random()
        radius = (0.36 - 0.3 * away) * (0.75 + 0.5 * random.random())
        rise = (0.42 - 0.5 * away) * random.random() + 0.14
        middle = (away * math.cos(angle), rise, 0.62 * away * math.sin(angle))
        distance = np.sqrt((x - middle[0]) ** 2 + (y - middle[1]) ** 2 + (z - middle[2]) ** 2)
        heaps = np.maximum(heaps, 1 - distance / radius)
    noise = _noise((depth, height, size), random)
    density = np.clip((heaps - 0.12 + 0.3 * noise) / 0.15, 0, 1) * np.clip((y - 0.08 - 0.02 * noise) / 0.06, 0, 1)
    density[[0, -1]] = density[:, [0, -1]] = density[:, :, [0, -1]] = 0
    return Volume.from_numpy(density)


def _noise(shape: tuple[int, int, int], random: np.random.Generator) -> Array:
    """Smooth noise of several octaves, with the standard deviation 1."""
    from scipy.ndimage import map_coordinates

    field, amplitude = np.zeros(shape, np.float32), 1.0
    for resolution in OCTAVES:
        counts = [resolution * length // max(shape) + 3 for length in shape]
        nodes = random.standard_normal(counts).astype(np.float32)
        at = [np.linspace(1, count - 2, length, dtype=np.float32) for count, length in zip(counts, shape, strict=True)]
        field += amplitude * map_coordinates(nodes, np.meshgrid(*at, indexing="ij"), order=3, mode="nearest")
        amplitude *= PERSISTENCE
    return np.asarray(field / field.std())


def shepp_logan(size: int = 128) -> Volume:
    """The Shepp-Logan head phantom: ellipsoids of constant density."""
    fine = (np.arange(2 * size, dtype=np.float32) + 0.5) / size - 1
    x, y, z = fine[None, None, :], fine[None, :, None], fine[:, None, None]
    density = np.zeros((2 * size,) * 3, np.float32)
    for value, half, centre, degrees in HEAD:
        cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
        u = (x - centre[0]) * cosine + (y - centre[1]) * sine
        v = (y - centre[1]) * cosine - (x - centre[0]) * sine
        density += value * ((u / half[0]) ** 2 + (v / half[1]) ** 2 + ((z - centre[2]) / half[2]) ** 2 <= 1)
    means = density.reshape(size, 2, size, 2, size, 2).mean((1, 3, 5))  # smooths the steps of the voxels
    return Volume.from_numpy(np.clip(means, 0, None))


def torus(size: int = 128) -> Volume:
    """A ring about the vertical axis, dense in its core and soft at its skin."""
    x, y, z = axes(size)
    away = np.hypot(np.hypot(x, z) - 0.58, y)
    return Volume.from_numpy(falloff(away, 0.28) * np.ones((size,) * 3, np.float32))


def double_sphere(size: int = 128) -> Volume:
    """A dense ball within a thin, faint shell."""
    x, y, z = axes(size)
    radius = np.sqrt(x * x + y * y + z * z)
    shell = 0.35 * np.exp(-(((radius - 0.75) / 0.05) ** 2))
    return Volume.from_numpy(shell + edge(0.38 - radius, size))


def helix(size: int = 128) -> Volume:
    """Two soft strands that wind about the vertical axis, with rungs between them."""
    x, y, z = axes(size)
    twist, reach, radius = 1.6 * math.pi, 0.88, 0.5
    phase = twist * y
    across, along = x * np.cos(phase) + z * np.sin(phase), z * np.cos(phase) - x * np.sin(phase)
    slope = 1 / math.hypot(1, twist * radius)  # the strands cross the horizontal at an angle
    arc = radius * np.arctan2(along, np.abs(across)) * slope
    strands = np.hypot(np.hypot(x, z) - radius, arc)
    density = falloff(strands, 0.16)
    for height in np.linspace(-0.8, 0.8, 9):
        cosine, sine = math.cos(twist * height), math.sin(twist * height)
        away = np.hypot(z * cosine - x * sine, y - height) + 0 * density
        density = np.maximum(density, 0.5 * falloff(away, 0.07) * (np.abs(x * cosine + z * sine) < radius))
    return Volume.from_numpy(density * edge(reach - np.abs(y), size))


def gyroid(size: int = 128) -> Volume:
    """A ball cut out of a gyroid, the minimal surface of Schoen (1970), as a wall of constant thickness."""
    x, y, z = axes(size)
    k = 3.2 * math.pi
    value = np.sin(k * x) * np.cos(k * y) + np.sin(k * y) * np.cos(k * z) + np.sin(k * z) * np.cos(k * x)
    inside = edge(0.85 - np.sqrt(x * x + y * y + z * z), size)
    return Volume.from_numpy(inside * np.clip((0.45 - np.abs(value)) * size / (3 * k) + 0.5, 0, 1))


def orbital(size: int = 128) -> Volume:
    """The electron density of hydrogen's 4d(z^2) orbital, its brightest lobes at 1."""
    x, y, z = axes(size)
    radius = np.sqrt(x * x + y * y + z * z) + 1e-6
    rho = radius * 15.0  # 2 r / (n a0)
    radial = rho * rho * (6 - rho) * np.exp(-rho / 2)
    angular = 3 * (y / radius) ** 2 - 1
    density = (radial * angular) ** 2 * np.clip((1 - radius) / 0.1, 0, 1)
    return Volume.from_numpy(density / density.max())


def axes(size: int) -> tuple[Array, Array, Array]:
    """x, y and z in [-1, 1], shaped to spread over [z,y,x]."""
    line = np.linspace(-1, 1, size, dtype=np.float32)
    return line[None, None, :], line[None, :, None], line[:, None, None]


def edge(distance: Array, size: int) -> Array:
    """1 inside (distance > 0) and 0 outside, with a ramp of two voxels."""
    return np.clip(distance * size / 4 + 0.5, 0, 1)


def falloff(distance: Array, width: float) -> Array:
    """From 1 at distance 0 smoothly down to 0 at `width`."""
    inside = np.clip(1 - (distance / width) ** 2, 0, None)
    return np.asarray(inside * inside * (3 - 2 * inside))
