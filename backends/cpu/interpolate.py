"""Perspective-correct interpolation on the CPU, over bands of rows, and its adjoint, over views."""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.weights import areas, centre_x, centre_y, pull_pixel, weights
from invrender.backends.cpu.arrays import packed_faces, to_numpy, zeros
from invrender.backends.cpu.compile import kernel
from invrender.backends.cpu.contour import Floats, Ints
from invrender.backends.cpu.threads import spread

Tensor = torch.Tensor

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
    views, height, width = face_id.shape
    bands = -(-height // BAND)
    for item in range(first, views * bands, step):
        view, top = item // bands, item % bands * BAND
        own, positions = values[view % len(values)], clip[view]
        for row in range(top, min(top + BAND, height)):
            y = centre_y(row, height)
            for column in range(width):
                face = face_id[view, row, column]
                if face < 0:
                    for channel in range(image.shape[3]):
                        image[view, row, column, channel] = 0.0
                    continue
                a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
                area_a, area_b, area_c = areas(positions, a, b, c, centre_x(column, width), y)
                u, v, w = weights(area_a, area_b, area_c)
                for channel in range(image.shape[3]):
                    image[view, row, column, channel] = u * own[a, channel] + v * own[b, channel] + w * own[c, channel]


@kernel
def _adjoint(
    grad: Floats, values: Floats, faces: Ints, face_id: NDArray[np.int64], clip: Floats, d_values: Floats,
    d_clip: Floats, begin: int, end: int, first: int, step: int,
) -> None:  # fmt: skip
    """Views begin + first, begin + first + step, ... below end; d_values has a row for each view from begin on."""
    _, height, width = face_id.shape
    for view in range(begin + first, end, step):
        own, d_own, positions = values[view % len(values)], d_values[view - begin], clip[view]
        pulls, d_positions = grad[view], d_clip[view]  # slices cost more than a pixel: none in the loop
        for row in range(height):
            for column in range(width):
                face = face_id[view, row, column]
                if face >= 0:
                    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
                    x, y = centre_x(column, width), centre_y(row, height)
                    pull_pixel(pulls, row, column, own, positions, a, b, c, x, y, d_own, d_positions)
