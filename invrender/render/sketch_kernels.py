"""Kernels of `sketch`: triangles into a depth buffer with a colour, and means over its samples."""

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
SMALL = 8.0  # samples in a triangle, doubled: the area of a pixel
INSIDE = 1e-9  # beyond a triangle's border, as a share of it: what rounding takes


@kernel
def sketch(
    points: Floats, faces: Ints, values: Floats, matrix: Floats, light: Floats, kind: int, paper: Floats, codes: Bytes,
    picture: Bytes, cover: Floats,
) -> bool:  # fmt: skip
    """A picture of a mesh on paper.

    Args:
        points: [P,3].
        faces: [F,3].
        values: [F,3,3] at corners: normals, or colours of kind COLOUR.
        matrix: [4,4] from points to clip positions.
        light: [8] the unit vector towards the light, the ambient term, the intensity, what is reflected of RGB.
        kind: SHADED, NORMAL or COLOUR.
        paper: [3] linear RGB.
        codes: [N] sRGB bytes of values from 0 to 1.
        picture: [H,W,3] uint8, filled.
        cover: [H,W] the share of samples where something is, filled.

    Returns:
        Whether all points are before the camera; otherwise nothing is drawn.
    """
    height, width = cover.shape
    screen = np.empty((len(points), 4), np.float64)  # column, row, normalised depth, 1/w: in samples, from a middle
    depth, seen = np.ones((2 * height, 2 * width), np.float32), np.empty((2 * height, 2 * width), np.int32)
    if not _project(points, matrix, screen, 2 * height, 2 * width):
        return False
    for f in range(len(faces)):
        _fill(screen, faces, f, depth, seen)
    _resolve(depth, seen, screen, faces, values, light, kind, paper, codes, picture, cover)
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
        screen[i, 0] = (across * one + 1) * 0.5 * columns - 0.5
        screen[i, 1] = (1 - up * one) * 0.5 * rows - 0.5
        screen[i, 2] = (matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]) * one
        screen[i, 3] = one
    return True


@body
def _fill(screen: Floats, faces: Ints, f: int, depth: Floats, seen: Ints) -> None:
    """One triangle into the samples."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    ax, ay, bx, by, cx, cy = screen[a, 0], screen[a, 1], screen[b, 0], screen[b, 1], screen[c, 0], screen[c, 1]
    left, right = max(min(ax, bx, cx) - ASIDE, 0.0), min(max(ax, bx, cx) + ASIDE, depth.shape[1] - 1.0)
    top, bottom = max(min(ay, by, cy) - ASIDE, 0.0), min(max(ay, by, cy) + ASIDE, depth.shape[0] - 1.0)
    if not (np.ceil(left) <= right and np.ceil(top) <= bottom):
        return  # no sample inside, or nowhere near the picture
    bx, by, cx, cy = bx - ax, by - ay, cx - ax, cy - ay
    area = bx * cy - cx * by
    if not abs(area) > 0:
        return
    one = 1 / area
    b_across, b_down, c_across, c_down = cy * one, -cx * one, -by * one, bx * one
    az, bz, cz = screen[a, 2], screen[b, 2] - screen[a, 2], screen[c, 2] - screen[a, 2]
    first, last = int(np.ceil(left)), int(right)
    for row in range(int(np.ceil(top)), int(bottom) + 1):
        x = first - ax + (ASIDE if row % 2 == 0 else -ASIDE)
        y, down = row - ay, -ASIDE if first % 2 == 0 else ASIDE
        s, t = x * b_across + y * b_down, x * c_across + y * c_down
        for column in range(first, last + 1):
            s_here, t_here = s + down * b_down, t + down * c_down
            down = -down
            s += b_across
            t += c_across
            if s_here >= -INSIDE and t_here >= -INSIDE and s_here + t_here <= 1 + INSIDE:
                z = az + s_here * bz + t_here * cz
                if -1 <= z < depth[row, column]:
                    depth[row, column] = z
                    seen[row, column] = f


@body
def _resolve(
    depth: Floats, seen: Ints, screen: Floats, faces: Ints, values: Floats, light: Floats, kind: int, paper: Floats,
    codes: Bytes, picture: Bytes, cover: Floats,
) -> None:  # fmt: skip
    """Means over the samples of each pixel, on paper, as sRGB bytes."""
    height, width = cover.shape
    most = len(codes) - 1
    blank = np.empty(3, np.uint8)
    for k in range(3):
        blank[k] = codes[int(paper[k] * most + 0.5)]
    for i in range(height):
        for j in range(width):
            nearest = min(depth[2 * i, 2 * j], depth[2 * i, 2 * j + 1])
            if min(nearest, depth[2 * i + 1, 2 * j], depth[2 * i + 1, 2 * j + 1]) == 1:
                cover[i, j] = 0
                picture[i, j, 0], picture[i, j, 1], picture[i, j, 2] = blank[0], blank[1], blank[2]
                continue
            samples, red, green, blue = 0, 0.0, 0.0, 0.0
            face, many, down, across = -1, 0, 0.0, 0.0
            for n in range(5):  # samples in a row that see the same face are shaded once, in their middle
                row, column = 2 * i + (n >> 1), 2 * j + (n & 1)
                here = seen[row, column] if n < 4 and depth[row, column] < 1 else -1
                if here != face:
                    if many:
                        one = _show(screen, faces, values, light, kind, face, across / many, down / many)
                        red, green, blue = red + many * one[0], green + many * one[1], blue + many * one[2]
                        samples += many
                    face, many, down, across = here, 0, 0.0, 0.0
                if here >= 0:
                    many += 1
                    down += row + (ASIDE if column % 2 else -ASIDE)
                    across += column + (-ASIDE if row % 2 else ASIDE)
            cover[i, j] = 0.25 * samples
            free = 1 - 0.25 * samples
            picture[i, j, 0] = codes[int(min(max(0.25 * red + free * paper[0], 0.0), 1.0) * most + 0.5)]
            picture[i, j, 1] = codes[int(min(max(0.25 * green + free * paper[1], 0.0), 1.0) * most + 0.5)]
            picture[i, j, 2] = codes[int(min(max(0.25 * blue + free * paper[2], 0.0), 1.0) * most + 0.5)]


@body
def _show(
    screen: Floats, faces: Ints, values: Floats, light: Floats, kind: int, f: int, across: float, down: float
) -> tuple[float, float, float]:
    """Linear RGB of a face at a column and row of samples."""
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    x, y = across - screen[a, 0], down - screen[a, 1]
    bx, by = screen[b, 0] - screen[a, 0], screen[b, 1] - screen[a, 1]
    cx, cy = screen[c, 0] - screen[a, 0], screen[c, 1] - screen[a, 1]
    area = bx * cy - cx * by
    r, s, t = 1.0, 1.0, 1.0
    if abs(area) > SMALL:  # else one colour is enough for it
        s, t = (x * cy - y * cx) / area, (y * bx - x * by) / area
        r, s, t = (1 - s - t) * screen[a, 3], s * screen[b, 3], t * screen[c, 3]  # perspective: shares of 1/w
    x = r * values[f, 0, 0] + s * values[f, 1, 0] + t * values[f, 2, 0]
    y = r * values[f, 0, 1] + s * values[f, 1, 1] + t * values[f, 2, 1]
    z = r * values[f, 0, 2] + s * values[f, 1, 2] + t * values[f, 2, 2]
    if kind == COLOUR:
        one = 1 / (r + s + t)
        return x * one, y * one, z * one
    side = 1.0 if area < 0 else -1.0  # rows go down: what is seen clockwise is a face's front
    size = side / max(np.sqrt(x * x + y * y + z * z), 1e-30)
    if kind == NORMAL:
        return 0.5 + 0.5 * size * x, 0.5 + 0.5 * size * y, 0.5 + 0.5 * size * z
    shade = light[3] + light[4] * max(size * (x * light[0] + y * light[1] + z * light[2]), 0.0)
    return shade * light[5], shade * light[6], shade * light[7]
