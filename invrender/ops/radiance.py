"""Light transport as a differentiable operation: what rays see of a scene, by any backend's pair of kernels."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import torch

from invrender.kernels import Backend
from invrender.kernels.radiance import FLOOR, RadianceGradient, SceneArrays, Transport

Tensor = torch.Tensor

_RAYS = ("origin", "direction")
_FREE = tuple(field.name for field in fields(RadianceGradient) if field.name not in _RAYS)


def radiance(
    backend: Backend, scene: SceneArrays, origin: Tensor, direction: Tensor, seed: int, transport: Transport
) -> Tensor:
    """What rays [R,3] of the scene's frame see: [R,4], linear RGB, and 1 where they meet something.

    Differentiable in the scene's materials, texels, colours, lights, environment, ambient and backdrop, and in the
    rays, for the same random numbers, and in extinction, albedo, asymmetry and emission of its medium; memory does not
    grow with depth. How edges of things and shadows move is not part of it; see `render.edges`. Rays have no gradient
    where there is a medium.

    Args:
        backend: whose kernels; all tensors live on its device.
        scene: see `SceneArrays`.
        origin, direction: [R,3]; directions unit.
        seed: of the random numbers; those of a ray depend on it and on the ray's number alone.
        transport: which light is followed.
    """
    if torch.is_grad_enabled() and scene.extinction.requires_grad and transport.floor < FLOOR:
        transport = replace(transport, floor=FLOOR)
    free = [getattr(scene, name) for name in _FREE]
    result: Tensor = _Radiance.apply(backend, scene, seed, transport, origin, direction, *free)  # type: ignore[no-untyped-call]
    return result


class _Radiance(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, backend: Backend, scene: SceneArrays, seed: int, transport: Transport, *tensors: Tensor
    ) -> Tensor:
        plain = SceneArrays(**{name: value.detach() for name, value in vars(scene).items()})
        result = backend.radiance(plain, tensors[0], tensors[1], seed, transport)
        ctx.save_for_backward(result, *tensors[:2])
        ctx.given = (backend, plain, seed, transport)
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        result, origin, direction = ctx.saved_tensors
        backend, scene, seed, transport = ctx.given
        names = _RAYS + _FREE
        needs = frozenset(name for name, asked in zip(names, ctx.needs_input_grad[4:], strict=True) if asked)
        found = backend.radiance_adjoint(grad, scene, origin, direction, seed, transport, result, needs)
        gradients = (getattr(found, name) if name in needs else None for name in names)
        return (None, None, None, None, *gradients)
