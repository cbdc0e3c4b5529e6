"""Rays for Joseph's method, on the CPU: one record per ray; see `backends.bodies.lines`."""

from __future__ import annotations

import numpy as np

from invrender.backends.bodies.lines import joseph_line, permuted, support_range
from invrender.backends.bodies.target import inlined
from invrender.backends.cpu.compile import entry

LINE = np.dtype(
    [
        ("u", "f4"), ("v", "f4"), ("du", "f4"), ("dv", "f4"), ("pitch", "f4"), ("head", "f4"), ("tail", "f4"),
        ("first", "i2"), ("last", "i2"),
    ]
)  # fmt: skip
"""One ray, 32 bytes. first > last: it meets no plane."""


@inlined
def _trace(views, shape, spacing, width, pixel, ray):  # type: ignore[no-untyped-def]
    """Fill the record of one pixel; its main axis."""
    view = pixel // width[1]
    row = (pixel - view * width[1]) // width[0]
    column = pixel - view * width[1] - row * width[0]
    axis, ray.first, ray.last, ray.u, ray.v, ray.du, ray.dv, ray.pitch, ray.head, ray.tail = joseph_line(
        views[view], column + 0.5, row + 0.5, shape[0], shape[1], shape[2], spacing[0], spacing[1], spacing[2]
    )
    return axis


@inlined
def _shorten(ray, first, last):  # type: ignore[no-untyped-def]
    """Shorten a line to the planes first .. last."""
    if first > ray.first:
        ray.u += (first - ray.first) * ray.du
        ray.v += (first - ray.first) * ray.dv
        ray.head = 1.0
    if last < ray.last:
        ray.tail = 1.0
    ray.first, ray.last = first, last


@entry
def trace_lines(views, shape, spacing, width, begin, end, lines, axes):  # type: ignore[no-untyped-def]
    """Fill the lines of the pixels begin .. end, counted through all views, rows and columns.

    views [N,18] float64: the matrices from (column, row, 1) to the origin and the direction of a ray, in index units.
    shape [3]: samples along x, y, z. spacing [3]: lengths of a cell. width [2]: pixels of a row, of an image.
    axes [...] int8: main axis of each ray.
    """
    for pixel in range(begin, end):
        axes[pixel - begin] = _trace(views, shape, spacing, width, pixel, lines[pixel - begin])


@entry
def retrace_lines(views, shape, spacing, width, origin, pixels, ends, begin, end, lines, axes):  # type: ignore[no-untyped-def]
    """Fill the lines begin .. end of the pixels origin + pixels [R], each from plane ends [R,2] to plane, once more."""
    for r in range(begin, end):
        axes[r] = _trace(views, shape, spacing, width, origin + pixels[r], lines[r])
        _shorten(lines[r], ends[r, 0], ends[r, 1])


@entry
def trim_lines(lines, axes, support, shape, begin, end):  # type: ignore[no-untyped-def]
    """Shorten the lines begin .. end to the planes on which they touch the support [D*H*W] uint8."""
    for r in range(begin, end):
        ray = lines[r]
        along, across_u, across_v = strides(axes[r], shape)
        first, last = support_range(
            support, along, across_u, across_v, ray.u, ray.v, ray.du, ray.dv, ray.first, ray.last
        )
        _shorten(ray, first, last)


@inlined
def strides(axis, shape):  # type: ignore[no-untyped-def]
    """Steps in the flat grid along the main axis and the two others."""
    return permuted(axis, 1, shape[0], shape[0] * shape[1])
