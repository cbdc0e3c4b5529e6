"""The loops of `sweep`: rows of planes carried along lines, and planes between slices, with their transposes."""

from __future__ import annotations

import numpy as np

from invrender.backends.bodies.target import inlined
from invrender.backends.cpu.compile import entry


@inlined
def shares(line, k, first, last):  # type: ignore[no-untyped-def]
    """On plane k: the first of the two positions that a line lies between, and the length that each stands for."""
    weight = line.pitch
    if k == first:
        weight = line.pitch * line.head
    if k == last:
        weight = line.pitch * (line.tail if k > first else line.head + line.tail - np.float32(1))
    u = line.u + np.float32(k - first) * line.du
    cell = np.int64(u)
    far = weight * (u - np.float32(cell))
    return cell, weight - far, far


@entry
def carry(planes, lines, across, begin, end, out):  # type: ignore[no-untyped-def]
    """Depths [...,rows] of the lines begin .. end through planes [P,rows]."""
    rows = planes.shape[1]
    for j in range(begin, end):
        line, sums = lines[j], out[j]
        for r in range(rows):
            sums[r] = 0.0
        step, aside = across[j, 0], across[j, 1]
        first, last = np.int64(line.first), np.int64(line.last)
        for k in range(first, last + 1):
            cell, near, far = shares(line, k, first, last)
            a, b = planes[k * step + cell * aside], planes[k * step + (cell + 1) * aside]
            for r in range(rows):
                sums[r] += near * a[r] + far * b[r]


@entry
def spread(planes, lines, across, values):  # type: ignore[no-untyped-def]
    """The transpose of `carry` for all lines: values [...,rows] are added to planes [P,rows] float64."""
    rows = planes.shape[1]
    for j in range(len(lines)):
        line, brought = lines[j], values[j]
        step, aside = across[j, 0], across[j, 1]
        first, last = np.int64(line.first), np.int64(line.last)
        for k in range(first, last + 1):
            cell, near, far = shares(line, k, first, last)
            a, b = planes[k * step + cell * aside], planes[k * step + (cell + 1) * aside]
            for r in range(rows):
                a[r] += near * brought[r]
                b[r] += far * brought[r]


@entry
def between(slab, slices, above, begin, end, planes):  # type: ignore[no-untyped-def]
    """Planes [P,rows] between slices [S,P], for the positions begin .. end."""
    for p in range(begin, end):
        for r in range(len(slices)):
            share, low = above[r], slab[slices[r], p]
            planes[p, r] = low + share * (slab[slices[r] + 1, p] - low)


@entry
def add(grid, slices, above, planes, begin, end):  # type: ignore[no-untyped-def]
    """The transpose of `between`: planes [P,rows] float64 are added to slices of the grid [S,P]."""
    for r in range(len(slices)):
        low, high, share = grid[slices[r]], grid[slices[r] + 1], above[r]
        for p in range(begin, end):
            far = share * planes[p, r]
            low[p] += planes[p, r] - far
            high[p] += far
