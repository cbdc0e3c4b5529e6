"""Rasterization on the CPU: views, or bands of their rows where cores outnumber views, each in one pass over faces."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.clip import GUARD_PIXELS, PIECES, draw_cut, is_safe
from invrender.backends.bodies.raster import EMPTY, HALF_PIXEL, ID_MASK, depth_of, draw, snap_x, snap_y
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import packed_faces, to_numpy
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.memory import empty
from invrender.backends.cpu.threads import parallel_for, thread_count
from invrender.jit import kernel
from invrender.kernels import Size

Tensor = torch.Tensor

UNSAFE = np.int32(-(2**31))  # stands for the column of a vertex that clipping must look at


def rasterize(clip: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Face id [N,H,W] int64 (-1: miss) and NDC depth of clip's dtype (inf: miss); see the torch backend's `rasterize`.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    views, (height, width) = len(clip), size
    positions = to_numpy(clip)
    triangles = packed_faces(faces, positions.shape[1])
    keys = empty((views, height, width), torch.int64)
    depth = empty((views, height, width), clip.dtype)
    bands = min(max(1, thread_count() // max(views, 1)), height)
    parallel_for(partial(_rasterize, positions, triangles, keys.numpy(), depth.numpy(), bands), views * bands)
    return keys, depth


@kernel
def _rasterize(
    clip: Floats, faces: Ints, keys: NDArray[np.int64], depth: Floats, bands: int, first: int, step: int
) -> None:
    _, height, width = keys.shape
    work = np.empty((2, PIECES, 3, 4), np.float64)
    for item in range(first, len(clip) * bands, step):
        view, band = item // bands, item % bands
        top, bottom = band * height // bands, (band + 1) * height // bands - 1
        keys[view, top : bottom + 1] = EMPTY
        flat = keys[view].reshape(-1)
        draw_view(clip[view], faces, work, flat, height, width, top, bottom)
        for row in range(top, bottom + 1):
            for column in range(width):
                key = keys[view, row, column]
                depth[view, row, column] = depth_of(key) if key != EMPTY else np.inf
                keys[view, row, column] = key & ID_MASK if key != EMPTY else -1


@device
def draw_view(
    clip: Floats, faces: Ints, work: Floats, keys: NDArray[np.int64], height: int, width: int, top: int, bottom: int
) -> None:
    """Offer all faces to rows top to bottom of one view's depth buffer."""
    count = len(clip)
    at, z = np.empty((count, 2), np.int32), np.empty(count, np.float64)  # a vertex lies in one line of the cache
    guard_x, guard_y = 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height
    for i in range(count):
        cx, cy = np.float64(clip[i, 0]), np.float64(clip[i, 1])
        cz, cw = np.float64(clip[i, 2]), np.float64(clip[i, 3])
        at[i, 0] = UNSAFE
        if is_safe(cx, cy, cz, cw, guard_x, guard_y):
            at[i, 0], at[i, 1], z[i] = snap_x(cx, cw, 0.5 * width), snap_y(cy, cw, 0.5 * height), cz / cw
    for f in range(len(faces)):
        a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
        x0, x1, x2 = at[a, 0], at[b, 0], at[c, 0]
        if min(x0, x1, x2) == UNSAFE:
            for k in range(3):
                for axis in range(4):
                    work[0, 0, k, axis] = clip[faces[f, k], axis]
            draw_cut(work, f, keys, height, width, top, bottom)
            continue
        y0, y1, y2 = at[a, 1], at[b, 1], at[c, 1]
        if is_between(x0, x1, x2) | is_between(y0, y1, y2):  # most of those of fine meshes
            continue
        draw(
            np.int64(x0), np.int64(y0), z[a], np.int64(x1), np.int64(y1), z[b], np.int64(x2), np.int64(y2), z[c],
            f, keys, width, top, bottom,
        )  # fmt: skip


@device
def is_between(a: int, b: int, c: int) -> bool:
    """Whether three columns or rows lie between two centres of pixels that are next to each other."""
    return bool((min(a, b, c) + HALF_PIXEL - 1) >> 8 > (max(a, b, c) - HALF_PIXEL) >> 8)
