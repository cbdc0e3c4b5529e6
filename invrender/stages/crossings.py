"""Where upright bundles of rays through a stage's voxels enter and leave closed meshes.

A ray through a pixel keeps its place in the picture, so that all crossings come from drawing the triangles on a grid of
places: 1 / depth is linear across a triangle there. The three edges of a triangle decide by signs that two triangles
with an edge in common compute alike but for the sign, so that a ray through that edge crosses one of both: none slips
through, and entries and exits pair up (McGuire 2005, "Efficient ray-triangle tests", has the same for rays).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.nouns import Mesh
from invrender.nouns.stage import Stage

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

AT_ONCE = 2**21  # places that are looked at together, which bounds the memory


@dataclass(frozen=True)
class Crossings:
    """Crossings of N rays with surfaces, in no order.

    Attributes:
        ray: [N] int64, row * columns + column of the ray.
        depth: [N] float64, along the viewing axis.
        turn: [N] int8, 1 where the ray enters and -1 where it leaves.
    """

    ray: Ints
    depth: Floats
    turn: NDArray[np.int8]

    def __len__(self) -> int:
        return len(self.ray)


def joined(several: list[Crossings]) -> Crossings:
    """All of them as one."""
    if not several:
        return Crossings(np.zeros(0, np.int64), np.zeros(0), np.zeros(0, np.int8))
    return Crossings(
        np.concatenate([each.ray for each in several]),
        np.concatenate([each.depth for each in several]),
        np.concatenate([each.turn for each in several]),
    )


def crossings(mesh: Mesh, stage: Stage, rays: tuple[int, int]) -> Crossings:
    """Of a mesh with rays through the middles of a picture's cells.

    Args:
        mesh: in the stage's world.
        stage: whose camera the rays come from.
        rays: rows and columns of them.

    Raises:
        InputError: a vertex is behind the camera.
    """
    corners = _corners(mesh, stage, rays)
    found = [_hits(part, x, y, columns=rays[1]) for part, x, y in _places(corners, rays)]
    return joined(found)


def ground_crossings(stage: Stage, rays: tuple[int, int]) -> Crossings:
    """Where the same rays enter the ground, which they never leave."""
    height, width = rays
    right, up = stage.half_extents(rays)
    pose = stage.camera_to_world.numpy()
    x = (2 * (np.arange(width) + 0.5) / width - 1) * right
    y = (1 - 2 * (np.arange(height) + 0.5) / height) * up
    fall = pose[1, 0] * x[None] + pose[1, 1] * y[:, None] - pose[1, 2]  # of a ray, per unit of depth
    with np.errstate(divide="ignore"):
        depth = (float(stage.ground or 0) - pose[1, 3]) / fall
    ray = np.flatnonzero((fall < 0).ravel() & (depth > 0).ravel())
    return Crossings(ray, depth.ravel()[ray], np.ones(len(ray), np.int8))


def _corners(mesh: Mesh, stage: Stage, rays: tuple[int, int]) -> Floats:
    """[F,3,3]: column, row (rays lie at whole numbers) and 1 / depth of each corner."""
    vertices, faces = mesh.numpy()
    pose = stage.camera_to_world.numpy()
    local = (vertices - pose[:3, 3]) @ pose[:3, :3]
    depth = -local[:, 2]
    if len(depth) and depth.min() <= 1e-3 * stage.near:
        raise InputError("a mesh reaches behind the camera", "move it to the origin, or make it smaller")
    right, up = stage.half_extents(rays)
    column = (local[:, 0] / (depth * right) + 1) * rays[1] / 2 - 0.5
    row = (1 - local[:, 1] / (depth * up)) * rays[0] / 2 - 0.5
    return np.stack([column, row, 1 / depth], axis=1)[faces]


def _places(corners: Floats, rays: tuple[int, int]) -> Iterator[tuple[Floats, Ints, Ints]]:
    """The places in the box about each triangle: corners [N,3,3], columns [N], rows [N]; some triangles at a time."""
    low, high = corners[:, :, :2].min(1), corners[:, :, :2].max(1)
    last = np.array([rays[1], rays[0]]) - 1
    first = np.ceil(np.clip(low, 0, last + 1)).astype(np.int64)
    count = np.maximum(np.floor(np.clip(high, -1, last)).astype(np.int64) - first + 1, 0)
    places = count[:, 0] * count[:, 1]
    kept = np.flatnonzero(places)
    ends = np.cumsum(places[kept])
    begin = 0
    while begin < len(kept):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + AT_ONCE, side="right")))
        some = kept[begin:end]
        face = np.repeat(some, places[some])
        number = np.arange(len(face)) - np.repeat(ends[begin:end] - places[some] - done, places[some])
        row, column = np.divmod(number, count[face, 0])
        yield corners[face], first[face, 0] + column, first[face, 1] + row
        begin = end


def _hits(corners: Floats, column: Ints, row: Ints, columns: int) -> Crossings:
    """Those places that are within their triangle."""
    x, y = corners[:, :, 0] - column[:, None], corners[:, :, 1] - row[:, None]
    area, left = np.empty_like(x), np.empty(x.shape, bool)
    for k in range(3):  # the edge across from corner k
        a, b = (k + 1) % 3, (k + 2) % 3
        area[:, k] = x[:, a] * y[:, b] - y[:, a] * x[:, b]
        dx, dy = corners[:, b, 0] - corners[:, a, 0], corners[:, b, 1] - corners[:, a, 1]
        left[:, k] = (area[:, k] > 0) | ((area[:, k] == 0) & ((dy > 0) | ((dy == 0) & (dx > 0))))
    whole = area.sum(1)
    within = (left.all(1) | ~left.any(1)) & (whole != 0)
    share = area[within] / whole[within, None]
    depth = 1 / (share * corners[within, :, 2]).sum(1)
    turn = np.where(left[within, 0], -1, 1).astype(np.int8)  # rows run down: what faces the camera runs clockwise
    return Crossings(row[within] * columns + column[within], depth, turn)
