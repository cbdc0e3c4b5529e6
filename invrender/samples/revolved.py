"""Samples swept on a grid of two angles: a torus knot, a fluted vase and a sphere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.nouns import Material, Mesh

Array = NDArray[np.float64]


def torus_knot() -> Mesh:
    """A (2,3) torus knot, a tube of genus 1, coloured along its length."""
    length, girth, radius = 208, 18, 0.21
    t = np.linspace(0, 2 * np.pi, length, endpoint=False, dtype=np.float64)
    centre, along, outwards = _knot(t)
    aside = np.cross(along, outwards)
    angle = np.arange(girth) * (2 * np.pi / girth)
    ring = np.cos(angle)[:, None] * outwards[:, None] + np.sin(angle)[:, None] * aside[:, None]
    vertices = (centre[:, None] + radius * ring).reshape(-1, 3)
    hue = np.repeat(t, girth)[:, None] + np.array([0, 2, 4]) * np.pi / 3
    mesh = Mesh.from_numpy(vertices, _grid(length, girth, closed=True))
    return replace(mesh, colours=torch.from_numpy(0.05 + 0.65 * (0.5 + 0.5 * np.cos(hue)) ** 2))


def _knot(t: Array) -> tuple[Array, Array, Array]:
    """The curve at parameters [N]: points, unit tangents, and unit normals that lie in the torus's own cross sections.

    The curve winds 2 times about the Y axis and 3 times about the ring of the torus.
    """
    big, small = 1.0, 0.45
    reach = big + small * np.cos(3 * t)
    around = np.stack([np.cos(2 * t), np.zeros_like(t), np.sin(2 * t)], axis=1)
    points = reach[:, None] * around + small * np.sin(3 * t)[:, None] * [0, 1, 0]
    turning = np.stack([-np.sin(2 * t), np.zeros_like(t), np.cos(2 * t)], axis=1)
    speed = 2 * reach[:, None] * turning - 3 * small * np.sin(3 * t)[:, None] * around
    speed += 3 * small * np.cos(3 * t)[:, None] * [0, 1, 0]
    tangents = speed / np.linalg.norm(speed, axis=1, keepdims=True)
    normals = np.cos(3 * t)[:, None] * around + np.sin(3 * t)[:, None] * [0, 1, 0]  # the torus's own: closes up
    return points, tangents, normals


def vase() -> Mesh:
    """A hollow vase with twisted flutes: one body of genus 0 with a deep concavity."""
    profile = _vase_profile()
    count = 60
    angle = np.arange(count) * (2 * np.pi / count)
    height, inner = profile[:, 1], profile[:, 2]
    # flutes fade out towards the foot and the lip, and are absent inside, so that the wall stays thick
    depth = 0.045 * np.sin(np.pi * np.clip(height / 1.6, 0, 1)) ** 2 * (1 - inner)
    radius = profile[:, 0, None] * (1 + depth[:, None] * np.cos(9 * (angle + 0.6 * height[:, None])))
    radius = radius[1:-1]  # the first and last points of the profile are on the axis
    x, y, z = radius * np.sin(angle), np.broadcast_to(height[1:-1, None], radius.shape), radius * np.cos(angle)
    rings = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    vertices = np.concatenate([rings, [[0, height[0], 0], [0, height[-1], 0]]])
    faces = _capped(len(radius), count)
    return replace(Mesh.from_numpy(vertices, faces), material=Material((0.55, 0.16, 0.10), name="terracotta"))


def _vase_profile() -> Array:
    """[P,3]: radius, height, and 1 for the inside; from the middle of the foot over the lip to the middle inside."""
    from scipy.interpolate import CubicSpline

    knots = np.array([[0.36, 0.0], [0.44, 0.04], [0.62, 0.55], [0.50, 1.05], [0.27, 1.40], [0.30, 1.52], [0.40, 1.60]])
    length = np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(knots, axis=0), axis=1))])
    curve = CubicSpline(length / length[-1], knots, bc_type=((1, (1.0, 0.0)), (2, (0.0, 0.0))))
    outside = curve(np.linspace(0, 1, 40))
    step = np.linspace(1, 0.08, 36)
    slope = curve(step, 1)
    inwards = np.stack([-slope[:, 1], slope[:, 0]], axis=1) / np.linalg.norm(slope, axis=1, keepdims=True)
    inside = curve(step) + 0.05 * inwards
    lip = (outside[-1] + inside[0]) / 2 + [0.012, 0.02]
    foot = [[s * outside[0, 0], 0.0] for s in (0.0, 0.25, 0.5, 0.75, 0.93)]
    floor = [[s * inside[-1, 0], inside[-1, 1] - 0.012 * (1 - s)] for s in (0.93, 0.75, 0.5, 0.25, 0.0)]
    points = np.concatenate([foot, outside, [lip], inside, floor])
    flag = np.concatenate([np.zeros(len(foot) + len(outside)), [0.5], np.ones(len(inside) + len(floor))])
    return np.concatenate([points, flag[:, None]], axis=1)


def sphere() -> Mesh:
    """The unit sphere, a subdivided icosahedron: one body of genus 0."""
    from scipy.spatial import ConvexHull

    golden = (1 + 5**0.5) / 2
    corners = [(0, a, b * golden) for a in (-1, 1) for b in (-1, 1)]
    vertices = np.array([np.roll(corner, k) for k in range(3) for corner in corners], np.float64)
    faces = np.asarray(ConvexHull(vertices).simplices, np.int64)
    inwards = np.linalg.det(vertices[faces]) < 0
    faces[inwards] = faces[inwards, ::-1]
    vertices /= np.linalg.norm(vertices, axis=1, keepdims=True)
    for _ in range(4):
        vertices, faces = _subdivide(vertices, faces)
    return Mesh.from_numpy(vertices, faces)


def _subdivide(vertices: Array, faces: NDArray[np.int64]) -> tuple[Array, NDArray[np.int64]]:
    """Each triangle in four, the new vertices on the unit sphere."""
    ends = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    edges, index = np.unique(ends, axis=0, return_inverse=True)
    middle = vertices[edges].mean(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    a, b, c = faces.T
    ab, bc, ca = index.reshape(3, -1) + len(vertices)
    quarters = [(a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca)]
    return np.concatenate([vertices, middle]), np.concatenate([np.stack(q, axis=1) for q in quarters])


def _grid(rows: int, columns: int, closed: bool) -> NDArray[np.int64]:
    """Faces of a grid of vertices that closes up across its columns, and along its rows where `closed`."""
    last = rows if closed else rows - 1
    i, j = np.meshgrid(np.arange(last), np.arange(columns), indexing="ij")
    a, b = i * columns + j, i * columns + (j + 1) % columns
    c, d = ((i + 1) % rows) * columns + j, ((i + 1) % rows) * columns + (j + 1) % columns
    flip = ((i + j) % 2 == 0)[..., None]  # alternating diagonals favour no direction
    first = np.where(flip, np.stack([a, b, d], -1), np.stack([a, b, c], -1))
    second = np.where(flip, np.stack([a, d, c], -1), np.stack([b, d, c], -1))
    return np.concatenate([first.reshape(-1, 3), second.reshape(-1, 3)])


def _capped(rows: int, columns: int) -> NDArray[np.int64]:
    """Faces of an open grid, and of fans that join its first and last row to the two vertices after it."""
    j = np.arange(columns)
    start, end, last = rows * columns, rows * columns + 1, (rows - 1) * columns
    bottom = np.stack([np.full(columns, start), (j + 1) % columns, j], axis=1)
    top = np.stack([np.full(columns, end), last + j, last + (j + 1) % columns], axis=1)
    return np.concatenate([_grid(rows, columns, closed=False), bottom, top])
