"""Antialiased silhouettes on the CPU: every view in one pass over its faces and edges, then along its scanlines.

The algorithm is that of `invrender.backends.torch.silhouette`. A view costs O(faces + pixels of its contour), and the
tape holds only the ends of visible intervals, so that the adjoint is a short scatter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.contour import (
    before_centre,
    crossing_t,
    line_after,
    ndc_adjoint,
    pixel_of,
    sort_line,
)
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import packed_mesh, to_numpy
from invrender.backends.cpu.contour import Floats, Ints, Signs, contour, workspace
from invrender.backends.cpu.memory import empty, zeros
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel
from invrender.kernels import Size
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

ROOM_PER_LINE = 8  # interval ends that the tape has room for at first, per scanline


@dataclass(frozen=True)
class Tape:
    """Ends of visible intervals, per view those of the rows and then those of the columns.

    Attributes:
        clip: [N,V,4], the positions that were drawn.
        counts: [N,2], ends in all and among them those of rows.
        pixel: [N,K] flat index into [H,W].
        ends: [N,K,4] vertices: the segment runs from 0 to 2, or from the cut between 0 and 1, or to that between 2, 3.
        share: [N,K,3] d coverage / d position of both ends along the scanline, and the slope.
    """

    clip: Tensor
    counts: Ints
    pixel: Ints
    ends: Ints
    share: Floats


def silhouette(clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> Tensor:
    """Coverage [N,H,W] of clip positions [N,V,4]."""
    return silhouette_taped(clip, faces, topology, size)[0]


def silhouette_taped(clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> tuple[Tensor, Tape]:
    """Coverage [N,H,W] of clip's dtype from clip [N,V,4] float32 or float64, and the adjoint's tape."""
    mesh = packed_mesh(faces, topology, clip.shape[1])
    clip = clip.detach().contiguous()
    positions = to_numpy(clip)
    coverage = empty((len(clip), *size), clip.dtype)
    image = coverage.numpy()
    room = ROOM_PER_LINE * (size[0] + size[1])
    while True:
        kept = (
            np.zeros((len(clip), 2), np.int32),
            np.empty((len(clip), room), np.int32),
            np.empty((len(clip), room, 4), np.int32),
            np.empty((len(clip), room, 3), np.float64),
        )
        parallel_for(partial(_draw, positions, *mesh, image, *kept), len(clip))
        needed = int(kept[0][:, 0].max(initial=0))
        if needed <= room:
            return coverage, Tape(clip, *kept)
        room = needed


def silhouette_adjoint(grad: Tensor, tape: Tape) -> Tensor:
    """d clip [N,V,4] from d coverage [N,H,W]."""
    d_clip = zeros(tuple(tape.clip.shape), tape.clip.dtype)
    incoming, outgoing, positions = to_numpy(grad.to(tape.clip.dtype)), d_clip.numpy(), to_numpy(tape.clip)
    kept = (tape.counts, tape.pixel, tape.ends, tape.share)
    parallel_for(partial(_draw_adjoint, incoming, positions, *kept, outgoing), len(positions))
    return d_clip


@kernel
def _draw(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, image: Floats,
    counts: Ints, pixel: Ints, ends: Ints, share: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """Views first, first + step, ...: their images and tapes. A count beyond the tape's room says what it takes."""
    screen, facing, chosen = workspace(clip.shape[1], len(faces), len(edges))
    for view in range(first, len(clip), step):
        found, of_rows, parents = draw_view(
            clip[view], faces, edges, edge_faces, signs, image[view], pixel[view], ends[view], share[view],
            screen, facing, chosen,
        )  # fmt: skip
        counts[view, 0], counts[view, 1] = found, of_rows
        _resolve_cuts(len(clip[view]), parents, ends[view, : min(found, pixel.shape[1])])


@device
def draw_view(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, image: Floats,
    pixel: Ints, ends: Ints, share: Floats, screen: Floats, facing: Signs, chosen: Ints,
) -> tuple[int, int, Ints]:  # fmt: skip
    """Fill the image [H,W] and the tape of one view.

    Returns:
        The number of ends, maybe beyond the tape's room; of them those of rows, which come first; and the parents of
        cut points, which `ends` (in its columns 0 and 2) numbers after the vertices.
    """
    height, width = image.shape
    x, y, seg_ends, coefficient, parents = contour(
        clip, faces, edges, edge_faces, signs, height, width, screen, facing, chosen
    )  # fmt: skip
    found, of_rows = draw_contour(x, y, seg_ends, coefficient, image, pixel, ends, share)
    return found, of_rows, parents


@device
def draw_contour(
    x: Floats, y: Floats, seg_ends: Ints, coefficient: Ints, image: NDArray[Any], pixel: Ints, ends: Ints, share: Floats
) -> tuple[int, int]:
    """Fill the image [H,W] and the tape from the points and segments of a contour; the first two of `draw_view`."""
    amount = np.empty(len(pixel), np.float64)
    found, of_rows, start, runs = sweep(
        x, y, seg_ends, coefficient, image.shape[0], image.shape[1], pixel, ends, share, amount
    )
    image[:] = 0.0
    for row in range(image.shape[0]):
        for k in range(start[row], start[row + 1]):
            image[row, runs[k, 0] : runs[k, 1]] = 1.0
    _correct(image.reshape(-1), pixel[: min(found, len(pixel))], amount)
    return found, of_rows


@device
def sweep(
    x: Floats, y: Floats, seg_ends: Ints, coefficient: Ints, height: int, width: int,
    pixel: Ints, ends: Ints, share: Floats, amount: Floats,
) -> tuple[int, int, Ints, Ints]:  # fmt: skip
    """Sweep along all rows and then all columns of an image, from the points and segments of a contour.

    Fills the tape, and `amount` [K], by how much an end changes its pixel: amounts above 1 stand for ends on a centre,
    of weight amount - 1, which lead half-way from what the rows say of the centre.

    Returns:
        The number of ends, maybe beyond the tape's room; of them those of rows, which come first; and start [H+1] and
        runs [R,2], the columns from and up to which the centres of a row's pixels are inside.
    """
    start = np.empty(height + 1, np.int32)
    of_rows, runs = _sweep(0, x, y, seg_ends, coefficient, height, width, 0, pixel, ends, share, amount, start)
    found, _ = _sweep(1, y, x, seg_ends, coefficient, width, height, of_rows, pixel, ends, share, amount, start)
    return found, of_rows, start, runs


@device
def _sweep(
    axis: int, along: Floats, across: Floats, seg_ends: Ints, coefficient: Ints, lines: int, length: int,
    found: int, pixel: Ints, ends: Ints, share: Floats, amount: Floats, run_start: Ints,
) -> tuple[int, Ints]:  # fmt: skip
    """Sweep along rows (axis 0) or columns: the new number of ends, and the runs of rows."""
    start, position, segment, layers = _crossings(axis, along, across, seg_ends, coefficient, lines)
    runs, run = np.empty((len(position) if axis == 0 else 0, 2), np.int32), 0
    for line in range(lines):
        if axis == 0:
            run_start[line] = run
        sort_line(position, layers, segment, start[line], start[line + 1])
        count, opened = 0, 0
        for k in range(start[line], start[line + 1]):
            before, count = count, count + layers[k]
            begins = count > 0
            if (before > 0) == begins:
                continue
            if axis == 0:
                right = line_after(position[k], length)
                if begins:
                    opened = right
                else:
                    runs[run, 0], runs[run, 1] = opened, right
                    run += 1
            gap = before_centre(position[k])
            at = pixel_of(position[k], length)
            if at < 0 or at >= length:
                continue
            if found < len(pixel):
                a, b = seg_ends[segment[k], 0], seg_ends[segment[k], 1]
                rise = across[b] - across[a]
                slope = (along[b] - along[a]) / rise
                t = crossing_t(line, across[a], rise)
                sign = 1.0 if begins else -1.0
                weight = 1.0 / (1.0 + slope * slope)
                pixel[found] = line * length + at if axis == 0 else at * lines + line
                ends[found, 0], ends[found, 2] = a, b
                share[found, 0], share[found, 1], share[found, 2] = (
                    -sign * weight * (1.0 - t),
                    -sign * weight * t,
                    slope,
                )
                # On a centre, rows decide whether it is inside and columns follow: `_correct` reads the pixel.
                amount[found] = weight + 1.0 if gap == 0.0 else sign * (gap - 0.5) * weight
            found += 1
    if axis == 0:
        run_start[lines] = run
    return found, runs


@device
def _crossings(
    axis: int, along: Floats, across: Floats, seg_ends: Ints, coefficient: Ints, lines: int
) -> tuple[NDArray[np.int64], Floats, Ints, Ints]:
    """All crossings by line: start [lines + 1], then position, segment and change of layers of each."""
    start = np.zeros(lines + 1, np.int64)
    for s in range(len(seg_ends)):
        a, b = across[seg_ends[s, 0]], across[seg_ends[s, 1]]
        for line in range(line_after(min(a, b), lines), line_after(max(a, b), lines)):
            start[line + 1] += 1
    for line in range(lines):
        start[line + 1] += start[line]
    total = start[lines]
    cursor = start[:lines].copy()
    position, segment, layers = np.empty(total, np.float64), np.empty(total, np.int32), np.empty(total, np.int32)
    for s in range(len(seg_ends)):
        a, b = seg_ends[s, 0], seg_ends[s, 1]
        begin, rise, run = across[a], across[b] - across[a], along[b] - along[a]
        change = coefficient[s] if (rise > 0.0) == (axis == 0) else -coefficient[s]
        for line in range(line_after(min(begin, across[b]), lines), line_after(max(begin, across[b]), lines)):
            k = cursor[line]
            cursor[line] += 1
            position[k] = along[a] + crossing_t(line, begin, rise) * run
            segment[k], layers[k] = s, change
    return start, position, segment, layers


@device
def _correct(image: Floats, pixel: Ints, amount: Floats) -> None:
    """Correct point samples to coverage. Amounts above 1 stand for ends on a centre, of weight amount - 1."""
    for k in range(len(pixel)):
        if amount[k] > 1.0:
            amount[k] = (amount[k] - 1.0) * (0.5 - image[pixel[k]])
    for k in range(len(pixel)):
        image[pixel[k]] += amount[k]


@device
def _resolve_cuts(vertices: int, parents: Ints, ends: Ints) -> None:
    """Replace cut points by the vertices between which they lie."""
    for k in range(len(ends)):
        for end in (0, 2):
            cut = ends[k, end] - vertices
            ends[k, end + 1] = -1
            if cut >= 0:
                ends[k, end], ends[k, end + 1] = parents[cut, 0], parents[cut, 1]


@kernel
def _draw_adjoint(
    grad: Floats, clip: Floats, counts: Ints, pixel: Ints, ends: Ints, share: Floats, d_clip: Floats,
    first: int, step: int,
) -> None:  # fmt: skip
    """Views first, first + step, ...: the adjoint of `_draw`."""
    _, height, width = grad.shape
    for view in range(first, len(clip), step):
        # Slices cost more than an end: none in the loop.
        flat, positions, gradient = grad[view].reshape(-1), clip[view], d_clip[view]
        for k in range(counts[view, 0]):
            d_coverage = np.float64(flat[pixel[view, k]])
            for end in range(2):
                d_x, d_y = end_gradient(d_coverage, k < counts[view, 1], share[view, k, end], share[view, k, 2])
                vertex, partner = ends[view, k, 2 * end], ends[view, k, 2 * end + 1]
                ndc_adjoint(positions, vertex, partner, d_x * (0.5 * width), d_y * (-0.5 * height), gradient)


@device
def end_gradient(d_coverage: float, by_row: bool, share: float, slope: float) -> tuple[float, float]:
    """d x and d y in pixels of one end of a segment that ends an interval of a row or a column."""
    along = d_coverage * share
    across = -slope * along
    return (along, across) if by_row else (across, along)
