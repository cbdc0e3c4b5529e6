"""Perspective-correct interpolation on the CPU, over bands of rows, and its adjoint, over views."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from invrender.backends.bodies.weights import areas, areas_adjoint, areas_from, centre_x, centre_y, weights
from invrender.backends.cpu.arrays import packed_faces, to_numpy, zeros
from invrender.backends.cpu.compile import kernel
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.threads import spread

Tensor = torch.Tensor

contracted = njit(error_model="numpy", nogil=True, fastmath={"contract"})
"""For gradients: products may be fused with sums, since no decision hangs on their last bit."""

BAND = 64  # rows
GROUP = 16  # views whose gradients of shared attributes are held at once; fixed, so that sums do not depend on threads


def interpolate(attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> Tensor:
    """[N,H,W,C] from attributes [V,C] or [N,V,C]; see the torch backend's `interpolate`.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    triangles = packed_faces(faces, clip.shape[1])
    values = attributes if attributes.dim() == 3 else attributes[None]
    image = torch.empty(*face_id.shape, attributes.shape[-1], dtype=attributes.dtype)
    arrays = (to_numpy(values), triangles, to_numpy(face_id), to_numpy(clip), image.numpy())
    spread(partial(_forward, *arrays), len(face_id) * -(-face_id.shape[1] // BAND))
    return image


def interpolate_adjoint(
    grad: Tensor, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor
) -> tuple[Tensor, Tensor]:
    """d attributes (their shape) and d clip [N,V,4] from d image [N,H,W,C]."""
    triangles = packed_faces(faces, clip.shape[1])
    values = attributes if attributes.dim() == 3 else attributes[None]
    d_values, d_clip = zeros(tuple(values.shape), values.dtype), zeros(tuple(clip.shape), clip.dtype)
    inputs = (to_numpy(grad.to(attributes.dtype)), to_numpy(values), triangles, to_numpy(face_id), to_numpy(clip))
    if len(values) == len(clip):
        spread(partial(_adjoint, *inputs, d_values.numpy(), d_clip.numpy(), 0, len(clip)), len(clip))
        return d_values.reshape(attributes.shape), d_clip
    for begin in range(0, len(clip), GROUP):
        end = min(begin + GROUP, len(clip))
        shares = zeros((end - begin, *attributes.shape), attributes.dtype)
        spread(partial(_adjoint, *inputs, shares.numpy(), d_clip.numpy(), begin, end), end - begin)
        d_values += shares.sum(0)
    return d_values.reshape(attributes.shape), d_clip


@kernel
def _forward(
    values: Floats, faces: Ints, face_id: NDArray[np.int64], clip: Floats, image: Floats, first: int, step: int
) -> None:
    views, height, _ = face_id.shape
    bands = -(-height // BAND)
    for item in range(first, views * bands, step):
        view, top = item // bands, item % bands * BAND
        own, positions = values[view % len(values)], clip[view]
        for row in range(top, min(top + BAND, height)):
            _fill_row(own, faces, face_id[view, row], positions, centre_y(row, height), image[view, row])


@contracted
def _fill_row(
    values: Floats, faces: Ints, face_id: NDArray[np.int64], clip: Floats, y: float, image: Floats
) -> None:  # fmt: skip
    width, channels = image.shape
    dtype = values.dtype.type
    for column in range(width):
        face = face_id[column]
        if face < 0:
            for channel in range(channels):
                image[column, channel] = 0.0
            continue
        a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
        area_a, area_b, area_c = areas(clip, a, b, c, centre_x(column, width), y)
        wide_u, wide_v, wide_w = weights(area_a, area_b, area_c)
        u, v, w = dtype(wide_u), dtype(wide_v), dtype(wide_w)
        for channel in range(channels):
            image[column, channel] = u * values[a, channel] + v * values[b, channel] + w * values[c, channel]


@kernel
def _adjoint(
    grad: Floats, values: Floats, faces: Ints, face_id: NDArray[np.int64], clip: Floats, d_values: Floats,
    d_clip: Floats, begin: int, end: int, first: int, step: int,
) -> None:  # fmt: skip
    """Views begin + first, begin + first + step, ... below end; d_values has a row for each view from begin on."""
    height, channels = face_id.shape[1], grad.shape[3]
    for_a, for_b = np.zeros(channels, values.dtype), np.zeros(channels, values.dtype)
    for_c = np.zeros(channels, values.dtype)
    for view in range(begin + first, end, step):
        own, positions = values[view % len(values)], clip[view]
        d_own, d_positions = d_values[view - begin], d_clip[view]
        for row in range(height):
            given = (grad[view, row], own, faces, face_id[view, row], positions, centre_y(row, height))
            _pull_row(*given, for_a, for_b, for_c, d_own, d_positions)


@contracted
def _pull_row(
    grad: Floats, values: Floats, faces: Ints, face_id: NDArray[np.int64], clip: Floats, y: float, for_a: Floats,
    for_b: Floats, for_c: Floats, d_values: Floats, d_clip: Floats,
) -> None:  # fmt: skip
    """The shares of a row of pixels. Neighbours on one face come together before they go to its corners."""
    width, channels = grad.shape
    dtype = values.dtype.type
    begin = 0
    while begin < width:
        face = face_id[begin]
        end = begin + 1
        while end < width and face_id[end] == face:
            end += 1
        if face >= 0:
            a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
            ax, ay, aw = np.float64(clip[a, 0]), clip[a, 1] - y * clip[a, 3], np.float64(clip[a, 3])
            bx, by, bw = np.float64(clip[b, 0]), clip[b, 1] - y * clip[b, 3], np.float64(clip[b, 3])
            cx, cy, cw = np.float64(clip[c, 0]), clip[c, 1] - y * clip[c, 3], np.float64(clip[c, 3])
            sum_a = sum_b = sum_c = x_a = x_b = x_c = 0.0
            for column in range(begin, end):
                x = centre_x(column, width)
                area_a, area_b, area_c = areas_from(ax - x * aw, ay, bx - x * bw, by, cx - x * cw, cy)
                wide_u, wide_v, wide_w = weights(area_a, area_b, area_c)
                u, v, w = dtype(wide_u), dtype(wide_v), dtype(wide_w)
                d_u = d_v = d_w = 0.0
                for channel in range(channels):
                    g = grad[column, channel]
                    for_a[channel] += u * g
                    for_b[channel] += v * g
                    for_c[channel] += w * g
                    wide = np.float64(g)  # nearly equal values cancel below
                    d_u += values[a, channel] * wide
                    d_v += values[b, channel] * wide
                    d_w += values[c, channel] * wide
                d_a, d_b, d_c = areas_adjoint(area_a, area_b, area_c, d_u, d_v, d_w)
                sum_a, sum_b, sum_c = sum_a + d_a, sum_b + d_b, sum_c + d_c
                x_a, x_b, x_c = x_a + d_a * x, x_b + d_b * x, x_c + d_c * x
            _spread(a, b, c, sum_c, x_c, sum_b, x_b, y, for_a, clip, d_values, d_clip)
            _spread(b, c, a, sum_a, x_a, sum_c, x_c, y, for_b, clip, d_values, d_clip)
            _spread(c, a, b, sum_b, x_b, sum_a, x_a, y, for_c, clip, d_values, d_clip)
        begin = end


@njit(error_model="numpy", nogil=True, fastmath={"contract"}, inline="always")  # a call costs more than what it does
def _spread(
    vertex: int, following: int, last: int, ahead: float, ahead_x: float, behind: float, behind_x: float, y: float,
    sums: Floats, clip: Floats, d_values: Floats, d_clip: Floats,
) -> None:  # fmt: skip
    """Hand what a run of pixels on one face holds for a corner over to it; zeros stay behind in sums [C].

    As `pull_corner` of the bodies, summed over pixels of one row: the areas ahead of the corner and behind it enter by
    their gradients and by those times x.
    """
    for channel in range(len(sums)):
        d_values[vertex, channel] += sums[channel]
        sums[channel] = 0.0
    next_y, last_y = clip[following, 1] - y * clip[following, 3], clip[last, 1] - y * clip[last, 3]
    d_y = behind * clip[last, 0] - behind_x * clip[last, 3]
    d_y -= ahead * clip[following, 0] - ahead_x * clip[following, 3]
    d_clip[vertex, 0] += ahead * next_y - behind * last_y
    d_clip[vertex, 1] += d_y
    d_clip[vertex, 3] -= ahead_x * next_y - behind_x * last_y + y * d_y
