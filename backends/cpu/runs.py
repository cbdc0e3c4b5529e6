"""Masks compared with silhouettes that are known by their runs: per row, the columns whose centres are inside.

A silhouette is 1 in its runs and 0 outside them, but for the pixels at which runs of rows or of columns end. With m the
mask and b its confidence, the sum of squares over a row is therefore

    sum b m^2 + sum over runs (b - 2 b m) + what the pixels at their ends differ from that,

where the first sum is known beforehand, and sums over runs are differences of two prefix sums. So nothing of the size
of an image is drawn or read: a view costs what its contour costs, however many pixels there are.
"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numba import njit
from numpy.typing import NDArray

from invrender.backends.bodies.target import device
from invrender.backends.cpu.contour import Floats, Ints
from invrender.jit import kernel

Masks: TypeAlias = NDArray[Any]
"""[N,H,W] float32 in [0, 1], or uint8 in units of 1/255."""

Images: TypeAlias = NDArray[np.float32]

STEP = 16  # pixels from one prefix sum of a row to the next; those in between are added up


@kernel
def sum_rows(
    masks: Masks, confidence: Images, unit: float, weighed: Floats, trust: Floats, totals: Floats, first: int, step: int
) -> None:
    """Views first, first + step, ...: prefix sums of their rows and, in totals [N,2], sum b m^2 and sum b m.

    `weighed` [N,H,W//STEP+1] holds those of b m in the mask's units, and `trust` those of b; with confidence [0,H,W],
    every b is 1, and the latter [0,...].
    """
    for view in range(first, len(masks), step):
        squares, total = 0.0, 0.0
        for row in range(masks.shape[1]):
            mask = masks[view, row]
            if len(confidence):
                b = confidence[view, row]
                squares += _believed_squares(mask, b)
                total += _believed_prefix(mask, b, weighed[view, row])
                _prefix(b, trust[view, row])
            else:
                squares += _squares(mask)
                total += _prefix(mask, weighed[view, row])
        totals[view, 0], totals[view, 1] = unit * unit * squares, unit * total


@device
def compare_runs(
    start: Ints, runs: Ints, width: int, mask: Masks, believed: Images, unit: float, weighed: Floats, trust: Floats,
    sums: Floats,
) -> None:  # fmt: skip
    """Add to sums, for the runs of a view: squares, both images, and |differences|, each times the confidence.

    They begin with those of the mask alone. All arrays of a view are flat; believed and trust are empty where every
    pixel counts alike.
    """
    steps = width // STEP + 1
    inside, joint = 0.0, 0.0
    for row in range(len(start) - 1):
        at, step = row * width, row * steps
        for k in range(start[row], start[row + 1]):
            begin, end = runs[k, 0], runs[k, 1]
            if begin >= end:
                continue
            low, high = begin // STEP, end // STEP
            m = np.float64(weighed[step + high]) - np.float64(weighed[step + low])
            if len(believed):
                b = trust[step + high] - trust[step + low] + _sum(believed, at + high * STEP, at + end)
                inside += b - _sum(believed, at + low * STEP, at + begin)
                m += _believed_sum(mask, believed, at + high * STEP, at + end)
                joint += m - _believed_sum(mask, believed, at + low * STEP, at + begin)
            else:
                inside += end - begin
                joint += m + _sum(mask, at + high * STEP, at + end) - _sum(mask, at + low * STEP, at + begin)
    sums[0] += inside - 2.0 * unit * joint
    sums[1] += inside
    sums[2] += inside - 2.0 * unit * joint


@device
def compare_ends(
    start: Ints, runs: Ints, width: int, mask: Masks, believed: Images, unit: float, found: int, pixel: Ints,
    amount: Floats, change: Images, sums: Floats,
) -> None:  # fmt: skip
    """Add what the pixels at the `found` ends change in the sums; `amount` becomes coverage - mask, times confidence.

    `change` [H W] is scratch: 0 before and after.
    """
    for k in range(found):
        inside = _is_inside(start, runs, pixel[k] // width, pixel[k] % width)
        if amount[k] > 1.0:
            amount[k] = (amount[k] - 1.0) * (0.5 - inside)
        change[pixel[k]] += amount[k]
        amount[k] = inside
    for k in range(found):
        amount[k] += change[pixel[k]]
    for k in range(found):
        at, drawn = pixel[k], amount[k]
        m, by = unit * np.float64(mask[at]), np.float64(change[at])
        b = np.float64(believed[at]) if len(believed) else 1.0
        after, before = drawn - m, drawn - by - m
        if by != 0.0:  # once for every pixel
            sums[0] += b * (after * after - before * before)
            sums[1] += b * by
            sums[2] += b * (abs(after) - abs(before))
            change[at] = 0.0
        amount[k] = b * after


@device
def _is_inside(start: Ints, runs: Ints, row: int, column: int) -> float:
    """1 where a pixel's centre is inside, else 0."""
    inside = 0.0
    for k in range(start[row], start[row + 1]):
        if runs[k, 0] <= column < runs[k, 1]:
            inside = 1.0
    return inside


@device
def _sum(row: Masks, begin: int, end: int) -> float:
    """The sum of a piece of a row."""
    total = 0.0
    for i in range(begin, end):
        total += np.float64(row[i])
    return total


@device
def _believed_sum(mask: Masks, confidence: Images, begin: int, end: int) -> float:
    """The same of b m."""
    total = 0.0
    for i in range(begin, end):
        total += np.float64(mask[i]) * np.float64(confidence[i])
    return total


# In any order, so that several pixels are added at a time:
_loose = njit(error_model="numpy", nogil=True, fastmath={"reassoc", "contract"})


@_loose
def _prefix(row: Masks, sums: Floats) -> float:
    """Fill the sums of a row up to every STEP-th pixel; that of all."""
    total = 0.0
    for k in range(len(sums) - 1):
        sums[k] = total
        here = 0 * row[0]  # an integer for bytes, which is faster, else float64
        for i in range(STEP):
            here += row[k * STEP + i]
        total += here
    sums[len(sums) - 1] = total
    return total + _sum(row, (len(sums) - 1) * STEP, len(row))


@_loose
def _believed_prefix(mask: Masks, confidence: Images, sums: Floats) -> float:
    """The same of b m."""
    total = 0.0
    for k in range(len(sums) - 1):
        sums[k] = total
        here = 0.0
        for i in range(STEP):
            here += np.float64(mask[k * STEP + i]) * np.float64(confidence[k * STEP + i])
        total += here
    sums[len(sums) - 1] = total
    return total + _believed_sum(mask, confidence, (len(sums) - 1) * STEP, len(mask))


@_loose
def _squares(mask: Masks) -> float:
    """The sum of m^2."""
    total = 0.0
    for i in range(len(mask)):
        total += np.float64(mask[i]) * np.float64(mask[i])
    return total


@_loose
def _believed_squares(mask: Masks, confidence: Images) -> float:
    """The sum of b m^2."""
    total = 0.0
    for i in range(len(mask)):
        total += np.float64(confidence[i]) * np.float64(mask[i]) * np.float64(mask[i])
    return total
