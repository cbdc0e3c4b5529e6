"""Solids as signed distance-like functions (negative inside), their blends, and triangles from them.

The blends and primitives follow Inigo Quilez, "Distance functions" and "Smooth minimum" (iquilezles.org). A function
takes points [N,3] and returns values [N], both float64.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from invrender.geometry.remesh import remesh

Array = NDArray[np.float64]
Solid = Callable[[Array], Array]


def smooth_union(a: Array, b: Array, blend: float) -> Array:
    """The union of two solids' values with a fillet about `blend` wide where they meet (quadratic smooth minimum)."""
    near = np.maximum(blend - np.abs(a - b), 0) / blend
    return np.minimum(a, b) - near * near * blend / 4


def smooth_difference(a: Array, b: Array, blend: float) -> Array:
    """What of the solid with values `a` is outside that with values `b`, its new edges rounded about `blend` wide."""
    return -smooth_union(-a, b, blend)


def ball(points: Array, centre: tuple[float, float, float], radius: float) -> Array:
    """Distance to a ball."""
    return np.asarray(np.linalg.norm(points - centre, axis=1) - radius)


def capsule(
    points: Array, start: tuple[float, float, float], end: tuple[float, float, float], radii: tuple[float, float]
) -> Array:
    """Distance to a segment, less a radius that goes from the first to the second of `radii` along it (not exact)."""
    axis = np.subtract(end, start)
    along = np.clip((points - start) @ axis / (axis @ axis), 0, 1)
    away = np.linalg.norm(points - start - along[:, None] * axis, axis=1)
    return np.asarray(away - (radii[0] + along * (radii[1] - radii[0])))


def cylinder(points: Array, bottom: float, top: float, radius: float, rounding: float) -> Array:
    """Distance to a cylinder about the Y axis whose rims are rounded by `rounding`."""
    across = np.hypot(points[:, 0], points[:, 2]) - radius + rounding
    along = np.abs(points[:, 1] - (bottom + top) / 2) - (top - bottom) / 2 + rounding
    outside = np.hypot(np.maximum(across, 0), np.maximum(along, 0))
    return outside + np.minimum(np.maximum(across, along), 0) - rounding


def polygonise(
    solid: Solid, low: tuple[float, ...], high: tuple[float, ...], cell: float, edges: tuple[float, float]
) -> tuple[Array, NDArray[np.int64]]:
    """The surface of a solid as well-shaped triangles, small where it is curved, whose vertices lie on it.

    Marching cubes (Lewiner et al. 2003) finds the topology, remeshing gives edges over which the normal rotates by
    about 20 degrees, and Newton steps bring the vertices back onto the surface.

    Args:
        solid: negative inside; its surface must lie within the box and be wide against `cell`.
        low, high: corners of the box, [3].
        cell: edge of the grid's cells.
        edges: the shortest and the longest edge length to aim at.

    Returns:
        Vertices [V,3] float64 and faces [F,3] int64, wound counter-clockwise seen from outside.
    """
    from skimage.measure import marching_cubes

    axes = [np.arange(a, b + cell, cell) for a, b in zip(low, high, strict=True)]
    grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)
    values = solid(grid.reshape(-1, 3)).reshape(grid.shape[:3])
    found, faces, _, _ = marching_cubes(values, 0.0, spacing=(cell,) * 3, gradient_direction="descent")
    vertices, faces = found.astype(np.float64) + np.asarray(low), faces.astype(np.int64)
    for _ in range(5):  # removes the slivers of marching cubes, whose normals would distort the curvature
        vertices = project(solid, _slide(solid, vertices, faces, cell), cell)
    vertices, faces = remesh(vertices, faces, _edge_lengths(solid, vertices, faces, edges, cell), iterations=8)
    return project(solid, vertices, cell), faces


def _edge_lengths(
    solid: Solid, vertices: Array, faces: NDArray[np.int64], edges: tuple[float, float], cell: float
) -> Array:
    """[V] edge lengths over which the normal rotates by about 20 degrees, changing gradually along the surface."""
    normals = _normals(solid, vertices, cell)
    a, b = _half_edges(faces)
    length = np.linalg.norm(vertices[a] - vertices[b], axis=1)
    curvature = np.zeros(len(vertices))
    np.maximum.at(curvature, a, np.linalg.norm(normals[a] - normals[b], axis=1) / np.maximum(length, 0.2 * cell))
    target = np.clip(0.35 / np.maximum(curvature, 1e-9), *edges)
    for _ in range(10):
        np.minimum.at(target, a, target[b] + 0.3 * length)
    return target


def project(solid: Solid, points: Array, cell: float, steps: int = 3) -> Array:
    """Points moved onto the surface by Newton steps along the gradient, none longer than half a cell."""
    for _ in range(steps):
        gradient = _gradient(solid, points, cell)
        step = solid(points)[:, None] * gradient / np.maximum((gradient**2).sum(axis=1, keepdims=True), 1e-12)
        length = np.linalg.norm(step, axis=1, keepdims=True)
        points = points - step * np.minimum(1, cell / 2 / np.maximum(length, 1e-12))
    return points


def _slide(solid: Solid, points: Array, faces: NDArray[np.int64], cell: float) -> Array:
    """Points moved half the way to the mean of their neighbours, within the tangent plane."""
    a, b = _half_edges(faces)
    total = np.zeros_like(points)
    np.add.at(total, a, points[b])
    move = total / np.bincount(a, minlength=len(points))[:, None] - points
    normal = _normals(solid, points, cell)
    return np.asarray(points + 0.5 * (move - (move * normal).sum(axis=1, keepdims=True) * normal))


def _half_edges(faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both ends of every edge, [3F] each; a closed mesh has each edge both ways round."""
    return faces.T.ravel(), faces[:, [1, 2, 0]].T.ravel()


def _normals(solid: Solid, points: Array, cell: float) -> Array:
    """[N,3] unit gradients."""
    gradient = _gradient(solid, points, cell)
    return np.asarray(gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-12))


def _gradient(solid: Solid, points: Array, cell: float) -> Array:
    """[N,3] central differences."""
    h = 1e-3 * cell
    columns = [(solid(points + h * axis) - solid(points - h * axis)) / (2 * h) for axis in np.eye(3)]
    return np.stack(columns, axis=1)
