"""Kernels of `sketch`: triangles into a buffer of the nearest at each sample, and means of their colours in pixels.

A sample's entry holds its depth above what is seen there, so that the least of two entries is the nearer one: it is
chosen without a branch, which processors foresee badly at the borders of triangles a few samples large. Depths and the
tones of lit triangles are linear on the screen, and so are the whole numbers made of both: a sample takes one addition
of each of its triangle's edges, and one of its entry. Where a tone is not linear, the triangle's number stands instead,
and pixels are shaded when all triangles are known.
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
SHIFT = 8
STEPS = 1 << SHIFT  # of a place on the screen, in a pixel
EIGHTH = STEPS // 8
SMALL, MEDIUM = 2 * STEPS**2, 32 * STEPS**2  # doubled areas of one pixel, and of sixteen
ALIKE = 0.15  # linear, by which corners may differ for a large triangle to be taken for linear
MARGIN, DEPTHS = 2.0**20, 2.0**30 - 2.0**21  # steps before the nearest point, and from there to the farthest
BITS = 32  # of an entry, that a tone takes, or a flag and a triangle's number
LOW, FLAG = (1 << BITS) - 1, 1 << BITS - 1
NOTHING = 1 << 62  # the entry of a sample where nothing is
TONE = 2.0**29  # steps of a linear tone of 1
DARKEST, BRIGHTEST = 0.001, 3.9  # tones: so sums of rounded steps stay above 0 and below the flag
BEYOND = 2.0**20  # pixels from the picture, where places on the screen are no longer told apart


@kernel
def sketch(
    points: Floats, faces: Ints, rows: Floats, row_of: Ints, matrix: Floats, light: Floats, kind: int, solid: bool,
    paper: Floats, codes: Bytes, nearest: Ints, picture: Bytes, cover: Floats,
) -> bool:  # fmt: skip
    """A picture of a mesh on paper.

    Args:
        points: [P,3].
        faces: [F,3].
        rows: [R,3] normals, or linear RGB of kind COLOUR.
        row_of: [F,3] those of the faces' corners.
        matrix: [4,4] from points to clip positions.
        light: [8] the unit vector towards the light, the ambient term, the intensity, what is reflected of RGB.
        kind: SHADED, NORMAL or COLOUR.
        solid: whether no back of a face can be seen.
        paper: [3] linear RGB.
        codes: [N] sRGB bytes of values from 0 to 1.
        nearest: [H,W,4] room to work in.
        picture: [H,W,3] uint8, filled.
        cover: [H,W] the share of samples where something is, filled.

    Returns:
        Whether all points are in front of the camera, between its near and far planes; otherwise nothing is drawn.
    """
    height, width = cover.shape
    screen, depth = np.empty((len(points), 3), np.int64), np.empty((len(points), 2), np.float64)
    window = np.empty(4, np.int64)
    if not _project(points, matrix, screen, depth, height, width, window):
        return False
    tones = _lit(rows, light, kind)
    planes = np.empty((len(faces), 4, 3), np.float32)
    nearest[window[0] : window[1], window[2] : window[3]] = NOTHING
    _fill(screen, depth, faces, rows, row_of, tones, kind, solid, window, nearest, planes)
    _blank(paper, codes, picture, cover)
    _resolve(nearest, planes, window, light, kind, paper, codes, np.empty(3, np.float64), picture, cover)
    return True


@body
def _project(
    points: Floats, matrix: Floats, screen: Ints, depth: Floats, height: int, width: int, window: Ints
) -> bool:
    """Fill `screen` [P,3] with steps of column, row and depth, depth [P,2] with 1/w last, and `window` with the rows
    and columns (first, beyond the last) outside of which nothing is; whether all points can be drawn."""
    near, far = 1.0, -1.0
    for i in range(len(points)):
        x, y, z = np.float64(points[i, 0]), np.float64(points[i, 1]), np.float64(points[i, 2])
        w = matrix[3, 0] * x + matrix[3, 1] * y + matrix[3, 2] * z + matrix[3, 3]
        if not w > 1e-9:
            return False
        one = 1 / w
        across = matrix[0, 0] * x + matrix[0, 1] * y + matrix[0, 2] * z + matrix[0, 3]
        up = matrix[1, 0] * x + matrix[1, 1] * y + matrix[1, 2] * z + matrix[1, 3]
        column, row = (across * one + 1) * 0.5 * width, (1 - up * one) * 0.5 * height
        here = (matrix[2, 0] * x + matrix[2, 1] * y + matrix[2, 2] * z + matrix[2, 3]) * one
        if not (abs(here) <= 1 and abs(column) < BEYOND and abs(row) < BEYOND):
            return False
        near, far = min(near, here), max(far, here)
        screen[i, 0], screen[i, 1] = int(np.rint(column * STEPS)), int(np.rint(row * STEPS))
        depth[i, 0], depth[i, 1] = here, one
    left, right, top, bottom = width * STEPS, 0, height * STEPS, 0
    scale = DEPTHS / max(far - near, 1e-30)
    for i in range(len(points)):
        screen[i, 2] = int(MARGIN + (depth[i, 0] - near) * scale)
        left, right = min(left, screen[i, 0]), max(right, screen[i, 0])
        top, bottom = min(top, screen[i, 1]), max(bottom, screen[i, 1])
    window[0], window[1] = max(top >> SHIFT, 0), max(min((bottom >> SHIFT) + 1, height), 0)
    window[2], window[3] = max(left >> SHIFT, 0), max(min((right >> SHIFT) + 1, width), 0)
    return True


@body
def _fill(
    screen: Ints, depth: Floats, faces: Ints, rows: Floats, row_of: Ints, tones: Floats, kind: int, solid: bool,
    window: Ints, nearest: Ints, planes: Floats,
) -> None:  # fmt: skip
    """All triangles into the samples; a call for each would take as long as what it does.

    A pixel's samples are at eighths (3,1), (7,3), (1,5) and (5,7) of it: four columns, four rows.
    """
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        ax, ay, az = screen[a, 0], screen[a, 1], screen[a, 2]
        bx, by, cx, cy = screen[b, 0] - ax, screen[b, 1] - ay, screen[c, 0] - ax, screen[c, 1] - ay
        area = bx * cy - cx * by
        if area == 0 or (solid and area > 0):  # rows go down: what is seen clockwise is a face's front
            continue
        first = max(window[2], (ax + min(0, bx, cx) + EIGHTH - 1) >> SHIFT)
        last = min(window[3] - 1, (ax + max(0, bx, cx) - EIGHTH) >> SHIFT)
        top = max(window[0], (ay + min(0, by, cy) + EIGHTH - 1) >> SHIFT)
        bottom = min(window[1] - 1, (ay + max(0, by, cy) - EIGHTH) >> SHIFT)
        if first > last or top > bottom:
            continue
        one, side = 1 / np.float64(area), 1 if area > 0 else -1
        whole = side * area
        b_across, b_down, c_across, c_down = cy * one, -cx * one, -by * one, bx * one
        plain, tone, more_b, more_c = False, 0.0, 0.0, 0.0
        if kind == SHADED:
            back = 1 if area > 0 else 0
            tone, two, three = tones[row_of[f, 0], back], tones[row_of[f, 1], back], tones[row_of[f, 2], back]
            more_b, more_c = two - tone, three - tone
            plain = whole <= MEDIUM or max(abs(more_b), abs(more_c), abs(three - two)) <= ALIKE * TONE
            if whole <= SMALL:
                tone, more_b, more_c = (tone + two + three) / 3, 0.0, 0.0
        if not plain:
            _keep_planes(depth, faces, f, rows, row_of, kind, area, ax, ay, b_across, b_down, c_across, c_down, planes)
            tone, more_b, more_c = float(FLAG | f), 0.0, 0.0
        bz, cz = screen[b, 2] - az, screen[c, 2] - az
        z_across, z_down = bz * b_across + cz * c_across, bz * b_down + cz * c_down
        t_across, t_down = more_b * b_across + more_c * c_across, more_b * b_down + more_c * c_down
        x, y = first * STEPS - ax, top * STEPS - ay
        in_b, in_c = side * (x * cy - y * cx), side * (y * bx - x * by)  # twice the areas beside b's and c's edges
        b_step, b_row, c_step, c_row = side * cy * STEPS, -side * cx * STEPS, -side * by * STEPS, side * bx * STEPS
        b0, b1, b2, b3 = _places(b_step, b_row)
        c0, c1, c2, c3 = _places(c_step, c_row)
        grow, fall = 8 * _entry(EIGHTH * z_across, EIGHTH * t_across), 8 * _entry(EIGHTH * z_down, EIGHTH * t_down)
        e0, e1, e2, e3 = _places(grow, fall)
        begin = _entry(az + x * z_across + y * z_down, tone + x * t_across + y * t_down)
        for row in range(top, bottom + 1):
            s, t, entry = in_b, in_c, begin
            for column in range(first, last + 1):
                _offer(nearest, row, column, 0, s + b0, t + c0, whole, entry + e0)
                _offer(nearest, row, column, 1, s + b1, t + c1, whole, entry + e1)
                _offer(nearest, row, column, 2, s + b2, t + c2, whole, entry + e2)
                _offer(nearest, row, column, 3, s + b3, t + c3, whole, entry + e3)
                s, t, entry = s + b_step, t + c_step, entry + grow
            in_b, in_c, begin = in_b + b_row, in_c + c_row, begin + fall


@body
def _entry(depth: float, tone: float) -> Any:
    """The whole number of a depth and a tone, each without its fraction."""
    return (np.int64(depth) << BITS) + np.int64(tone)


@body
def _places(step: Any, row: Any) -> tuple[Any, Any, Any, Any]:
    """What grows by `step` to the next column and by `row` to the next row, multiples of 8, from a pixel to its
    samples."""
    across, down = step >> 3, row >> 3
    return 3 * across + down, 7 * across + 3 * down, across + 5 * down, 5 * across + 7 * down


@body
def _offer(nearest: Ints, row: int, column: int, sample: int, s: Any, t: Any, whole: Any, entry: Any) -> None:
    """An entry to a sample, which takes it if the triangle covers it and nothing nearer does."""
    old = nearest[row, column, sample]
    inside = (s | t | (whole - s - t)) >= 0
    nearest[row, column, sample] = entry if inside & (entry < old) else old


@body
def _lit(rows: Floats, light: Floats, kind: int) -> Floats:
    """Tones [R,2] of rows that are normals, on the front and on the back of the surface."""
    tones = np.empty((len(rows) if kind == SHADED else 0, 2), np.float64)
    for n in range(len(tones)):
        lit = rows[n, 0] * light[0] + rows[n, 1] * light[1] + rows[n, 2] * light[2]
        tones[n, 0] = TONE * min(max(light[3] + light[4] * max(lit, 0.0), DARKEST), BRIGHTEST)
        tones[n, 1] = TONE * min(max(light[3] + light[4] * max(-lit, 0.0), DARKEST), BRIGHTEST)
    return tones


@body
def _keep_planes(
    depth: Floats, faces: Ints, f: int, rows: Floats, row_of: Ints, kind: int, area: Any, ax: Any, ay: Any,
    b_across: float, b_down: float, c_across: float, c_down: float, planes: Floats,
) -> None:  # fmt: skip
    """Fill planes[f] [4,3]: of its rows' channels, and of 1, over w, what they are at the picture's corner and their
    growth with columns and rows."""
    signed = -1.0 if area > 0 and kind != COLOUR else 1.0
    for k in range(4):
        one, two, three = 1.0, 1.0, 1.0
        if k < 3:
            one, two = signed * rows[row_of[f, 0], k], signed * rows[row_of[f, 1], k]
            three = signed * rows[row_of[f, 2], k]
        if abs(area) <= SMALL:
            planes[f, k, 0], planes[f, k, 1], planes[f, k, 2] = (one + two + three) / 3, 0.0, 0.0
            continue
        one *= depth[faces[f, 0], 1]  # perspective: shares of 1/w are linear on the screen
        two, three = two * depth[faces[f, 1], 1] - one, three * depth[faces[f, 2], 1] - one
        across, down = two * b_across + three * c_across, two * b_down + three * c_down
        planes[f, k, 0] = one - ax * across - ay * down
        planes[f, k, 1], planes[f, k, 2] = across * STEPS, down * STEPS


@body
def _blank(paper: Floats, codes: Bytes, picture: Bytes, cover: Floats) -> None:
    """Fill a picture with paper."""
    cover[:] = 0
    for k in range(3):
        code = codes[int(paper[k] * (len(codes) - 1) + 0.5)]
        for j in range(picture.shape[1]):
            picture[0, j, k] = code
    for i in range(1, len(picture)):
        picture[i] = picture[0]


@body
def _resolve(
    nearest: Ints, planes: Floats, window: Ints, light: Floats, kind: int, paper: Floats, codes: Bytes, sums: Floats,
    picture: Bytes, cover: Floats,
) -> None:  # fmt: skip
    """Means over the samples of each pixel, on paper, as sRGB bytes."""
    most = len(codes) - 1
    for i in range(window[0], window[1]):
        for j in range(window[2], window[3]):
            a, b, c, d = nearest[i, j, 0], nearest[i, j, 1], nearest[i, j, 2], nearest[i, j, 3]
            if min(a, b, c, d) >= NOTHING:
                continue
            free = 0.25 * (int(a >= NOTHING) + int(b >= NOTHING) + int(c >= NOTHING) + int(d >= NOTHING))
            sums[0], sums[1], sums[2] = 0.0, 0.0, 0.0
            if (a | b | c | d) & FLAG == 0:  # the low bits of nothing are none
                sums[0] = 0.25 / TONE * ((a & LOW) + (b & LOW) + (c & LOW) + (d & LOW))
            elif a & LOW == b & LOW and a & LOW == c & LOW and a & LOW == d & LOW:
                _shade(planes, a, light, kind, j + 0.5, i + 0.5, 1.0, sums)
            else:
                _shade(planes, a, light, kind, j + 0.375, i + 0.125, 0.25, sums)
                _shade(planes, b, light, kind, j + 0.875, i + 0.375, 0.25, sums)
                _shade(planes, c, light, kind, j + 0.125, i + 0.625, 0.25, sums)
                _shade(planes, d, light, kind, j + 0.625, i + 0.875, 0.25, sums)
            cover[i, j] = 1 - free
            for k in range(3):
                tone = sums[0] * light[5 + k] if kind == SHADED else sums[k]
                picture[i, j, k] = codes[int(min(max(tone + free * paper[k], 0.0), 1.0) * most + 0.5)]


@body
def _shade(
    planes: Floats, entry: Any, light: Floats, kind: int, x: float, y: float, share: float, sums: Floats
) -> None:
    """Add a share of what an entry shows at a place, in pixels."""
    if entry >= NOTHING:
        return
    if entry & FLAG == 0:
        sums[0] += share * (entry & LOW) / TONE
        return
    f = entry & (FLAG - 1)
    one = planes[f, 0, 0] + x * planes[f, 0, 1] + y * planes[f, 0, 2]
    two = planes[f, 1, 0] + x * planes[f, 1, 1] + y * planes[f, 1, 2]
    three = planes[f, 2, 0] + x * planes[f, 2, 1] + y * planes[f, 2, 2]
    if kind == COLOUR:
        size = share / (planes[f, 3, 0] + x * planes[f, 3, 1] + y * planes[f, 3, 2])
        sums[0], sums[1], sums[2] = sums[0] + size * one, sums[1] + size * two, sums[2] + size * three
        return
    size = 1 / max(np.sqrt(one * one + two * two + three * three), 1e-30)
    if kind == SHADED:
        lit = size * (one * light[0] + two * light[1] + three * light[2])
        sums[0] += share * (light[3] + light[4] * max(lit, 0.0))
        return
    half = 0.5 * share
    sums[0] += half + half * size * one
    sums[1] += half + half * size * two
    sums[2] += half + half * size * three
