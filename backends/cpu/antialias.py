"""Antialiasing of images on the CPU: the contour's crossings of one view decide which pixel pairs blend.

The algorithm is that of `invrender.backends.torch.antialias`. Finding the blends costs O(faces + pixels of the
contour) per view; applying them and their adjoint are short passes.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.blend import KINDS, is_seen, pair_of
from invrender.backends.bodies.contour import crossing_t, cut_point, line_after, ndc_adjoint
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import packed_mesh, to_numpy
from invrender.backends.cpu.contour import Contour, Floats, Ints, Signs, contour, workspace
from invrender.backends.cpu.memory import empty
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Ids = NDArray[np.int64]
Blends = tuple[Ints, Ints, Ints, Floats]
"""Per view: counts [N,2] of all blends and of those along rows; pixels [N,K,2] (inner, outer); ends [N,K,4] as in the
silhouette's tape; values [N,K,5]: amount, d amount / d position of both ends along the scanline, slope, distance."""

ROOM_PER_LINE = 8  # blends that there is room for at first, per scanline


def antialias(image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> Tensor:
    """Image [N,H,W,C] blended across silhouettes and depth discontinuities; see the torch backend's `antialias`."""
    counts, pixels, _, values = _blends(face_id, depth, clip, faces, topology)
    blended = empty(image.shape, image.dtype)
    parallel_for(partial(_apply, to_numpy(image), counts, pixels, values, blended.numpy()), len(clip))
    return blended


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]."""
    counts, pixels, ends, values = _blends(face_id, depth, clip, faces, topology)
    d_image, d_clip = empty(image.shape, image.dtype), empty(tuple(clip.shape), clip.dtype)
    inputs = (to_numpy(grad.to(image.dtype)), to_numpy(image), to_numpy(clip))
    outputs = (d_image.numpy(), d_clip.numpy())
    parallel_for(partial(_apply_adjoint, *inputs, counts, pixels, ends, values, *outputs), len(clip))
    return d_image, d_clip


def _blends(face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> Blends:
    views, height, width = face_id.shape
    mesh = packed_mesh(faces, topology, clip.shape[1])
    inputs = (to_numpy(clip), *mesh, to_numpy(face_id), to_numpy(depth.to(clip.dtype)))
    room = ROOM_PER_LINE * (height + width)
    while True:
        blends = (
            np.zeros((views, 2), np.int32),
            np.empty((views, room, 2), np.int32),
            np.empty((views, room, 4), np.int32),
            np.empty((views, room, 5), np.float64),
        )
        parallel_for(partial(_find, *inputs, *blends), views)
        needed = int(blends[0][:, 0].max(initial=0))
        if needed <= room:
            return blends
        room = needed


@kernel
def _find(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, face_id: Ids, depth: Floats,
    counts: Ints, pixels: Ints, ends: Ints, values: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """Views first, first + step, ...: their blends. A count beyond the room says what it takes."""
    _, height, width = face_id.shape
    claims = np.empty(height * width, np.int32)
    screen, facing, chosen = workspace(clip.shape[1], len(faces), len(edges))
    for view in range(first, len(clip), step):
        outline = contour(clip[view], faces, edges, edge_faces, signs, height, width, screen, facing, chosen)
        ids, z = face_id[view].reshape(-1), depth[view].reshape(-1)
        found = 0
        for axis in range(2):
            claims[:] = -1
            found = _along(
                axis, outline, clip[view], faces, ids, z, height, width, claims, found, pixels[view], ends[view],
                values[view],
            )  # fmt: skip
            if axis == 0:
                counts[view, 1] = found
        counts[view, 0] = found


@device
def _along(
    axis: int, outline: Contour, clip: Floats, faces: Ints, face_id: Ids, depth: Floats, height: int, width: int,
    claims: Ints, found: int, pixels: Ints, ends: Ints, values: Floats,
) -> int:  # fmt: skip
    """Blends along rows (axis 0) or columns (axis 1); `claims` [H*W] holds each pair's blend so far, by first pixel."""
    x, y, seg_ends, coefficient, parents = outline
    along, across = (x, y) if axis == 0 else (y, x)
    lines, length, stride = (height, width, 1) if axis == 0 else (width, height, width)
    for s in range(len(seg_ends)):
        a, b = seg_ends[s, 0], seg_ends[s, 1]
        begin, rise, run = across[a], across[b] - across[a], along[b] - along[a]
        start, stop = line_after(min(begin, across[b]), lines), line_after(max(begin, across[b]), lines)
        if start >= stop:
            continue
        z_a, z_b = _point_depth(clip, parents, a), _point_depth(clip, parents, b)
        begins = ((coefficient[s] > 0) == (rise > 0.0)) == (axis == 0)  # the edge's surface starts here
        for line in range(start, stop):
            t = crossing_t(line, begin, rise)
            position = along[a] + t * run
            for kind in range(KINDS):
                low = pair_of(position, kind, length)
                if low < 0:
                    continue
                offset = position - (low + 0.5)
                d = 1.0 - offset if begins else offset
                pixel = line * width + low if axis == 0 else low * width + line
                # Of all crossings of a pair the one furthest from the inner pixel counts; ties go to the first.
                claim = claims[pixel]
                if claim >= 0 and (claim >= len(values) or d <= values[claim, 4]):
                    continue
                inner, outer = (pixel + stride, pixel) if begins else (pixel, pixel + stride)
                px, py = (position, line + 0.5) if axis == 0 else (line + 0.5, position)
                if not is_seen(inner, outer, px, py, z_a + t * (z_b - z_a), clip, faces, face_id, depth, height, width):
                    continue
                if claim < 0:
                    claim = found
                    claims[pixel] = found
                    found += 1
                if claim < len(values):
                    pixels[claim, 0], pixels[claim, 1] = inner, outer
                    _store_end(ends, claim, 0, a, len(clip), parents)
                    _store_end(ends, claim, 2, b, len(clip), parents)
                    slope = run / rise
                    weight = 1.0 / (1.0 + slope * slope)
                    away = -weight if begins else weight
                    values[claim, 0], values[claim, 3], values[claim, 4] = weight * (d - 0.5), slope, d
                    values[claim, 1], values[claim, 2] = away * (1.0 - t), away * t
    return found


@device
def _point_depth(clip: Floats, parents: Ints, point: int) -> float:
    """NDC depth of a vertex or of a point cut at the near plane."""
    if point < len(clip):
        return np.float64(clip[point, 2]) / np.float64(clip[point, 3])
    _, _, z, w = cut_point(clip, parents[point - len(clip), 0], parents[point - len(clip), 1])
    return z / w


@device
def _store_end(ends: Ints, row: int, at: int, point: int, vertices: int, parents: Ints) -> None:
    """Note an end as a vertex, or as the two between which it was cut."""
    ends[row, at], ends[row, at + 1] = point, -1
    if point >= vertices:
        ends[row, at], ends[row, at + 1] = parents[point - vertices, 0], parents[point - vertices, 1]


@device
def _copy(source: Floats, target: Floats) -> None:
    for i in range(len(source)):  # flat, so that it becomes one block copy
        target[i] = source[i]


@kernel
def _apply(image: Floats, counts: Ints, pixels: Ints, values: Floats, blended: Floats, first: int, step: int) -> None:
    _, height, width, channels = image.shape
    for view in range(first, len(image), step):
        source, target = image[view].reshape(height * width, channels), blended[view].reshape(height * width, channels)
        _copy(image[view].reshape(-1), blended[view].reshape(-1))
        for k in range(counts[view, 0]):
            inner, outer = pixels[view, k, 0], pixels[view, k, 1]
            changed = outer if values[view, k, 4] > 0.5 else inner
            for channel in range(channels):
                target[changed, channel] += values[view, k, 0] * (source[inner, channel] - source[outer, channel])


@kernel
def _apply_adjoint(
    grad: Floats, image: Floats, clip: Floats, counts: Ints, pixels: Ints, ends: Ints, values: Floats,
    d_image: Floats, d_clip: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """The adjoint of `_apply` and, through the crossings' positions, of `_find`."""
    _, height, width, channels = image.shape
    for view in range(first, len(image), step):
        source, incoming = image[view].reshape(height * width, channels), grad[view].reshape(height * width, channels)
        outgoing, positions, gradient = d_image[view].reshape(height * width, channels), clip[view], d_clip[view]
        gradient[:] = 0.0
        _copy(grad[view].reshape(-1), d_image[view].reshape(-1))
        for k in range(counts[view, 0]):
            inner, outer = pixels[view, k, 0], pixels[view, k, 1]
            changed = outer if values[view, k, 4] > 0.5 else inner
            d_amount = 0.0
            for channel in range(channels):
                d_changed = np.float64(incoming[changed, channel])
                outgoing[inner, channel] += values[view, k, 0] * d_changed
                outgoing[outer, channel] -= values[view, k, 0] * d_changed
                d_amount += d_changed * (source[inner, channel] - source[outer, channel])
            for end in range(2):
                along = d_amount * values[view, k, 1 + end]
                across = -values[view, k, 3] * along
                d_x, d_y = (along, across) if k < counts[view, 1] else (across, along)
                vertex, partner = ends[view, k, 2 * end], ends[view, k, 2 * end + 1]
                ndc_adjoint(positions, vertex, partner, d_x * (0.5 * width), d_y * (-0.5 * height), gradient)
