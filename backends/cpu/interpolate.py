"""Perspective-correct interpolation on the CPU, over bands of rows, and its adjoint, over views."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numba import njit
from numpy.typing import NDArray

from invrender.backends.bodies.weights import areas, areas_adjoint, areas_from, centre_x, centre_y, fractions, weights
from invrender.backends.cpu.arrays import packed_faces, to_numpy
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.memory import empty, zeros
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel
from invrender.kernels import BOTH, NeedsGrad

Tensor = torch.Tensor

contracted = njit(error_model="numpy", nogil=True, fastmath={"contract"})
"""For gradients: products may be fused with sums, since nothing is decided by their last bit."""

BAND = 64  # rows
GROUP = 16  # views whose gradients of shared attributes are held at once; fixed, so that sums do not depend on threads


def interpolate(attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> Tensor:
    """[N,H,W,C] from attributes [V,C] or [N,V,C]; see the torch backend's `interpolate`.

    Raises:
        InputError: a face names a vertex that does not exist.
    """
    triangles = packed_faces(faces, clip.shape[1])
    values = attributes if attributes.dim() == 3 else attributes[None]
    image = empty((*face_id.shape, attributes.shape[-1]), attributes.dtype)
    arrays = (to_numpy(values), triangles, to_numpy(face_id), to_numpy(clip), image.numpy())
    parallel_for(partial(_forward, *arrays), len(face_id) * -(-face_id.shape[1] // BAND))
    return image


def interpolate_adjoint(
    grad: Tensor, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor, needs_grad: NeedsGrad = BOTH
) -> tuple[Tensor | None, Tensor | None]:
    """d attributes (their shape) and d clip [N,V,4] from d image [N,H,W,C], None where not asked for."""
    triangles = packed_faces(faces, clip.shape[1])
    values = attributes if attributes.dim() == 3 else attributes[None]
    shared = needs_grad[0] and len(values) < len(clip)  # then the views' shares are added up here
    d_values = (zeros if shared else empty)(tuple(values.shape), values.dtype)
    d_clip = empty(tuple(clip.shape), clip.dtype)
    inputs = (to_numpy(grad.to(attributes.dtype)), to_numpy(values), triangles, to_numpy(face_id), to_numpy(clip))
    for begin in range(0, len(clip), GROUP if shared else max(len(clip), 1)):
        end = min(begin + GROUP, len(clip)) if shared else len(clip)
        rows = empty((end - begin, *values.shape[1:]), values.dtype) if shared else d_values
        parallel_for(partial(_adjoint, *inputs, *needs_grad, rows.numpy(), d_clip.numpy(), begin, end), end - begin)
        if shared:
            d_values += rows.sum(0)
    return d_values.reshape(attributes.shape) if needs_grad[0] else None, d_clip if needs_grad[1] else None


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
        raw_a, raw_b, raw_c, _ = fractions(area_a, area_b, area_c)
        wide_u, wide_v, wide_w = weights(raw_a, raw_b, raw_c)
        u, v, w = dtype(wide_u), dtype(wide_v), dtype(wide_w)
        for channel in range(channels):
            image[column, channel] = u * values[a, channel] + v * values[b, channel] + w * values[c, channel]


@kernel
def _adjoint(
    grad: Floats, values: Floats, faces: Ints, face_id: NDArray[np.int64], clip: Floats, of_values: bool, of_clip: bool,
    d_values: Floats, d_clip: Floats, begin: int, end: int, first: int, step: int,
) -> None:  # fmt: skip
    """Views begin + first, begin + first + step, ... below end; d_values has a row for each view from begin on.

    The gradients that are asked for are set to zero first; in that case each view has a row of d_values of its own.
    """
    height = face_id.shape[1]
    for view in range(begin + first, end, step):
        own, positions = values[view % len(values)], clip[view]
        d_own, d_positions = d_values[(view - begin) % len(d_values)], d_clip[view]
        if of_values:
            d_own[:] = 0.0
        if of_clip:
            d_positions[:] = 0.0
        for row in range(height):
            given = (grad[view, row], own, faces, face_id[view, row], positions, centre_y(row, height))
            _row_adjoint(*given, of_values, of_clip, d_own, d_positions)


@contracted
def _row_adjoint(
    grad: Floats, values: Floats, faces: Ints, face_id: NDArray[np.int64], clip: Floats, y: float, of_values: bool,
    of_clip: bool, d_values: Floats, d_clip: Floats,
) -> None:  # fmt: skip
    """The adjoint of a row of pixels, as `pixel_adjoint` of the bodies.

    Over a run of pixels on one face, the gradients of its areas, and these times x, are summed up before the corners'
    positions get them.
    """
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
            aw, bw, cw = np.float64(clip[a, 3]), np.float64(clip[b, 3]), np.float64(clip[c, 3])
            ax, bx, cx = np.float64(clip[a, 0]), np.float64(clip[b, 0]), np.float64(clip[c, 0])
            ay, by, cy = clip[a, 1] - y * aw, clip[b, 1] - y * bw, clip[c, 1] - y * cw
            sum_a = sum_b = sum_c = x_a = x_b = x_c = 0.0
            for column in range(begin, end):
                x = centre_x(column, width)
                area_a, area_b, area_c = areas_from(ax - x * aw, ay, bx - x * bw, by, cx - x * cw, cy)
                raw_a, raw_b, raw_c, per_total = fractions(area_a, area_b, area_c)
                if of_values:
                    wide_u, wide_v, wide_w = weights(raw_a, raw_b, raw_c)
                    u, v, w = dtype(wide_u), dtype(wide_v), dtype(wide_w)
                    for channel in range(channels):
                        g = grad[column, channel]
                        d_values[a, channel] += u * g
                        d_values[b, channel] += v * g
                        d_values[c, channel] += w * g
                if of_clip:
                    d_v = d_w = dtype(0.0)
                    for channel in range(channels):
                        g, value = grad[column, channel], values[a, channel]
                        d_v += (values[b, channel] - value) * g
                        d_w += (values[c, channel] - value) * g
                    given = (raw_a, raw_b, raw_c, per_total, 0.0, np.float64(d_v), np.float64(d_w))
                    d_a, d_b, d_c = areas_adjoint(*given)
                    sum_a, sum_b, sum_c = sum_a + d_a, sum_b + d_b, sum_c + d_c
                    x_a, x_b, x_c = x_a + d_a * x, x_b + d_b * x, x_c + d_c * x
            if of_clip:
                _corner_adjoint(a, bx, by, bw, cx, cy, cw, sum_c, x_c, sum_b, x_b, y, d_clip)
                _corner_adjoint(b, cx, cy, cw, ax, ay, aw, sum_a, x_a, sum_c, x_c, y, d_clip)
                _corner_adjoint(c, ax, ay, aw, bx, by, bw, sum_b, x_b, sum_a, x_a, y, d_clip)
        begin = end


@njit(error_model="numpy", nogil=True, fastmath={"contract"}, inline="always")  # a call costs more than what it does
def _corner_adjoint(
    vertex: int, next_x: float, next_y: float, next_w: float, last_x: float, last_y: float, last_w: float,
    grad_next: float, grad_next_x: float, grad_last: float, grad_last_x: float, y: float, d_clip: Floats,
) -> None:  # fmt: skip
    """Add the gradient of a corner's position from a run of pixels on one face.

    next_x ... last_w: the two other corners, with y relative to the row. grad_next, grad_next_x: of the area that the
    corner spans with the next one, the sums of its gradient and of that times x; grad_last, grad_last_x: likewise.
    """
    dtype = d_clip.dtype.type
    d_y = grad_last * last_x - grad_last_x * last_w - grad_next * next_x + grad_next_x * next_w
    d_clip[vertex, 0] += dtype(grad_next * next_y - grad_last * last_y)
    d_clip[vertex, 1] += dtype(d_y)
    d_clip[vertex, 3] -= dtype(grad_next_x * next_y - grad_last_x * last_y + y * d_y)
