"""Bodies that mix pixels along the contour: which samples stand for both sides of a piece, and with what shares.

The rules are those of `invrender.backends.torch.antialias`; pieces are those of `pieces`. All pieces of a pixel that
part the same samples make one blend. It is kept in the row of the first of them, its owner:

    samples [K,6]: inner and the one behind it, outer and the one behind it, the pixel that changes, and its role (1
    where it shows the inner surface, -1 for the outer one, 0 for neither); amounts [K,3]: the area and its moment;
    owner [K]: -1 for pieces that take part in none.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from .contour import is_in_front, ndc_adjoint
from .pieces import AREA, AX, AY, BEGIN, BEHIND, BX, BY, END, OUT_X, OUT_Y, OWN, Floats, Ints, X, Y, hidden_moment
from .sight import hide_doubled, mean_normal
from .target import device

Ids: TypeAlias = NDArray[np.int64]

INNER, OUTER, TARGET, ROLE = 0, 2, 4, 5
SAMPLES = 5  # whose colours are mixed
COLUMNS = 6  # of `samples`
PLACES = 3  # neighbours that are asked for a colour on either side
MISJUDGED = -0.4  # an area below it: the rasterizer's rounding put the centre on the other side of the contour


@device
def vertex_depth(clip: Floats, vertex: int) -> float:
    """NDC depth of a vertex; NaN behind the near plane."""
    return np.float64(clip[vertex, 2]) / np.float64(clip[vertex, 3]) if is_in_front(clip, vertex) else math.nan


@device
def resolve(
    first: int, following: Ints, pixel: Ints, values: Floats, x: Floats, y: Floats, z: Floats, faces: Ints,
    face_id: Ids, depth: Floats, height: int, width: int, samples: Ints, amounts: Floats, owner: Ints,
) -> None:  # fmt: skip
    """Find the blends of one pixel, whose list of pieces begins with `first`.

    Args:
        first, following, pixel, values: the pieces.
        x, y, z: [V] the vertices on the screen, and their depth as `vertex_depth` gives it.
        faces: [F,3].
        face_id, depth: [H*W], what was drawn.
        height, width: of the image.
        samples, amounts, owner: filled in for the pieces of this pixel; owner [K] holds -1 before.
    """
    hide_doubled(first, following, values)
    here = int(np.int64(pixel[first]))  # of one width, as what is computed from it is
    normal_x, normal_y, single = mean_normal(first, following, values)
    j = first
    while j >= 0:
        if values[j, OWN] > -math.inf:
            way_x, way_y = normal_x if single else values[j, OUT_X], normal_y if single else values[j, OUT_Y]
            if _place(here, way_x, way_y, values[j], x, y, z, faces, face_id, depth, height, width, samples[j]):
                owner[j] = _owner_of(j, first, following, samples, owner)
                if owner[j] == j:
                    amounts[j, 0], amounts[j, 1], amounts[j, 2] = 0.0, 0.0, 0.0
                _add_piece(values[j], amounts[owner[j]], samples[j, ROLE])
        j = following[j]
    j = first
    while j >= 0:
        if owner[j] == j and samples[j, ROLE] != 0 and amounts[j, 0] < MISJUDGED:
            amounts[j, 0] += 1.0
        j = following[j]


@device
def _owner_of(j: int, first: int, following: Ints, samples: Ints, owner: Ints) -> int:
    """The piece before j in its pixel's list that owns a blend of the same samples; j if there is none."""
    i = first
    while i != j:
        if owner[i] == i:
            same = True
            for column in range(COLUMNS):
                same = same and samples[i, column] == samples[j, column]
            if same:
                return i
        i = following[i]
    return j


@device
def _add_piece(piece: Floats, amount: Floats, role: int) -> None:
    """Add a piece's area and moment to those of its blend."""
    sign = -1.0 if role == 1 else 1.0
    by_area = 1.0 if piece[OUT_X] * (piece[AY] - piece[BY]) + piece[OUT_Y] * (piece[BX] - piece[AX]) >= 0.0 else -1.0
    x, y = hidden_moment(piece[AX], piece[AY], piece[BX], piece[BY])
    amount[0] += sign * piece[AREA]
    amount[1] += sign * by_area * x
    amount[2] += sign * by_area * y


@device
def _place(
    pixel: int, way_x: float, way_y: float, piece: Floats, x: Floats, y: Floats, z: Floats, faces: Ints,
    face_id: Ids, depth: Floats, height: int, width: int, place: Ints,
) -> bool:  # fmt: skip
    """Fill in the samples of the blend that a piece takes part in; whether there are such."""
    role = _side_of(pixel, piece, x, y, z, faces, face_id, depth, height, width)
    place[TARGET], place[ROLE] = pixel, role
    for number in range(2):
        side, column = (-1, INNER) if number == 0 else (1, OUTER)
        place[column] = -1
        for kind in range(PLACES):
            near = _neighbour(pixel, kind, side, way_x, way_y, height, width)
            if near >= 0 and _side_of(near, piece, x, y, z, faces, face_id, depth, height, width) == -side:
                far = _neighbour(pixel, kind, 2 * side, way_x, way_y, height, width)
                fits = far >= 0 and _side_of(far, piece, x, y, z, faces, face_id, depth, height, width) == -side
                place[column], place[column + 1] = near, far if fits else near
                break
        if place[column] < 0:
            if role != -side:
                return False
            place[column], place[column + 1] = pixel, pixel
    return True


@device
def _neighbour(pixel: int, kind: int, side: int, way_x: float, way_y: float, height: int, width: int) -> int:
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
def _side_of(
    pixel: int, piece: Floats, x: Floats, y: Floats, z: Floats, faces: Ints, face_id: Ids, depth: Floats, height: int,
    width: int,
) -> int:  # fmt: skip
    """Whether a pixel shows the surface that ends in a piece (1), what is behind it (-1), or neither (0)."""
    if face_id[pixel] < 0:
        return -1 if piece[BEHIND] == math.inf else 0
    if piece[BEHIND] == math.inf:
        return 1
    found = _depth_at(pixel, piece[X], piece[Y], x, y, z, faces, face_id, depth, width)
    return 1 if abs(found - piece[OWN]) < abs(found - piece[BEHIND]) else -1


@device
def _depth_at(
    pixel: int, at_x: float, at_y: float, x: Floats, y: Floats, z: Floats, faces: Ints, face_id: Ids, depth: Floats,
    width: int,
) -> float:  # fmt: skip
    """NDC depth of the face seen in a pixel at a nearby screen point, kept within the range of its corners."""
    face = face_id[pixel]
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    start, za, zb, zc = np.float64(depth[pixel]), z[a], z[b], z[c]
    x1, y1, x2, y2 = x[b] - x[a], y[b] - y[a], x[c] - x[a], y[c] - y[a]
    area = x1 * y2 - x2 * y1
    if area == 0.0 or math.isnan(za + zb + zc):
        return start
    z1, z2 = zb - za, zc - za
    dx, dy = at_x - (pixel % width + 0.5), at_y - (pixel // width + 0.5)
    found = start + ((z1 * y2 - z2 * y1) * dx + (z2 * x1 - z1 * x2) * dy) / area
    return float(min(max(found, min(za, zb, zc)), max(za, zb, zc)))


@device
def _towards(pixel: int, near: int, width: int) -> tuple[float, float]:
    """The way from a pixel to another of the same view, divided by its squared length."""
    across, down = near % width - pixel % width, near // width - pixel // width
    length = max(across * across + down * down, 1)
    return across / length, down / length


@device
def _tilt(place: Ints, column: int, width: int) -> tuple[float, float, float, float]:
    """Of the samples in two columns: the first one's share by area, and the second's, negated: by area and moment."""
    side = 1 if column == INNER else -1
    weight = 1.0 if place[ROLE] != 0 else float(side)
    if place[column] == place[column + 1]:
        return weight, 0.0, 0.0, 0.0
    x, y = _towards(place[TARGET], place[column], width)
    mirrored = weight if place[ROLE] == side else -weight
    return 2.0 * weight, weight, mirrored * x, mirrored * y


@device
def shares(place: Ints, amount: Floats, width: int, share: Floats) -> None:
    """Fill in how much of each sample [SAMPLES] is added to the pixel that changes."""
    for column in (INNER, OUTER):
        near, far, x, y = _tilt(place, column, width)
        turned = x * amount[1] + y * amount[2]
        share[column], share[column + 1] = near * amount[0] + turned, -(far * amount[0] + turned)
    share[TARGET] = -2.0 * amount[0] if place[ROLE] != 0 else 0.0


@device
def shares_adjoint(place: Ints, d_share: Floats, width: int, d_amount: Floats) -> None:
    """Set the gradients of the area of the surface that ends and of its moment [3] from those of the shares."""
    sign = -1.0 if place[ROLE] == 1 else 1.0
    d_amount[0], d_amount[1], d_amount[2] = 0.0, 0.0, 0.0
    for column in (INNER, OUTER):
        near, far, x, y = _tilt(place, column, width)
        difference = d_share[column] - d_share[column + 1]
        d_amount[0] += sign * (near * d_share[column] - far * d_share[column + 1])
        d_amount[1] += sign * x * difference
        d_amount[2] += sign * y * difference
    if place[ROLE] != 0:
        d_amount[0] -= sign * 2.0 * d_share[TARGET]


@device
def pull(
    piece: Floats, d_amount: Floats, a: int, partner_a: int, b: int, partner_b: int, clip: Floats, d_clip: Floats,
    height: int, width: int,
) -> None:  # fmt: skip
    """Add to d_clip the gradient of a piece's segment from a to b (see `contour.segment_of`) from that of its blend."""
    # What is swept is linear along the piece, and so is the share of the segment's second end in the motion.
    at_begin = d_amount[0] + d_amount[1] * piece[AX] + d_amount[2] * piece[AY]
    at_end = d_amount[0] + d_amount[1] * piece[BX] + d_amount[2] * piece[BY]
    second = ((2.0 * at_begin + at_end) * piece[BEGIN] + (at_begin + 2.0 * at_end) * piece[END]) / 6.0
    first = 0.5 * (at_begin + at_end) - second
    to_x, to_y = piece[OUT_X] * (0.5 * width), -piece[OUT_Y] * (0.5 * height)
    ndc_adjoint(clip, a, partner_a, first * to_x, first * to_y, d_clip)
    ndc_adjoint(clip, b, partner_b, second * to_x, second * to_y, d_clip)
