"""Rays of many pixels, chunk by chunk: their lines are kept while there is room, and traced again where there is not.

A line takes 33 bytes, and tracing it again tens of nanoseconds, where sampling a grid along it takes hundreds. What
is always kept is which pixels have rays, one bit each, and the planes between which a ray touches the support, 4 bytes:
finding those takes longer than all the rest. Lines that are traced again are the same to the last bit.
"""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invrender.backends.cpu.lines import LINE, retrace_lines, trace_lines, trim_lines
from invrender.backends.cpu.threads import blocks, parallel_map

BLOCK = 1 << 14  # rays per job
CHUNK = 1 << 23  # pixels per chunk
ROOM = 1 << 29  # bytes of lines that all rays of a process keep at most, but for what a single chunk needs for a moment

_keeping: weakref.WeakSet[Chunk] = weakref.WeakSet()


@dataclass(frozen=True)
class Geometry:
    """Which rays pixels have: views [N,18], spacing [3], sizes [3] along x, y, z; see `trace_lines`."""

    views: NDArray[np.float64]
    sizes: NDArray[np.int64]
    spacing: NDArray[np.float64]
    widths: NDArray[np.int64]


@dataclass(frozen=True)
class Lines:
    """Lines [r] with their main axes [r] int8; for each axis the runs [K,2] of rays, first and end, that have it."""

    lines: NDArray[np.void]
    axes: NDArray[np.int8]
    runs: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]

    @staticmethod
    def of(lines: NDArray[np.void], axes: NDArray[np.int8]) -> Lines:
        """Lines in the order of their pixels, where neighbours mostly have the same axis."""
        cuts = np.concatenate([[0], np.flatnonzero(axes[1:] != axes[:-1]) + 1, [len(axes)]]).astype(np.int64)
        runs = np.stack([cuts[:-1], cuts[1:]], 1)[: len(axes)]  # no run without rays
        main = axes[runs[:, 0]]
        first, second, third = (np.ascontiguousarray(runs[main == axis]) for axis in range(3))
        return Lines(lines, axes, (first, second, third))


@dataclass(frozen=True, eq=False)
class Chunk:
    """The rays of the pixels from `begin` on, which `marks` has a bit of each for.

    Attributes:
        ends: [r,2] int16, the first and the last plane of each ray.
        kept: their lines, or None where they are traced again whenever they are asked for.
    """

    geometry: Geometry
    begin: int
    marks: NDArray[np.uint8]
    ends: NDArray[np.int16]
    kept: Lines | None

    def __len__(self) -> int:
        return len(self.ends)

    @property
    def offsets(self) -> NDArray[np.int32]:
        """[r]: the pixels, counted from the first."""
        return np.flatnonzero(np.unpackbits(self.marks)).astype(np.int32)

    @property
    def samples(self) -> int:
        """How many planes all rays cross together."""
        return int((self.ends[:, 1].astype(np.int32) - self.ends[:, 0] + 1).sum(dtype=np.int64))

    def lines(self) -> Lines:
        """The lines, kept or traced again."""
        if self.kept is not None:
            return self.kept
        g, pixels = self.geometry, self.offsets
        lines, axes = np.empty(len(pixels), LINE), np.empty(len(pixels), np.int8)
        given = (g.views, g.sizes, g.spacing, g.widths, self.begin, pixels, self.ends)
        parallel_map(retrace_lines, [(*given, *job, lines, axes) for job in blocks(len(pixels), BLOCK)])
        return Lines.of(lines, axes)


def chunks(
    geometry: Geometry,
    pixels: int,
    selected: NDArray[np.bool_] | None,
    support: NDArray[np.uint8] | None,
    keeps: bool = True,
) -> list[Chunk]:
    """The chosen pixels' rays, of all views, that meet the grid, and its support where there is one.

    Args:
        geometry: of the views.
        pixels: of all of them.
        selected: [pixels], or None for all.
        support: [D*H*W], or None for all.
        keeps: whether lines are kept where there is room.
    """
    found = [_traced(geometry, begin, end, selected, support, keeps) for begin, end in blocks(pixels, CHUNK)]
    return [chunk for chunk in found if len(chunk)]


def _traced(
    geometry: Geometry,
    first: int,
    last: int,
    selected: NDArray[np.bool_] | None,
    support: NDArray[np.uint8] | None,
    keeps: bool,
) -> Chunk:
    g = geometry

    def job(begin: int, end: int) -> tuple[NDArray[np.bool_], NDArray[np.void], NDArray[np.int8]]:
        lines, axes = np.zeros(end - begin, LINE), np.zeros(end - begin, np.int8)
        trace_lines(g.views, g.sizes, g.spacing, g.widths, first + begin, first + end, lines, axes)
        if support is not None:
            trim_lines(lines, axes, support, g.sizes, 0, end - begin)
        keep = lines["last"] >= lines["first"]
        if selected is not None:
            keep &= selected[first + begin : first + end]
        return keep, lines[keep], axes[keep]

    parts = parallel_map(job, blocks(last - first, BLOCK))
    marks, lines, axes = (np.concatenate(piece) for piece in zip(*parts, strict=True))
    del parts
    ends = np.stack([lines["first"], lines["last"]], 1)
    fits = keeps and sum(map(len, _keeping)) + len(ends) <= ROOM // (LINE.itemsize + 1)
    chunk = Chunk(geometry, first, np.packbits(marks), ends, Lines.of(lines, axes) if fits else None)
    if fits:
        _keeping.add(chunk)
    return chunk


def placed(every: list[Chunk]) -> Iterator[tuple[Chunk, slice]]:
    """Chunks, each with the place of its rays among all."""
    begin = 0
    for chunk in every:
        yield chunk, slice(begin, begin + len(chunk))
        begin += len(chunk)
