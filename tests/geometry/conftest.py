"""Closed meshes with known topology for the geometry tests, from marching cubes of implicit functions."""

import numpy as np
import pytest
from skimage.measure import marching_cubes


def extract(function, resolution, half=1.3):
    """The zero level set of function(x, y, z) > 0 inside, on a grid over [-half, half]^3."""
    g = np.linspace(-half, half, resolution)
    field = function(*np.meshgrid(g, g, g, indexing="ij")).astype(np.float32)
    v, f, _, _ = marching_cubes(field, 0.0, gradient_direction="ascent")
    return v * (g[1] - g[0]) - half, f.astype(np.int64)


def sphere(resolution=24, radius=1.0):
    return extract(lambda x, y, z: radius - np.sqrt(x * x + y * y + z * z), resolution)


def torus(resolution=40, major=0.9, minor=0.25):
    return extract(lambda x, y, z: minor - np.hypot(np.hypot(x, y) - major, z), resolution)


def frame(resolution=48, thickness=0.06):
    """Bars along the edges of a cube and a plate between four of them, like a chair: thin, and of genus 5 + 3."""

    def f(x, y, z):
        a = np.sort(np.abs(np.stack([x, y, z])), axis=0) - 0.8
        bars = thickness - np.hypot(a[1], a[2])
        plate = np.minimum(0.8 - np.maximum(np.abs(x), np.abs(y)), 0.04 - np.abs(z - 0.03))
        return np.maximum(bars, plate)

    return extract(f, resolution)


def slab(resolution=44):
    """A plate 0.12 thick."""
    return extract(lambda x, y, z: np.minimum(0.06 - np.abs(z), 1.0 - np.maximum(np.abs(x), np.abs(y))), resolution)


@pytest.fixture
def shapes():
    """The functions of this module by name."""
    return {"sphere": sphere, "torus": torus, "frame": frame, "slab": slab}
