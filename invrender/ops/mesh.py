"""The kernels of a backend as differentiable operations: each pair is wrapped once, here.

Every function takes the backend first and otherwise reads like the kernel in `invrender.kernels`. Faces and topology
may be anywhere: they are brought to the device of the clip positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from invrender.kernels import Backend, Size
    from invrender.nouns.topology import Topology


def rasterize(backend: Backend, clip: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Face ids [N,H,W] int64 (-1: miss) and NDC depth [N,H,W] (inf: miss) of clip positions [N,V,4]; no gradient."""
    with torch.no_grad():
        return backend.rasterize(clip.detach(), faces.to(clip.device), size)


def interpolate(backend: Backend, attributes: Tensor, faces: Tensor, face_id: Tensor, clip: Tensor) -> Tensor:
    """Perspective-correct attributes [N,H,W,C] from [V,C] or [N,V,C]; differentiable in attributes and clip."""
    result: Tensor = _Interpolate.apply(attributes, clip, faces.to(clip.device), face_id, backend)  # type: ignore[no-untyped-call]
    return result


def antialias(
    backend: Backend, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> Tensor:
    """Image [N,H,W,C] blended across silhouette edges; differentiable in image and clip."""
    mesh = (faces.to(clip.device), topology.to(clip.device))
    result: Tensor = _Antialias.apply(image, clip, face_id, depth, *mesh, backend)  # type: ignore[no-untyped-call]
    return result


def silhouette(backend: Backend, clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> Tensor:
    """Coverage [N,H,W] of clip positions [N,V,4]; differentiable in clip."""
    mesh = (faces.to(clip.device), topology.to(clip.device))
    result: Tensor = _Silhouette.apply(clip, *mesh, size, backend)  # type: ignore[no-untyped-call]
    return result


class _Interpolate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, attributes: Tensor, clip: Tensor, faces: Tensor, face_id: Tensor, backend: Backend) -> Tensor:
        ctx.save_for_backward(attributes, clip, faces, face_id)
        ctx.backend = backend
        return backend.interpolate(attributes, faces, face_id, clip)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        attributes, clip, faces, face_id = ctx.saved_tensors
        needs_grad = ctx.needs_input_grad[:2]
        return *ctx.backend.interpolate_adjoint(grad, attributes, faces, face_id, clip, needs_grad), None, None, None


class _Antialias(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        image: Tensor,
        clip: Tensor,
        face_id: Tensor,
        depth: Tensor,
        faces: Tensor,
        topology: Topology,
        backend: Backend,
    ) -> Tensor:
        ctx.save_for_backward(image, clip, face_id, depth, faces)
        ctx.topology, ctx.backend = topology, backend
        return backend.antialias(image, face_id, depth, clip, faces, topology)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        image, clip, face_id, depth, faces = ctx.saved_tensors
        d_image, d_clip = ctx.backend.antialias_adjoint(grad, image, face_id, depth, clip, faces, ctx.topology)
        return d_image, d_clip, None, None, None, None, None


class _Silhouette(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, clip: Tensor, faces: Tensor, topology: Topology, size: Size, backend: Backend) -> Tensor:
        coverage, ctx.tape = backend.silhouette_taped(clip, faces, topology, size)
        ctx.backend = backend
        return coverage

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        return ctx.backend.silhouette_adjoint(grad, ctx.tape), None, None, None, None
