"""Rasterization on a GPU: small triangles by one thread each, large and cut ones by many threads in bands of rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import cuda, float64

from invrender.backends.cuda.bodies import clip as cutting
from invrender.backends.cuda.bodies import raster
from invrender.backends.cuda.launch import launch, packed_faces
from invrender.backends.cuda.target import kernel
from invrender.kernels import Size

Tensor = torch.Tensor

EMPTY, ID_MASK = raster.EMPTY, raster.ID_MASK
GUARD_PIXELS, PIECES = cutting.GUARD_PIXELS, cutting.PIECES
draw, depth_of, snap_x, snap_y = raster.draw, raster.depth_of, raster.snap_x, raster.snap_y
is_safe, draw_cut = cutting.is_safe, cutting.draw_cut

BANDS = 32  # threads that share a large triangle
SMALL = 16 * 256  # extent in 1/256 pixel up to which one thread draws a triangle
WORKERS = 2**14  # threads over the queue of large triangles
MOST_TRIANGLES = 2**24  # in the queue


def rasterize(clip: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Face id [N,H,W] int64 (-1: miss) and NDC depth of clip's dtype (inf: miss); see the torch backend."""
    views, count = len(clip), clip.shape[1]
    keys = torch.full((views, size[0] * size[1]), EMPTY, dtype=torch.int64, device=clip.device)
    clip, triangles = clip.detach().contiguous(), packed_faces(faces, count)
    group = max(1, MOST_TRIANGLES // max(len(faces), 1))
    for begin in range(0, views, group):
        part, target = clip[begin : begin + group], keys[begin : begin + group]
        snapped = part.new_empty(len(part), count, 2, dtype=torch.int32)
        z = part.new_empty(len(part), count, dtype=torch.float64)
        launch(_snap, len(part) * count, part, size[0], size[1], snapped, z)
        queue = part.new_empty(max(len(part) * len(faces), 1), dtype=torch.int32)
        queued = part.new_zeros(1, dtype=torch.int32)
        launch(_draw, len(part) * len(faces), triangles, snapped, z, size[0], size[1], target, queue, queued)
        threads = min(WORKERS, BANDS * len(part) * len(faces))
        launch(_draw_queued, threads, part, triangles, snapped, z, size[0], size[1], target, queue, queued, threads)
    face_id = torch.where(keys == EMPTY, -1, keys & ID_MASK).reshape(views, *size)
    depth = (keys >> raster.ID_BITS).double() * (2.0 / raster.DEPTH_STEPS) - 1.0
    depth = torch.where(keys == EMPTY, torch.inf, depth)
    return face_id, depth.to(clip.dtype).reshape(views, *size)


@kernel
def _snap(clip: Any, height: int, width: int, snapped: Any, z: Any) -> None:
    """Vertices in 1/256 pixel and their depth; a depth of NaN marks those that are not safe."""
    i = cuda.grid(1)
    if i >= clip.shape[0] * clip.shape[1]:
        return
    view, v = i // clip.shape[1], i % clip.shape[1]
    x, y = np.float64(clip[view, v, 0]), np.float64(clip[view, v, 1])
    depth, w = np.float64(clip[view, v, 2]), np.float64(clip[view, v, 3])
    z[view, v] = np.nan
    if is_safe(x, y, depth, w, 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height):
        snapped[view, v, 0], snapped[view, v, 1] = snap_x(x, w, 0.5 * width), snap_y(y, w, 0.5 * height)
        z[view, v] = depth / w


@kernel
def _draw(faces: Any, snapped: Any, z: Any, height: int, width: int, keys: Any, queue: Any, queued: Any) -> None:
    i = cuda.grid(1)
    if i >= snapped.shape[0] * faces.shape[0]:
        return
    view, face = i // faces.shape[0], i % faces.shape[0]
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    za, zb, zc = z[view, a], z[view, b], z[view, c]
    small = bool(za == za and zb == zb and zc == zc)  # noqa: PLR0124 - not NaN
    if small:
        xa, ya = np.int64(snapped[view, a, 0]), np.int64(snapped[view, a, 1])
        xb, yb = np.int64(snapped[view, b, 0]), np.int64(snapped[view, b, 1])
        xc, yc = np.int64(snapped[view, c, 0]), np.int64(snapped[view, c, 1])
        wide = max(xa, xb, xc) - min(xa, xb, xc)
        high = max(ya, yb, yc) - min(ya, yb, yc)
        small = bool(wide <= SMALL and high <= SMALL)
        if small:
            draw(xa, ya, za, xb, yb, zb, xc, yc, zc, face, keys[view], width, 0, height - 1)
    if not small:
        queue[cuda.atomic.add(queued, 0, 1)] = i


@kernel
def _draw_queued(
    clip: Any, faces: Any, snapped: Any, z: Any, height: int, width: int, keys: Any, queue: Any, queued: Any,
    threads: int,
) -> None:  # fmt: skip
    start = cuda.grid(1)
    if start >= threads:
        return
    work = cuda.local.array((2, PIECES, 3, 4), float64)
    for item in range(start, queued[0] * BANDS, threads):
        entry, band = np.int64(queue[item // BANDS]), item % BANDS
        view, face = entry // faces.shape[0], entry % faces.shape[0]
        top, bottom = band * height // BANDS, (band + 1) * height // BANDS - 1
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        za, zb, zc = z[view, a], z[view, b], z[view, c]
        if np.isnan(za) or np.isnan(zb) or np.isnan(zc):
            for k in range(3):
                for axis in range(4):
                    work[0, 0, k, axis] = clip[view, faces[face, k], axis]
            draw_cut(work, face, keys[view], height, width, top, bottom)
        else:
            draw(
                np.int64(snapped[view, a, 0]), np.int64(snapped[view, a, 1]), za,
                np.int64(snapped[view, b, 0]), np.int64(snapped[view, b, 1]), zb,
                np.int64(snapped[view, c, 0]), np.int64(snapped[view, c, 1]), zc,
                face, keys[view], width, top, bottom,
            )  # fmt: skip
