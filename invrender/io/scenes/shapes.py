"""Shapes that a scene file describes in numbers, as triangles: balls, rectangles and boxes."""

from __future__ import annotations

from functools import cache

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.nouns import Material, Mesh

Array = NDArray[np.float64]
Faces = NDArray[np.int64]

_FINE = 5  # subdivisions: 20,480 faces
_GOLDEN = (1 + 5**0.5) / 2
_CORNERS = np.array([
    (-1, _GOLDEN, 0), (1, _GOLDEN, 0), (-1, -_GOLDEN, 0), (1, -_GOLDEN, 0),
    (0, -1, _GOLDEN), (0, 1, _GOLDEN), (0, -1, -_GOLDEN), (0, 1, -_GOLDEN),
    (_GOLDEN, 0, -1), (_GOLDEN, 0, 1), (-_GOLDEN, 0, -1), (-_GOLDEN, 0, 1),
])  # fmt: skip
_FACES = np.array([
    (0, 11, 5), (0, 5, 1), (0, 1, 7), (0, 7, 10), (0, 10, 11), (1, 5, 9), (5, 11, 4), (11, 10, 2), (10, 7, 6),
    (7, 1, 8), (3, 9, 4), (3, 4, 2), (3, 2, 6), (3, 6, 8), (3, 8, 9), (4, 9, 5), (2, 4, 11), (6, 2, 10), (8, 6, 7),
    (9, 8, 1),
])  # fmt: skip


def ball(centre: Array, radius: float, linear: Array, material: Material, subdivisions: int = _FINE) -> Mesh:
    """A sphere of triangles whose corners lie on it; with texture coordinates where the material has a picture.

    These are u by longitude, 0.5 at +Z and growing towards +X, so that the picture of a globe reads right from outside,
    and v by latitude, 1 on top (+Y).

    Args:
        centre: [3].
        radius: above 0.
        linear: [3,3], applied about the centre.
        material: of the surface.
        subdivisions: there are 20 * 4^subdivisions triangles.
    """
    unit, faces = _icosphere(subdivisions)
    uv = None
    if material.texture is not None:
        source, uv, faces = _longitude_latitude(unit, faces)
        unit = unit[source]
    return _mesh(
        radius * unit @ linear.T + centre, faces if np.linalg.det(linear) > 0 else faces[:, ::-1], uv, material
    )


def rectangle(centre: Array, normal: Array, up: Array | None, size: Array, repeat: Array, material: Material) -> Mesh:
    """Two triangles, seen from outside where the normal points; texture coordinates run from 0 to `repeat`.

    Args:
        centre: [3].
        normal: [3], of any length.
        up: [3], to which the height is as parallel as can be; None: +Y, and -Z where the normal is along Y.
        size: [2] width and height.
        repeat: [2] how often a picture is shown.
        material: of the surface.
    """
    normal = normal / np.abs(normal).max()
    normal = normal / np.linalg.norm(normal)
    if up is None:
        up = np.array([0.0, 0.0, -1.0]) if abs(normal[1]) > 1 - 1e-6 else np.array([0.0, 1.0, 0.0])
    right = np.cross(up, normal)
    right = right / np.linalg.norm(right)
    across, along = right * size[0] / 2, np.cross(normal, right) * size[1] / 2
    corners = [centre - across - along, centre + across - along, centre + across + along, centre - across + along]
    uv = np.array([(0, 0), (1, 0), (1, 1), (0, 1)]) * repeat
    return _mesh(np.array(corners), np.array([(0, 1, 2), (0, 2, 3)]), uv, material)


def box(centre: Array, size: Array, linear: Array, material: Material) -> Mesh:
    """Twelve triangles; a picture is shown on each side, upright on the four around.

    Args:
        centre: [3].
        size: [3] along the axes.
        linear: [3,3], applied about the centre.
        material: of the surface.
    """
    sides = [
        rectangle(n / 2, n, None, np.ones(2), np.ones(2), material) for n in np.concatenate([np.eye(3), -np.eye(3)])
    ]
    corners = np.concatenate([side.vertices.numpy() for side in sides])
    faces = np.concatenate([side.faces.numpy() + 4 * k for k, side in enumerate(sides)])
    uv = np.concatenate([side.uv.numpy() for side in sides if side.uv is not None])
    placed = (corners * size) @ linear.T + centre
    return _mesh(placed, faces if np.linalg.det(linear) > 0 else faces[:, ::-1], uv, material)


def _mesh(vertices: Array, faces: Faces, uv: Array | None, material: Material) -> Mesh:
    return Mesh(
        torch.from_numpy(np.ascontiguousarray(vertices)),
        torch.from_numpy(np.ascontiguousarray(faces, np.int64)),
        None if uv is None else torch.from_numpy(uv),
        None,
        material,
    )


@cache
def _icosphere(subdivisions: int) -> tuple[Array, Faces]:
    """A unit sphere: an icosahedron whose triangles are divided in four again and again."""
    vertices, faces = _CORNERS / np.linalg.norm(_CORNERS, axis=1, keepdims=True), _FACES.astype(np.int64)
    for _ in range(subdivisions):
        sides = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        ends, middle = np.unique(sides, axis=0, return_inverse=True)
        between = vertices[ends].sum(axis=1)
        ab, bc, ca = (middle.reshape(-1, 3) + len(vertices)).T
        a, b, c = faces.T
        vertices = np.concatenate([vertices, between / np.linalg.norm(between, axis=1, keepdims=True)])
        faces = np.concatenate([np.stack(each, 1) for each in ((a, ab, ca), (b, bc, ab), (c, ca, bc), (ab, bc, ca))])
    return vertices, faces


def _longitude_latitude(unit: Array, faces: Faces) -> tuple[NDArray[np.int64], Array, Faces]:
    """Texture coordinates of a unit sphere; corners along the seam, and at the poles, stand there once for each face.

    Returns:
        [V'] which vertex each is, [V',2] and faces [F,3] of them.
    """
    x, y, z = unit.T
    u = (np.arctan2(x, z) / (2 * np.pi) + 0.5)[faces]
    v = (np.arcsin(np.clip(y, -1, 1)) / np.pi + 0.5)[faces]
    u = np.where(u.max(1, keepdims=True) - u > 0.5, u + 1, u)  # a face across the seam goes on behind it
    pole = np.hypot(x, z)[faces] < 1e-9
    others = (u * ~pole).sum(1, keepdims=True) / np.maximum((~pole).sum(1, keepdims=True), 1)
    u = np.where(pole, others, u)
    rows = np.stack([faces.ravel(), u.ravel(), v.ravel()], axis=1)
    kept, corner = np.unique(rows, axis=0, return_inverse=True)
    return kept[:, 0].astype(np.int64), kept[:, 1:].copy(), corner.reshape(-1, 3)
