"""Compositing as one differentiable operation: rays through a volume to colour and transmittance."""

from __future__ import annotations

from typing import Any

import torch

from invrender.kernels import VolumeKernels
from invrender.volume.march import Rules, Walk

Tensor = torch.Tensor


def composite(kernels: VolumeKernels, grid: Tensor, walk: Walk, table: Tensor | None, rules: Rules) -> Tensor:
    """RGB and transmittance [R,4] of a grid [D,H,W,C]; differentiable in grid and table, in constant memory per ray."""
    result: Tensor = _Composite.apply(grid, table, walk, rules, kernels)  # type: ignore[no-untyped-call]
    return result


class _Composite(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, grid: Tensor, table: Tensor | None, walk: Walk, rules: Rules, kernels: VolumeKernels
    ) -> Tensor:
        result = kernels.composite(grid, walk, table, rules)
        ctx.save_for_backward(result, grid, table)
        ctx.walk, ctx.rules, ctx.kernels = walk, rules, kernels
        return result

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        result, grid, table = ctx.saved_tensors
        d_grid, d_table = ctx.kernels.composite_adjoint(grad, result, grid, ctx.walk, table, ctx.rules)
        return d_grid, d_table, None, None, None
