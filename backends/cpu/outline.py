"""Which edges lie on the contour of a mesh, for many cameras at once.

A face shows its front to a camera that lies before its plane. With X, Y and W the rows of the camera's matrix that
give x, y and w of clip space, and a, b, c a face's corners (homogeneous), it runs counter-clockwise on the screen where

    det [X; Y; W] [a b c] = eye . plane > 0,    plane = (n, n . a),  n = (b - a) x (c - a),

and `eye` holds the minors of [X; Y; W] (Cauchy and Binet); it is the camera's centre, or a direction for parallel rays.
So no vertex is projected to find the contours: a face costs its plane once, and four products per camera. What the
cameras see of a face is one word, a bit per camera, and an edge lies on the contour of those in which the words of its
two faces differ.

That holds for cameras that have the whole mesh before them (`sees_all`).
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from invrender.backends.bodies.contour import screen_x, screen_y
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import Indices
from invrender.backends.cpu.contour import Floats, Ints, Signs

Words: TypeAlias = NDArray[np.uint64]

CAMERAS = 64  # bits of a word
PIECE = 1024  # faces or edges that a thread takes at a time
BLOCK = 256  # faces whose planes are held at once, in the nearest cache
FULL = np.uint64(0xFFFFFFFFFFFFFFFF)


@device
def measure_box(points: Floats, piece: int, box: Floats) -> None:
    """Fill box [7] for a piece of the points [V,3]: their least and largest coordinates, and the sum of all sizes."""
    begin, end = piece * PIECE, min((piece + 1) * PIECE, len(points))
    total = 0.0
    for axis in range(3):
        low, high = np.inf, -np.inf
        for i in range(begin, end):
            low, high = min(low, points[i, axis]), max(high, points[i, axis])
            total += abs(points[i, axis])
        box[axis], box[3 + axis] = low, high
    box[6] = total


@device
def sees_all(boxes: Floats, matrix: Floats) -> bool:
    """Whether a camera has all points beyond its near plane; of `boxes` [P,7], see `measure_box`.

    A half-space holds all of them where it holds the corners of their box. Where a point is no number none does.
    """
    least_w, least_near, total = matrix[3, 3], matrix[3, 3] + matrix[2, 3], 0.0
    for k in range(len(boxes)):
        total += boxes[k, 6]
    for axis in range(3):
        low, high = np.inf, -np.inf
        for k in range(len(boxes)):
            low, high = min(low, boxes[k, axis]), max(high, boxes[k, 3 + axis])
        w, near = matrix[3, axis], matrix[3, axis] + matrix[2, axis]
        least_w += min(w * low, w * high)
        least_near += min(near * low, near * high)
    return bool(total < 1e100 and least_w > 0.0 and least_near > 0.0)  # NaN fails each comparison


@device
def eyes_of(matrices: Floats, views: NDArray[np.int64]) -> Floats:
    """Where the cameras views[k] stand [M,4]; see the module's text."""
    eyes = np.empty((len(views), 4))
    for k in range(len(views)):
        _eye(matrices[views[k]], eyes[k])
    return eyes


@device
def mark_fronts(points: Floats, eyes: Floats, faces: Indices, fronts: Words, piece: int, planes: Floats) -> None:
    """Fill fronts [F+1] for a piece of the faces: bit k says that camera k sees a face's front.

    At most CAMERAS views. The last word stands for the face that a border lacks. `planes` [4,BLOCK] is scratch.
    """
    fronts[len(faces)] = 0
    for start in range(piece * PIECE, min((piece + 1) * PIECE, len(faces)), BLOCK):
        stop = min(start + BLOCK, len(faces))
        _planes(points, faces[start:stop], planes)
        words = fronts[start:stop]
        words[:] = 0
        for k in range(len(eyes)):
            _mark(planes[0], planes[1], planes[2], planes[3], eyes[k], np.uint64(1) << np.uint64(k), words)


@device
def _eye(m: Floats, eye: Floats) -> None:
    """The minors of the rows for x, y and w of a matrix [4,4], in the order and with the signs of the module's text."""
    a, b, c, d = _minor(m, 1, 2, 3), _minor(m, 0, 2, 3), _minor(m, 0, 1, 3), _minor(m, 0, 1, 2)
    eye[0], eye[1], eye[2], eye[3] = a, -b, c, d


@device
def _minor(m: Floats, i: int, j: int, k: int) -> float:
    one = m[0, i] * (m[1, j] * m[3, k] - m[1, k] * m[3, j])
    two = m[0, j] * (m[1, i] * m[3, k] - m[1, k] * m[3, i])
    three = m[0, k] * (m[1, i] * m[3, j] - m[1, j] * m[3, i])
    return float(one - two + three)


@device
def _planes(points: Floats, faces: Indices, planes: Floats) -> None:
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        x, y, z = points[a, 0], points[a, 1], points[a, 2]
        ux, uy, uz = points[b, 0] - x, points[b, 1] - y, points[b, 2] - z
        vx, vy, vz = points[c, 0] - x, points[c, 1] - y, points[c, 2] - z
        nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
        planes[0, f], planes[1, f], planes[2, f], planes[3, f] = nx, ny, nz, nx * x + ny * y + nz * z


@njit(nogil=True, fastmath={"contract"})
def _mark(nx: Floats, ny: Floats, nz: Floats, offset: Floats, eye: Floats, bit: np.uint64, words: Words) -> None:
    """One camera over a block of faces: no branches, several faces at a time."""
    ex, ey, ez, ew = eye[0], eye[1], eye[2], eye[3]
    none = np.uint64(0)
    for f in range(len(words)):
        front = ex * nx[f] + ey * ny[f] + ez * nz[f] + ew * offset[f] > 0.0
        words[f] |= bit if front else none


@device
def collect_edges(
    edge_faces: Indices, signs: Signs, fronts: Words, chosen: Indices, seen: Words, numbers: NDArray[np.int64],
    piece: int,
) -> None:  # fmt: skip
    """The edges that lie on any contour, for a piece of the edges: chosen [E] and seen [E] from where the piece begins.

    Bit k of `seen` says that the edge lies on the contour of camera k; `numbers[piece]` how many edges there are.
    """
    at = start = piece * PIECE
    for e in range(start, min(start + PIECE, len(edge_faces))):
        one, other = signs[e, 0], signs[e, 1]
        apart = fronts[edge_faces[e, 0]] ^ fronts[edge_faces[e, 1]]
        if one == other:  # wound against each other
            apart = ~apart
        elif one + other != 0:  # a border, on the contour of all
            apart = FULL
        chosen[at], seen[at] = e, apart
        at += int(apart != 0)
    numbers[piece] = at - start


@device
def _change_of_layers(front: bool, other_front: bool, sign: int, other_sign: int) -> int:
    """By how many layers the object changes where its contour is crossed; see `contour`."""
    return (sign if front else -sign) + (other_sign if other_front else -other_sign)


@device
def contour_of(
    k: int, points: Floats, matrix: Floats, edges: Indices, edge_faces: Indices, signs: Signs, fronts: Words,
    chosen: Indices, seen: Words, numbers: NDArray[np.int64], height: int, width: int, number_of: Ints,
) -> tuple[Ints, Floats, Floats, Ints, Ints]:  # fmt: skip
    """The contour of view k of the block: vertices [P], where they lie on the screen, and its segments.

    Segments are ends [S,2], numbers among those vertices, and coefficients [S]. `number_of` [V] is -1 before and after.
    """
    bit, count = np.uint64(1) << np.uint64(k), 0
    for piece in range(len(numbers)):
        start = piece * PIECE
        for i in range(start, start + numbers[piece]):
            count += int(seen[i] & bit != 0)
    seg_ends, coefficient = np.empty((count, 2), np.int32), np.empty(count, np.int32)
    ids, number, s = np.empty(2 * count, np.int32), 0, 0
    for piece in range(len(numbers)):
        start = piece * PIECE
        for i in range(start, start + numbers[piece]):
            if seen[i] & bit == 0:
                continue
            e = chosen[i]
            for end in range(2):
                v = edges[e, end]
                if number_of[v] < 0:
                    ids[number] = v
                    number_of[v] = number
                    number += 1
                seg_ends[s, end] = number_of[v]
            fronts_of = (fronts[edge_faces[e, 0]] & bit != 0, fronts[edge_faces[e, 1]] & bit != 0)
            coefficient[s] = _change_of_layers(fronts_of[0], fronts_of[1], signs[e, 0], signs[e, 1])
            s += 1
    x, y = np.empty(number), np.empty(number)
    for i in range(number):
        v = np.uint32(ids[i])
        number_of[v] = -1
        a, b, c = points[v, 0], points[v, 1], points[v, 2]
        w = matrix[3, 0] * a + matrix[3, 1] * b + matrix[3, 2] * c + matrix[3, 3]
        x[i] = screen_x(matrix[0, 0] * a + matrix[0, 1] * b + matrix[0, 2] * c + matrix[0, 3], w, 0.5 * width)
        y[i] = screen_y(matrix[1, 0] * a + matrix[1, 1] * b + matrix[1, 2] * c + matrix[1, 3], w, 0.5 * height)
    return ids[:number], x, y, seg_ends, coefficient
