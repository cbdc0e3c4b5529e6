"""Rays through volumes as differentiable operations: compositing and exact line integrals."""

from __future__ import annotations

from typing import Any

import torch

from invrender.errors import BackendError
from invrender.kernels import Backend
from invrender.kernels.compositing import RaySamples, Rules

Tensor = torch.Tensor


def composite(backend: Backend, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> Tensor:
    """RGB and transmittance [R,4] of a grid [D,H,W,C]; differentiable in grid and table, in constant memory per ray.

    Raises:
        BackendError: the rays or their lighting require a gradient: no backend has it.
    """
    lights = () if rules.shade is None else (rules.shade.lights,)
    if torch.is_grad_enabled() and any(
        part.requires_grad for part in (samples.start, samples.step, samples.length, *lights)
    ):
        raise BackendError(
            f"the {backend.name} backend has no gradient of composited colours with the cameras",
            "detach the cameras, or draw transmittance (`--mode transmittance`), which has one with the torch backend",
        )
    result: Tensor = _Composite.apply(grid, table, samples, rules, backend)  # type: ignore[no-untyped-call]
    return result


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, grid: Tensor, table: Tensor | None, samples: RaySamples, rules: Rules, backend: Backend
    ) -> Tensor:
        result = backend.composite(grid, samples, table, rules)
        ctx.save_for_backward(result, grid, table)
        ctx.samples, ctx.rules, ctx.backend = samples, rules, backend
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        result, grid, table = ctx.saved_tensors
        d_grid, d_table = ctx.backend.composite_adjoint(grad, result, grid, ctx.samples, table, ctx.rules)
        return d_grid, d_table, None, None, None


def line_integral(backend: Backend, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    """Exact optical depths [R] of a grid [D,H,W] along rays [R,3]; differentiable in grid and, with torch's, in rays.

    Raises:
        BackendError: rays require a gradient, and the backend has none for them.
    """
    result: Tensor = _LineIntegral.apply(grid, origin, direction, bounds, backend)  # type: ignore[no-untyped-call]
    return result


class _LineIntegral(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, grid: Tensor, origin: Tensor, direction: Tensor, bounds: Tensor, backend: Backend) -> Tensor:
        ctx.save_for_backward(grid, origin, direction, bounds)
        ctx.backend = backend
        return backend.line_integral(grid, bounds, origin, direction)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        grid, origin, direction, bounds = ctx.saved_tensors
        d_grid, d_origin, d_direction = ctx.backend.line_integral_adjoint(grad, grid, bounds, origin, direction)
        if d_origin is None and any(ctx.needs_input_grad[1:3]):
            raise BackendError(
                f"the {ctx.backend.name} backend has no gradient of line integrals with the rays", "use --backend torch"
            )
        return d_grid, d_origin, d_direction, None, None
