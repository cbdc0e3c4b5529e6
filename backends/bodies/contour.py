"""Bodies for the contour: projection, facing, the near plane, and crossings with scanlines.

The formulas are those of `invrender.backends.torch.crossings`, where they are derived.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .target import add, device

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int32]
Signs: TypeAlias = NDArray[np.int8]

TINY_W = 1e-30
FARTHEST = 1e300  # pixels; beyond it a product of two coordinates is not finite


@device
def screen_x(x: float, w: float, half_width: float) -> float:
    """Pixel coordinate to the right."""
    w = w if abs(w) >= TINY_W else TINY_W
    return (x / w + 1.0) * half_width


@device
def screen_y(y: float, w: float, half_height: float) -> float:
    """Pixel coordinate downwards."""
    w = w if abs(w) >= TINY_W else TINY_W
    return (1.0 - y / w) * half_height


@device
def orientation(ax: float, ay: float, bx: float, by: float, cx: float, cy: float) -> int:
    """Sign of a triangle's area, given in pixels, with y upwards: +1 counter-clockwise, -1 clockwise, 0 degenerate."""
    area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
    return int(area < 0.0) - int(area > 0.0)


@device
def orientation_homogeneous(
    ax: float, ay: float, aw: float, bx: float, by: float, bw: float, cx: float, cy: float, cw: float
) -> int:
    """The same from clip positions, right for triangles that reach behind the eye: the sign of det [x y w]."""
    volume = ax * (by * cw - bw * cy) + ay * (bw * cx - bx * cw) + aw * (bx * cy - by * cx)
    return int(volume > 0.0) - int(volume < 0.0)


@device
def round_up(value: float) -> int:
    """The next integer upwards."""
    return int(math.ceil(value))  # noqa: RUF046 - CUDA's ceil gives a float


@device
def line_after(coordinate: float, lines: int) -> int:
    """First of the scanlines 0 ... lines - 1 whose centre is at or beyond a coordinate; `lines` if there is none."""
    return round_up(min(max(coordinate - 0.5, 0.0), float(lines)))


@device
def crossing_t(line: int, begin: float, rise: float) -> float:
    """The parameter in [0, 1] at which a segment from `begin` to `begin + rise` crosses the centre of a scanline."""
    return min(max((line + 0.5 - begin) / rise, 0.0), 1.0)


@device
def before_centre(position: float) -> float:
    """How far left of the pixel centre at or right of it a position lies, in [0, 1)."""
    return math.ceil(position - 0.5) - (position - 0.5)


@device
def pixel_of(position: float, length: int) -> int:
    """The pixel that a position lies in, as `before_centre` counts; -1 or `length` where it is outside the image."""
    if position <= 0.0:
        return -1
    if position > length:
        return length
    right = round_up(position - 0.5)
    return right - int(right - (position - 0.5) > 0.5)


@device
def comes_first(position: float, step: int, segment: int, position_2: float, step_2: int, segment_2: int) -> bool:
    """Order of crossings along a line. Where two coincide, layers begin before others end: touching leaves no gap."""
    if position != position_2:
        return position < position_2
    if step != step_2:
        return step > step_2
    return segment < segment_2


@device
def sort_line(position: Floats, layers: Ints, segment: Ints, start: int, stop: int) -> None:
    """Insertion sort of one line's crossings: they are few."""
    for i in range(start + 1, stop):
        p, c, s = position[i], layers[i], segment[i]
        j = i
        while j > start and comes_first(p, c, s, position[j - 1], layers[j - 1], segment[j - 1]):
            position[j], layers[j], segment[j] = position[j - 1], layers[j - 1], segment[j - 1]
            j -= 1
        position[j], layers[j], segment[j] = p, c, s


@device
def is_in_front(clip: Floats, vertex: int) -> bool:
    """Whether a vertex lies in front of the near plane z = -w."""
    return bool(np.float64(clip[vertex, 2]) + np.float64(clip[vertex, 3]) > 0.0)


@device
def cut_point(clip: Floats, a: int, b: int) -> tuple[float, float, float, float]:
    """Where the edge from vertex a to vertex b meets the near plane z = -w."""
    near_a = np.float64(clip[a, 2]) + np.float64(clip[a, 3])
    near_b = np.float64(clip[b, 2]) + np.float64(clip[b, 3])
    t = near_a / (near_a - near_b)
    return (
        clip[a, 0] + t * (np.float64(clip[b, 0]) - clip[a, 0]),
        clip[a, 1] + t * (np.float64(clip[b, 1]) - clip[a, 1]),
        clip[a, 2] + t * (np.float64(clip[b, 2]) - clip[a, 2]),
        clip[a, 3] + t * (np.float64(clip[b, 3]) - clip[a, 3]),
    )


@device
def ndc_adjoint(clip: Floats, vertex: int, partner: int, d_x: float, d_y: float, d_clip: Floats) -> None:
    """Add to d_clip the gradient with respect to x/w and y/w of a vertex, or of the cut between it and its partner."""
    if partner < 0:
        scale = 1.0 / np.float64(clip[vertex, 3])
        add(d_clip, vertex, 0, d_x * scale)
        add(d_clip, vertex, 1, d_y * scale)
        add(d_clip, vertex, 3, -((d_x * clip[vertex, 0] + d_y * clip[vertex, 1]) * scale * scale))
        return
    x, y, _, w = cut_point(clip, vertex, partner)
    gx, gy, gw = d_x / w, d_y / w, -(d_x * x + d_y * y) / (w * w)
    near = np.float64(clip[vertex, 2]) + np.float64(clip[vertex, 3])
    far = np.float64(clip[partner, 2]) + np.float64(clip[partner, 3])
    t = near / (near - far)
    through_t = gx * (np.float64(clip[partner, 0]) - clip[vertex, 0])
    through_t += gy * (np.float64(clip[partner, 1]) - clip[vertex, 1])
    through_t += gw * (np.float64(clip[partner, 3]) - clip[vertex, 3])
    through_t /= (near - far) * (near - far)
    for share, row, slide in ((1.0 - t, vertex, -far * through_t), (t, partner, near * through_t)):
        add(d_clip, row, 0, share * gx)
        add(d_clip, row, 1, share * gy)
        add(d_clip, row, 2, slide)
        add(d_clip, row, 3, share * gw + slide)


@device
def face_orientation(clip: Floats, a: int, b: int, c: int, half_width: float, half_height: float) -> int:
    """Facing of a face anywhere, before or behind the eye; 0, so not drawn, where a corner is not finite."""
    wa, wb, wc = np.float64(clip[a, 3]), np.float64(clip[b, 3]), np.float64(clip[c, 3])
    xa, ya = screen_x(np.float64(clip[a, 0]), wa, half_width), screen_y(np.float64(clip[a, 1]), wa, half_height)
    xb, yb = screen_x(np.float64(clip[b, 0]), wb, half_width), screen_y(np.float64(clip[b, 1]), wb, half_height)
    xc, yc = screen_x(np.float64(clip[c, 0]), wc, half_width), screen_y(np.float64(clip[c, 1]), wc, half_height)
    reach = max(abs(xa), abs(ya), abs(xb), abs(yb)) + max(abs(xc), abs(yc))
    height = abs(np.float64(clip[a, 2])) + abs(np.float64(clip[b, 2])) + abs(np.float64(clip[c, 2]))
    # Each comparison with a NaN fails; min and max treat it differently from machine to machine.
    finite = xa == xa and ya == ya and xb == xb and yb == yb and xc == xc and yc == yc  # noqa: PLR0124
    if not (finite and reach < FARTHEST and height < math.inf):
        return 0
    if wa > 0.0 and wb > 0.0 and wc > 0.0 and is_in_front(clip, a) and is_in_front(clip, b) and is_in_front(clip, c):
        return orientation(xa, ya, xb, yb, xc, yc)
    return orientation_homogeneous(
        np.float64(clip[a, 0]), np.float64(clip[a, 1]), wa, np.float64(clip[b, 0]), np.float64(clip[b, 1]), wb,
        np.float64(clip[c, 0]), np.float64(clip[c, 1]), wc,
    )  # fmt: skip


@device
def segment_of(
    item: int, clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, facing: Signs
) -> tuple[int, int, int, int, int]:
    """Contour segment number `item`: those of the edges come first, then one per face that straddles the near plane.

    Returns (a, partner of a, b, partner of b, coefficient). An end is a vertex where its partner is -1, else the cut
    between the two. The coefficient is 0 where there is no segment.
    """
    if item < len(edges):
        a, b = edges[item, 0], edges[item, 1]
        coefficient = facing[edge_faces[item, 0]] * signs[item, 0] + facing[edge_faces[item, 1]] * signs[item, 1]
        if coefficient == 0:
            return a, -1, b, -1, 0
        front_a, front_b = is_in_front(clip, a), is_in_front(clip, b)
        if front_a and front_b:
            return a, -1, b, -1, coefficient
        if front_a:
            return a, -1, a, b, coefficient
        return a, b, b, -1, coefficient if front_b else 0
    face = item - len(edges)
    leave_a, leave_b, enter_a, enter_b = -1, -1, -1, -1
    for k in range(3):
        a, b = faces[face, k], faces[face, (k + 1) % 3]
        front_a, front_b = is_in_front(clip, a), is_in_front(clip, b)
        # The face's border leaves the visible side on the edge from inside to outside, and enters it on the other one.
        if front_a and not front_b:
            leave_a, leave_b = a, b
        elif front_b and not front_a:
            enter_a, enter_b = a, b
    return leave_a, leave_b, enter_a, enter_b, facing[face] if leave_a >= 0 else 0


@device
def point(clip: Floats, vertex: int, partner: int) -> tuple[float, float, float, float]:
    """Clip position of a segment's end."""
    if partner >= 0:
        return cut_point(clip, vertex, partner)
    return (
        np.float64(clip[vertex, 0]), np.float64(clip[vertex, 1]), np.float64(clip[vertex, 2]),
        np.float64(clip[vertex, 3]),
    )  # fmt: skip
