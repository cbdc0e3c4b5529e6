"""The kernel of `misfit`: the contours of all views, then loss and gradient by view, on threads that share the work."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import Indices
from invrender.backends.cpu.contour import Floats, Ints, Signs
from invrender.backends.cpu.counters import Counters, reaches, take
from invrender.backends.cpu.outline import (
    BLOCK,
    PIECE,
    Words,
    collect_edges,
    contour_of,
    eyes_of,
    mark_fronts,
    measure_box,
    sees_all,
)
from invrender.backends.cpu.runs import Images, Masks, compare_ends, compare_runs
from invrender.backends.cpu.silhouette import end_gradient, sweep
from invrender.jit import kernel

COUNTERS = 5
CUT = -1  # in `needed`, of a view that does not have the whole mesh before it
_FACES_TAKEN, _FACES_DONE, _EDGES_TAKEN, _EDGES_DONE, _VIEWS_TAKEN = range(COUNTERS)


@kernel
def compare_views(
    counters: Counters, points: Floats, matrices: Floats, views: NDArray[np.int64],
    faces: Indices, edges: Indices, edge_faces: Indices, signs: Signs,
    fronts: Words, chosen: Indices, seen: Words, numbers: NDArray[np.int64], boxes: Floats,
    masks: Masks, confidence: Images, unit: float, weighed: Floats, trust: Floats, totals: Floats, weight: Floats,
    height: int, width: int, needed: Ints, sums: Floats, vertex_ids: Ints, gradients: Floats,
    change: Images, number_of: Ints, pixel: Ints, ends: Ints, share: Floats, amount: Floats,
) -> bool:  # fmt: skip
    """Do what is left of a comparison, with other threads; False if it is to be called again after letting those run.

    Masks and what belongs to them is flat by view: [N,.], or [1,0] where there is no confidence.

    Fills, by view, needed [2,M], sums [M,3] as `compare_runs` adds them up, and lists of vertices and gradients; of
    views that the near plane cuts the mesh of, needed alone, which is CUT.
    """
    eyes, planes = eyes_of(matrices, views), np.empty((4, BLOCK))
    pieces = (len(faces) + PIECE - 1) // PIECE
    piece = take(counters, _FACES_TAKEN)
    while piece < pieces + len(boxes):
        if piece < pieces:
            mark_fronts(points, eyes, faces, fronts, piece, planes)
        else:
            measure_box(points, piece - pieces, boxes[piece - pieces])
        take(counters, _FACES_DONE)
        piece = take(counters, _FACES_TAKEN)
    if not reaches(counters, _FACES_DONE, pieces + len(boxes)):
        return False
    piece = take(counters, _EDGES_TAKEN)
    while piece < len(numbers):
        collect_edges(edge_faces, signs, fronts, chosen, seen, numbers, piece)
        take(counters, _EDGES_DONE)
        piece = take(counters, _EDGES_TAKEN)
    if not reaches(counters, _EDGES_DONE, len(numbers)):
        return False
    k = take(counters, _VIEWS_TAKEN)
    while k < len(views):
        if sees_all(boxes, matrices[views[k]]):
            _compare_view(
                k, points, matrices[views[k]], views[k], edges, edge_faces, signs, fronts, chosen, seen, numbers,
                masks, confidence, unit, weighed, trust, totals, weight, height, width, needed, sums, vertex_ids,
                gradients, change, number_of, pixel, ends, share, amount,
            )  # fmt: skip
        else:
            needed[0, k] = needed[1, k] = CUT
        k = take(counters, _VIEWS_TAKEN)
    return True


@device
def _compare_view(
    k: int, points: Floats, matrix: Floats, view: int, edges: Indices, edge_faces: Indices, signs: Signs,
    fronts: Words, chosen: Indices, seen: Words, numbers: NDArray[np.int64],
    masks: Masks, confidence: Images, unit: float, weighed: Floats, trust: Floats, totals: Floats, weight: Floats,
    height: int, width: int, needed: Ints, sums: Floats, vertex_ids: Ints, gradients: Floats,
    change: Images, number_of: Ints, pixel: Ints, ends: Ints, share: Floats, amount: Floats,
) -> None:  # fmt: skip
    """View number k of those to compare; if room did not suffice, `needed` alone."""
    ids, x, y, seg_ends, coefficient = contour_of(
        k, points, matrix, edges, edge_faces, signs, fronts, chosen, seen, numbers, height, width,
        number_of,
    )  # fmt: skip
    found, of_rows, start, runs = sweep(x, y, seg_ends, coefficient, height, width, pixel, ends, share, amount)
    needed[0, k], needed[1, k] = found, len(ids)
    if found <= len(pixel) and len(ids) <= vertex_ids.shape[1]:
        sums[k, 0], sums[k, 1], sums[k, 2] = totals[view, 0], totals[view, 1], totals[view, 1]
        mask, believed = masks[view], confidence[min(view, len(confidence) - 1)]
        trusted = trust[min(view, len(trust) - 1)]
        compare_runs(start, runs, width, mask, believed, unit, weighed[view], trusted, sums[k])
        compare_ends(start, runs, width, mask, believed, unit, found, pixel, amount, change, sums[k])
        d_screen = np.zeros((len(ids), 2), np.float64)
        _ends_adjoint(2.0 * weight[view], of_rows, found, amount, ends, share, d_screen)
        _vertex_gradients(ids, points, matrix, 0.5 * width, 0.5 * height, d_screen, vertex_ids[k], gradients[k])


@device
def _ends_adjoint(
    scale: float, of_rows: int, found: int, amount: Floats, ends: Ints, share: Floats, d_screen: Floats
) -> None:
    """Add up the loss's gradient at the points of the contour, in pixels, from `amount` as `compare_ends` left it."""
    for k in range(found):
        for end in range(2):
            d_x, d_y = end_gradient(scale * amount[k], k < of_rows, share[k, end], share[k, 2])
            d_screen[ends[k, 2 * end], 0] += d_x
            d_screen[ends[k, 2 * end], 1] += d_y


@device
def _vertex_gradients(
    ids: Ints, points: Floats, matrix: Floats, half_width: float, half_height: float, d_screen: Floats,
    vertex_ids: Ints, gradients: Floats,
) -> None:  # fmt: skip
    """List the contour's vertices with their gradients in object space, from those in pixels."""
    for i in range(len(ids)):
        v = np.uint32(ids[i])
        vertex_ids[i] = ids[i]
        a, b, c = points[v, 0], points[v, 1], points[v, 2]
        x = matrix[0, 0] * a + matrix[0, 1] * b + matrix[0, 2] * c + matrix[0, 3]
        y = matrix[1, 0] * a + matrix[1, 1] * b + matrix[1, 2] * c + matrix[1, 3]
        scale = 1.0 / (matrix[3, 0] * a + matrix[3, 1] * b + matrix[3, 2] * c + matrix[3, 3])
        d_x, d_y = d_screen[i, 0] * half_width * scale, -d_screen[i, 1] * half_height * scale
        d_w = -(d_x * x + d_y * y) * scale
        for axis in range(3):
            gradients[i, axis] = d_x * matrix[0, axis] + d_y * matrix[1, axis] + d_w * matrix[3, axis]


@kernel
def sum_views(
    counts: Ints, vertex_ids: Ints, gradients: Floats, gradient: Floats, sums: Floats, weight: Floats,
    views: NDArray[np.int64], iou: Floats,
) -> float:  # fmt: skip
    """Add up the views' gradients, in the order of the views; fill iou [M], and give the views' misfit."""
    total = 0.0
    for k in range(len(views)):
        for i in range(counts[k]):
            for axis in range(3):
                gradient[vertex_ids[k, i], axis] += gradients[k, i, axis]
        # What cancels may leave less than 0, by its rounding.
        squares, both, difference = max(sums[k, 0], 0.0), sums[k, 1], max(sums[k, 2], 0.0)
        total += weight[views[k]] * squares
        iou[k] = (both - difference) / (both + difference) if both + difference > 0.0 else 1.0
    return total
