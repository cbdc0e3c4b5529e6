"""Bodies of the antialiasing of images: which pixel pairs a contour crossing separates, and whether it is seen there.

The rules are those of `invrender.backends.torch.antialias`.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .contour import screen_x, screen_y
from .target import device

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]
Ids: TypeAlias = NDArray[np.int64]

SNAP = (
    1.0 / 128.0
)  # the rasterizer moves edges by up to 1/512 pixel; search the pixel pair that results within this distance
DEPTH_MARGIN = 1e-6  # NDC
KINDS = 3  # pixel pairs that a crossing may separate: its own, and near a centre the one before or after


@device
def pair_of(position: float, kind: int, length: int) -> int:
    """First pixel of the pair of that kind at a position along a scanline; -1 where there is none."""
    if not 0.0 <= position <= length:
        return -1
    first = int(math.floor(position - 0.5))  # noqa: RUF046 - CUDA's floor gives a float
    gap = position - 0.5 - first
    if kind == 1:
        first = first - 1 if gap < SNAP else -1
    elif kind == 2:
        first = first + 1 if gap > 1.0 - SNAP else -1
    return first if first + 1 < length else -1


@device
def is_seen(
    inner: int, outer: int, x: float, y: float, edge_depth: float, clip: Floats, faces: Ints, face_id: Ids,
    depth: Floats, height: int, width: int,
) -> bool:  # fmt: skip
    """Whether an edge at the screen point (x, y) separates what the inner and the outer pixel show."""
    if face_id[inner] < 0 or face_id[inner] == face_id[outer]:
        return False
    if face_id[outer] < 0:
        return True
    behind, _ = depth_at(outer, x, y, clip, faces, face_id, depth, height, width)
    own, reach = depth_at(inner, x, y, clip, faces, face_id, depth, height, width)
    # Where triangles are small the inner pixel shows a neighbour of the edge's own face, so allow for its reach.
    return edge_depth < behind - DEPTH_MARGIN and own < edge_depth + 4.0 * reach + DEPTH_MARGIN


@device
def depth_at(
    pixel: int, x: float, y: float, clip: Floats, faces: Ints, face_id: Ids, depth: Floats, height: int, width: int
) -> tuple[float, float]:
    """NDC depth of the face seen in a pixel at a nearby screen point, kept in its corners' range, and that range."""
    face = face_id[pixel]
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    start = np.float64(depth[pixel])
    wa, wb, wc = np.float64(clip[a, 3]), np.float64(clip[b, 3]), np.float64(clip[c, 3])
    if not (clip[a, 2] + wa > 0.0 and clip[b, 2] + wb > 0.0 and clip[c, 2] + wc > 0.0):
        return start, 0.0
    half_width, half_height = 0.5 * width, 0.5 * height
    xa, ya, za = screen_x(clip[a, 0], wa, half_width), screen_y(clip[a, 1], wa, half_height), clip[a, 2] / wa
    x1, y1 = screen_x(clip[b, 0], wb, half_width) - xa, screen_y(clip[b, 1], wb, half_height) - ya
    x2, y2 = screen_x(clip[c, 0], wc, half_width) - xa, screen_y(clip[c, 1], wc, half_height) - ya
    zb, zc = clip[b, 2] / wb, clip[c, 2] / wc
    area = x1 * y2 - x2 * y1
    if area == 0.0:
        return start, 0.0
    z1, z2 = zb - za, zc - za
    dx, dy = x - (pixel % width + 0.5), y - (pixel // width + 0.5)
    z = start + ((z1 * y2 - z2 * y1) * dx + (z2 * x1 - z1 * x2) * dy) / area
    low, high = min(za, zb, zc), max(za, zb, zc)
    return min(max(z, low), high), high - low
