"""Perspective-correct interpolation on a GPU, one thread per pixel, and its adjoint by atomic sums."""

from __future__ import annotations

from typing import Any

import torch
from numba import cuda

from invrender.backends.cuda.bodies import weights as bodies
from invrender.backends.cuda.launch import launch, packed_faces
from invrender.backends.cuda.target import kernel
from invrender.kernels import BOTH, NeedsGrad

Tensor = torch.Tensor

areas, fractions, weights, pixel_adjoint = bodies.areas, bodies.fractions, bodies.weights, bodies.pixel_adjoint
centre_x, centre_y = bodies.centre_x, bodies.centre_y


def interpolate(attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> Tensor:
    """[N,H,W,C] from attributes [V,C] or [N,V,C]; see the torch backend's `interpolate`."""
    values = (attributes if attributes.dim() == 3 else attributes[None]).contiguous()
    image = values.new_empty(*face_id.shape, values.shape[-1])
    inputs = (values, packed_faces(faces, clip.shape[1]), face_id.contiguous(), clip.contiguous())
    launch(_forward, face_id.numel(), *inputs, image)
    return image


def interpolate_adjoint(
    grad: Tensor, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor, needs_grad: NeedsGrad = BOTH
) -> tuple[Tensor | None, Tensor | None]:
    """d attributes (their shape) and d clip [N,V,4] from d image [N,H,W,C], None where not asked for."""
    values = (attributes if attributes.dim() == 3 else attributes[None]).contiguous()
    d_values = torch.zeros_like(values)
    d_clip = torch.zeros_like(clip, memory_format=torch.contiguous_format)
    inputs = (
        grad.to(values.dtype).contiguous(),
        values,
        packed_faces(faces, clip.shape[1]),
        face_id.contiguous(),
        clip.contiguous(),
    )
    launch(_adjoint, face_id.numel(), *inputs, *needs_grad, d_values, d_clip)
    return d_values.reshape(attributes.shape) if needs_grad[0] else None, d_clip if needs_grad[1] else None


@kernel
def _forward(values: Any, faces: Any, face_id: Any, clip: Any, image: Any) -> None:
    i = cuda.grid(1)
    views, height, width = face_id.shape
    if i >= views * height * width:
        return
    view, row, column = i // (height * width), i // width % height, i % width
    face = face_id[view, row, column]
    if face < 0:
        for channel in range(image.shape[3]):
            image[view, row, column, channel] = 0.0
        return
    a, b, c = faces[face, 0], faces[face, 1], faces[face, 2]
    area_a, area_b, area_c = areas(clip[view], a, b, c, centre_x(column, width), centre_y(row, height))
    raw_a, raw_b, raw_c, _ = fractions(area_a, area_b, area_c)
    u, v, w = weights(raw_a, raw_b, raw_c)
    own = values[view % values.shape[0]]
    for channel in range(image.shape[3]):
        image[view, row, column, channel] = u * own[a, channel] + v * own[b, channel] + w * own[c, channel]


@kernel
def _adjoint(
    grad: Any, values: Any, faces: Any, face_id: Any, clip: Any, of_values: bool, of_clip: bool, d_values: Any,
    d_clip: Any,
) -> None:  # fmt: skip
    i = cuda.grid(1)
    views, height, width = face_id.shape
    if i >= views * height * width:
        return
    view, row, column = i // (height * width), i // width % height, i % width
    face = face_id[view, row, column]
    if face >= 0:
        own = view % values.shape[0]
        pixel_adjoint(
            grad[view], row, column, values[own], clip[view], faces[face, 0], faces[face, 1], faces[face, 2],
            centre_x(column, width), centre_y(row, height), of_values, of_clip, d_values[own], d_clip[view],
        )  # fmt: skip
