"""Kernels of `sketch`: triangles into a buffer of the nearest at each sample, and means of their colours in pixels.

A sample's entry holds its depth above the number of the triangle, so that the least of two entries is the nearer one:
it is chosen without a branch, which processors foresee badly at the borders of triangles a few samples large.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.jit import body, kernel

Floats = NDArray[np.floating[Any]]
Ints = NDArray[np.integer[Any]]
Bytes = NDArray[np.uint8]

SHADED, NORMAL, COLOUR = 0, 1, 2
ASIDE = 0.25  # of a cell, that its sample is beside the middle: so four samples of a pixel are in four rows and columns
SMALL, MEDIUM = 8.0, 128.0  # samples in a triangle, doubled: areas of one pixel, and of sixteen
ALIKE = 0.15  # linear, by which corners may differ for a large triangle to be taken for linear
INSIDE = 1e-9  # beyond a triangle's border, as a share of it: what rounding takes
DEPTHS = 2.0**29  # steps of depth from the middle to either plane
BITS = 32  # of an entry, that number a triangle
NUMBER = (1 << BITS) - 1
FAR = 1 << 30 + BITS  # an entry at the far plane


@kernel
def sketch(
    points: Floats, faces: Ints, values: Floats, matrix: Floats, light: Floats, kind: int, solid: bool, paper: Floats,
    codes: Bytes, picture: Bytes, cover: Floats,
) -> bool:  # fmt: skip
    """A picture of a mesh on paper.

    Args:
        points: [P,3].
        faces: [F,3].
        values: [F,3,3] at corners: normals, or colours of kind COLOUR.
        matrix: [4,4] from points to clip positions.
        light: [8] the unit vector towards the light, the ambient term, the intensity, what is reflected of RGB.
        kind: SHADED, NORMAL or COLOUR.
        solid: whether no back of a face can be seen.
        paper: [3] linear RGB.
        codes: [N] sRGB bytes of values from 0 to 1.
        picture: [H,W,3] uint8, filled.
        cover: [H,W] the share of samples where something is, filled.

    Returns:
        Whether all points are before the camera; otherwise nothing is drawn.
    """
    height, width = cover.shape
    screen = np.empty((len(points), 4), np.float64)  # column, row, steps of depth, 1/w: in samples, from a middle
    if not _project(points, matrix, screen, 2 * height, 2 * width):
        return False
    nearest = np.full((2 * height, 2 * width), FAR | len(faces), np.int64)  # number F: nothing
    tones = np.zeros((len(faces) + 1, 1 if kind == SHADED else 3, 3), np.float32)
    for f in range(len(faces)):
        _fill(screen, faces, f, values, light, kind, solid, nearest, tones)
    _resolve(nearest, tones, screen, faces, values, light, kind, paper, codes, picture, cover)
    return True


@body
def _project(points: Floats, matrix: Floats, screen: Floats, rows: int, columns: int) -> bool:
    """Fill `screen`; whether all points are before the camera."""
    for i in range(len(points)):
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        w = matrix[3, 0] * x + matrix[3, 1] * y + matrix[3, 2] * z + matrix[3, 3]
        if not w > 1e-9:
            return False
        one = 1 / w
        across = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
        up = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
        depth = (matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]) * one
        screen[i, 0] = (across * one + 1) * 0.5 * columns - 0.5
        screen[i, 1] = (1 - up * one) * 0.5 * rows - 0.5
        screen[i, 2] = (min(max(depth, -9.0), 9.0) + 1) * DEPTHS
        screen[i, 3] = one
    return True


@body
def _fill(
    screen: Floats, faces: Ints, f: int, values: Floats, light: Floats, kind: int, solid: bool, nearest: Ints,
    tones: Floats,
) -> None:  # fmt: skip
    """One triangle into the samples, and its tones."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    ax, ay, az = screen[a, 0], screen[a, 1], screen[a, 2]
    bx, by, bz = screen[b, 0] - ax, screen[b, 1] - ay, screen[b, 2] - az
    cx, cy, cz = screen[c, 0] - ax, screen[c, 1] - ay, screen[c, 2] - az
    area = bx * cy - cx * by
    if not abs(area) > 0 or (solid and area > 0):  # rows go down: what is seen clockwise is a face's front
        return
    rows, columns = nearest.shape
    left, right = ax + min(0.0, bx, cx) - ASIDE, ax + max(0.0, bx, cx) + ASIDE
    top, bottom = ay + min(0.0, by, cy) - ASIDE, ay + max(0.0, by, cy) + ASIDE
    if not (right >= 0 and bottom >= 0 and left <= columns - 1 and top <= rows - 1):
        return
    first, last = int(np.ceil(max(left, 0.0))), int(min(right, columns - 1.0))
    one = 1 / area
    b_across, b_down, c_across, c_down = cy * one, -cx * one, -by * one, bx * one
    _tell(values, light, kind, f, area, ax, ay, b_across, b_down, c_across, c_down, tones)
    for row in range(int(np.ceil(max(top, 0.0))), int(min(bottom, rows - 1.0)) + 1):
        x, y = first - ax + (ASIDE if row & 1 == 0 else -ASIDE), row - ay
        down = -ASIDE if first & 1 == 0 else ASIDE
        s, t = x * b_across + y * b_down, x * c_across + y * c_down
        s_down, t_down = down * b_down, down * c_down
        for column in range(first, last + 1):
            s_here, t_here = s + s_down, t + t_down
            s_down, t_down = -s_down, -t_down
            s += b_across
            t += c_across
            entry, old = (np.int64(az + s_here * bz + t_here * cz) << BITS) | f, nearest[row, column]
            inside = (s_here >= -INSIDE) & (t_here >= -INSIDE) & (s_here + t_here <= 1 + INSIDE)
            nearest[row, column] = entry if inside & (entry >= 0) & (entry < old) else old


@body
def _tell(
    values: Floats, light: Floats, kind: int, f: int, area: float, ax: float, ay: float, b_across: float,
    b_down: float, c_across: float, c_down: float, tones: Floats,
) -> None:  # fmt: skip
    """Fill tones[f] [C,3]: of each channel its value at row and column 0 and its growth along either.

    It is taken from the triangle's corners, of a small one as their mean; NaN of a large one whose corners differ.
    """
    apart = 0.0
    for k in range(tones.shape[1]):
        one, two, three = 0.0, 0.0, 0.0
        for corner in range(3):
            if kind == SHADED:
                x, y, z = values[f, corner, 0], values[f, corner, 1], values[f, corner, 2]
                lit = x * light[0] + y * light[1] + z * light[2]
                tone = light[3] + light[4] * max(lit if area < 0 else -lit, 0.0)
            elif kind == NORMAL:
                tone = 0.5 + (0.5 if area < 0 else -0.5) * values[f, corner, k]
            else:
                tone = np.float64(values[f, corner, k])
            one, two, three = two, three, tone
        start, across, down = (one + two + three) / 3, 0.0, 0.0
        two, three = two - one, three - one
        apart = max(apart, abs(two), abs(three), abs(two - three))
        if abs(area) > SMALL:
            across, down = two * b_across + three * c_across, two * b_down + three * c_down
            start = one - ax * across - ay * down
        tones[f, k, 0], tones[f, k, 1], tones[f, k, 2] = start, across, down
    if abs(area) > MEDIUM and apart > ALIKE:
        tones[f, 0, 0] = np.nan


@body
def _resolve(
    nearest: Ints, tones: Floats, screen: Floats, faces: Ints, values: Floats, light: Floats, kind: int, paper: Floats,
    codes: Bytes, picture: Bytes, cover: Floats,
) -> None:  # fmt: skip
    """Means over the samples of each pixel, on paper, as sRGB bytes."""
    height, width = cover.shape
    sums, blank = np.zeros(3, np.float64), np.empty(3, np.uint8)
    for k in range(3):
        blank[k] = codes[int(paper[k] * (len(codes) - 1) + 0.5)]
    for i in range(height):
        for j in range(width):
            a, b = nearest[2 * i, 2 * j], nearest[2 * i, 2 * j + 1]
            c, d = nearest[2 * i + 1, 2 * j], nearest[2 * i + 1, 2 * j + 1]
            if min(a, b, c, d) >= FAR:
                cover[i, j] = 0
                picture[i, j, 0], picture[i, j, 1], picture[i, j, 2] = blank[0], blank[1], blank[2]
                continue
            free = 0.25 * (int(a >= FAR) + int(b >= FAR) + int(c >= FAR) + int(d >= FAR))
            column, row = 2.0 * j, 2.0 * i
            for k in range(tones.shape[1]):
                sums[k] = 0.25 * (
                    _linear(tones, a & NUMBER, k, column + ASIDE, row - ASIDE)
                    + _linear(tones, b & NUMBER, k, column + (1 + ASIDE), row + ASIDE)
                    + _linear(tones, c & NUMBER, k, column - ASIDE, row + (1 - ASIDE))
                    + _linear(tones, d & NUMBER, k, column + (1 - ASIDE), row + (1 + ASIDE))
                )
            if sums[0] != sums[0]:
                _sum_exactly(nearest, tones, screen, faces, values, light, kind, i, j, sums)
            cover[i, j] = 1 - free
            for k in range(3):
                tone = sums[0] * light[5 + k] if kind == SHADED else sums[k]
                picture[i, j, k] = codes[int(min(max(tone + free * paper[k], 0.0), 1.0) * (len(codes) - 1) + 0.5)]


@body
def _linear(tones: Floats, f: int, k: int, across: float, down: float) -> float:
    """A channel of a face at a column and row of samples."""
    tone: float = tones[f, k, 0] + across * tones[f, k, 1] + down * tones[f, k, 2]
    return tone


@body
def _sum_exactly(
    nearest: Ints, tones: Floats, screen: Floats, faces: Ints, values: Floats, light: Floats, kind: int, i: int, j: int,
    sums: Floats,
) -> None:  # fmt: skip
    """Fill `sums` with means of a pixel's samples, some of them in triangles with no tones of their own."""
    sums[:] = 0
    face = nearest[2 * i, 2 * j] & NUMBER
    alike = True
    for n in range(1, 4):
        alike = alike and nearest[2 * i + (n >> 1), 2 * j + (n & 1)] & NUMBER == face
    for n in range(1 if alike else 4):  # those of one triangle are shaded once, in the middle
        row, column = 2 * i + (n >> 1), 2 * j + (n & 1)
        f = nearest[row, column] & NUMBER
        down = row + (0.5 if alike else ASIDE if column & 1 else -ASIDE)
        across = column + (0.5 if alike else -ASIDE if row & 1 else ASIDE)
        if tones[f, 0, 0] != tones[f, 0, 0]:
            _add_exactly(screen, faces, values, light, kind, f, across, down, 1.0 if alike else 0.25, sums)
            continue
        for k in range(tones.shape[1]):
            sums[k] += 0.25 * _linear(tones, f, k, across, down)


@body
def _add_exactly(
    screen: Floats, faces: Ints, values: Floats, light: Floats, kind: int, f: int, across: float, down: float,
    share: float, sums: Floats,
) -> None:  # fmt: skip
    """Add a share of what a face shows at a column and row of samples."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    x, y = across - screen[a, 0], down - screen[a, 1]
    bx, by = screen[b, 0] - screen[a, 0], screen[b, 1] - screen[a, 1]
    cx, cy = screen[c, 0] - screen[a, 0], screen[c, 1] - screen[a, 1]
    area = bx * cy - cx * by
    s, t = (x * cy - y * cx) / area, (y * bx - x * by) / area
    r, s, t = (1 - s - t) * screen[a, 3], s * screen[b, 3], t * screen[c, 3]  # perspective: shares of 1/w
    x = r * values[f, 0, 0] + s * values[f, 1, 0] + t * values[f, 2, 0]
    y = r * values[f, 0, 1] + s * values[f, 1, 1] + t * values[f, 2, 1]
    z = r * values[f, 0, 2] + s * values[f, 1, 2] + t * values[f, 2, 2]
    side = 1.0 if area < 0 else -1.0
    size = 1 / (r + s + t) if kind == COLOUR else side / max(np.sqrt(x * x + y * y + z * z), 1e-30)
    if kind == SHADED:
        lit = size * (x * light[0] + y * light[1] + z * light[2])
        sums[0] += share * (light[3] + light[4] * max(lit, 0.0))
        return
    half = 0.5 if kind == NORMAL else 1.0
    sums[0] += share * (half * size * x + 1 - half)
    sums[1] += share * (half * size * y + 1 - half)
    sums[2] += share * (half * size * z + 1 - half)
