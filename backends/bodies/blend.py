"""Bodies of the antialiasing of images: what a piece of the contour hides of a pixel, and what pixels show beside it.

The formulas and rules are those of `invrender.backends.torch`: `pieces`, `sight` and `antialias`.
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

REACH = 1e-3  # pixels from a piece to its probe
DEPTH_MARGIN = 1e-7  # NDC
APART = 1e-9  # of two pieces: nearer to an end they touch and do not cross
TOGETHER = 1e-6  # pixels: pieces whose ends are nearer than this are the same
MISJUDGED = -0.4  # an area below it: the rasterizer's rounding put the centre on the other side of the contour


@device
def first_line(a: float, b: float, lines: int) -> int:
    """First of the pixel borders 0 ... lines between two coordinates."""
    return int(math.ceil(min(max(min(a, b), 0.0), lines + 1.0)))  # noqa: RUF046 - CUDA's ceil gives a float


@device
def last_line(a: float, b: float, lines: int) -> int:
    """Last of the pixel borders 0 ... lines between two coordinates; before the first where there is none."""
    return int(math.floor(min(max(a, b, -1.0), float(lines))))  # noqa: RUF046 - CUDA's floor gives a float


@device
def line_t(line: int, begin: float, rise: float) -> float:
    """The parameter in [0, 1] at which a segment from `begin` to `begin + rise` crosses the border of a pixel."""
    return min(max((line - begin) / rise, 0.0), 1.0)


@device
def within(value: float) -> float:
    """A coordinate relative to a pixel's centre, kept in the pixel."""
    return min(max(value, -0.5), 0.5)


@device
def border(x: float, y: float) -> float:
    """Where the ray along (x, y) leaves the square about the origin, along its border; from -1/2."""
    if abs(x) >= abs(y):
        ratio = 0.5 * (y / (x if x != 0.0 else 1.0))
        return ratio if x >= 0.0 else 2.0 + ratio
    return (1.0 if y >= 0.0 else 3.0) - 0.5 * (x / y)


@device
def hidden_area(ax: float, ay: float, bx: float, by: float) -> float:
    """The part of the square that a piece from a to b hides from its centre; negative where it turns from +y to +x."""
    turn = border(bx, by) - border(ax, ay)
    if turn > 2.0:
        turn -= 4.0
    elif turn < -2.0:
        turn += 4.0
    return 0.25 * turn - 0.5 * (ax * by - ay * bx)


@device
def cone_moment(x: float, y: float) -> tuple[float, float]:
    """Integral of position over the part of the square from +x to the ray along (x, y)."""
    if abs(x) >= abs(y):
        side, ratio = 1.0 if x >= 0.0 else -1.0, 0.5 * (y / (x if x != 0.0 else 1.0))
        return side * ratio / 12.0, side * ratio * ratio / 12.0 + (1.0 - side) / 16.0
    side, ratio = 1.0 if y >= 0.0 else -1.0, -0.5 * (x / y)
    return side / 16.0 - side * ratio * ratio / 12.0, side * ratio / 12.0 + 1.0 / 16.0


@device
def hidden_moment(ax: float, ay: float, bx: float, by: float) -> tuple[float, float]:
    """Integral of position over what `hidden_area` measures."""
    ux, uy = cone_moment(ax, ay)
    vx, vy = cone_moment(bx, by)
    part = (ax * by - ay * bx) / 6.0
    return vx - ux - part * (ax + bx), vy - uy - part * (ay + by)


@device
def towards(pixel: int, near: int, width: int) -> tuple[float, float]:
    """The way from a pixel to another of the same view, divided by its squared length."""
    across, down = near % width - pixel % width, near // width - pixel // width
    length = max(across * across + down * down, 1)
    return across / length, down / length


@device
def crossing_of(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float
) -> float:  # fmt: skip
    """Where on the piece from a to b the one from c to d crosses it, in (0, 1); -1 where it does not."""
    px, py, qx, qy = bx - ax, by - ay, dx - cx, dy - cy
    cross = px * qy - py * qx
    if cross == 0.0:
        return -1.0
    gx, gy = cx - ax, cy - ay
    s, r = (gx * qy - gy * qx) / cross, (gx * py - gy * px) / cross
    return s if APART < s < 1.0 - APART and APART < r < 1.0 - APART else -1.0


@device
def coincide(
    ax: float, ay: float, bx: float, by: float, cx: float, cy: float, dx: float, dy: float
) -> bool:  # fmt: skip
    """Whether the pieces from a to b and from c to d have the same ends."""
    forth = max(abs(ax - cx), abs(ay - cy), abs(bx - dx), abs(by - dy))
    back = max(abs(ax - dx), abs(ay - dy), abs(bx - cx), abs(by - cy))
    return min(forth, back) < TOGETHER


@device
def triangle_at(
    ax: float, ay: float, az: float, bx: float, by: float, bz: float, cx: float, cy: float, cz: float,
    probe_x: float, probe_y: float, x: float, y: float,
) -> tuple[bool, float]:  # fmt: skip
    """Whether a screen triangle covers a probe, and the depth of its plane at (x, y)."""
    x1, y1, x2, y2 = bx - ax, by - ay, cx - ax, cy - ay
    area = x1 * y2 - x2 * y1
    if area == 0.0:
        return False, 0.0
    px, py = probe_x - ax, probe_y - ay
    v, w = px * y2 - x2 * py, x1 * py - px * y1
    if area < 0.0:
        v, w = -v, -w
    if not (v >= 0.0 and w >= 0.0 and v + w <= abs(area)):
        return False, 0.0
    px, py = x - ax, y - ay
    return True, az + ((bz - az) * (px * y2 - x2 * py) + (cz - az) * (x1 * py - px * y1)) / area


@device
def side_of(
    pixel: int, x: float, y: float, own: float, behind: float, clip: Floats, faces: Ints, face_id: Ids, depth: Floats,
    height: int, width: int,
) -> int:  # fmt: skip
    """Whether a pixel shows the surface that ends in a piece at (x, y) (1), what is behind it (-1), or neither (0)."""
    if face_id[pixel] < 0:
        return -1 if behind == math.inf else 0
    if behind == math.inf:
        return 1
    z = depth_at(pixel, x, y, clip, faces, face_id, depth, height, width)
    return 1 if abs(z - own) < abs(z - behind) else -1


@device
def neighbour(pixel: int, kind: int, side: int, way_x: float, way_y: float, height: int, width: int) -> int:
    """A pixel `side` steps from one, away from a surface with outward normal `way`, or towards it; -1 off the image.

    Kinds: 0 along the normal's larger component, 1 along the smaller one, 2 along both.
    """
    level = abs(way_x) >= abs(way_y)
    along_x, along_y = kind == 2 or level == (kind == 0), kind == 2 or level == (kind == 1)
    column, row = pixel % width, pixel // width
    if along_x:
        column += side if way_x >= 0.0 else -side
    if along_y:
        row += side if way_y >= 0.0 else -side
    return row * width + column if 0 <= column < width and 0 <= row < height else -1


@device
def depth_at(
    pixel: int, x: float, y: float, clip: Floats, faces: Ints, face_id: Ids, depth: Floats, height: int, width: int
) -> float:
    """NDC depth of the face seen in a pixel at a nearby screen point, kept within the range of its corners."""
    face = face_id[pixel]
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    start = np.float64(depth[pixel])
    wa, wb, wc = np.float64(clip[a, 3]), np.float64(clip[b, 3]), np.float64(clip[c, 3])
    if not (clip[a, 2] + wa > 0.0 and clip[b, 2] + wb > 0.0 and clip[c, 2] + wc > 0.0):
        return start
    half_width, half_height = 0.5 * width, 0.5 * height
    xa, ya, za = screen_x(clip[a, 0], wa, half_width), screen_y(clip[a, 1], wa, half_height), clip[a, 2] / wa
    x1, y1 = screen_x(clip[b, 0], wb, half_width) - xa, screen_y(clip[b, 1], wb, half_height) - ya
    x2, y2 = screen_x(clip[c, 0], wc, half_width) - xa, screen_y(clip[c, 1], wc, half_height) - ya
    zb, zc = clip[b, 2] / wb, clip[c, 2] / wc
    area = x1 * y2 - x2 * y1
    if area == 0.0:
        return start
    z1, z2 = zb - za, zc - za
    dx, dy = x - (pixel % width + 0.5), y - (pixel // width + 0.5)
    z = start + ((z1 * y2 - z2 * y1) * dx + (z2 * x1 - z1 * x2) * dy) / area
    return float(min(max(z, min(za, zb, zc)), max(za, zb, zc)))
