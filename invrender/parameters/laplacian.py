"""Uniform Laplacians of triangle meshes, as sparse matrices, as products and as factorised solves.

    (L v)_i = sum over neighbours j of (v_i - v_j)

L is symmetric and positive semi-definite. On an isotropic mesh its quadratic form 1/2 tr(V' L V) is, up to a constant,
the surface area, whatever the edge length.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.jit import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Floats = NDArray[np.float64]


def degrees(topology: Topology, vertices: int) -> Tensor:
    """The number of neighbours of every vertex, [V] float64; 1 where there is none, so that one may divide."""
    return torch.bincount(torch.cat(_pairs(topology, vertices)), minlength=vertices).double().clamp(min=1)


def uniform_laplacian(topology: Topology, vertices: int) -> Tensor:
    """L [V,V] float64, sparse COO; each edge counts once, however many faces meet there."""
    a, b = _pairs(topology, vertices)
    every = torch.arange(vertices)
    rows, columns = torch.cat([a, b, every]), torch.cat([b, a, every])
    degree = torch.bincount(torch.cat([a, b]), minlength=vertices).double()
    values = torch.cat([-torch.ones(2 * len(a), dtype=torch.float64), degree])
    return torch.sparse_coo_tensor(
        torch.stack([rows, columns]), values, (vertices, vertices), check_invariants=True
    ).coalesce()


def _pairs(topology: Topology, vertices: int) -> tuple[Tensor, Tensor]:
    """The two ends of every edge, each edge once."""
    key = torch.unique(topology.edges[:, 0] * vertices + topology.edges[:, 1])
    return key // vertices, key % vertices


def product(matrix: Tensor) -> Callable[[Tensor], Tensor]:
    """A function that multiplies the symmetric `matrix` (COO) with x [V,C] float64; differentiable in x.

    Compiled: an order of magnitude less work than the derivative of torch's sparse product.
    """
    rows, columns = matrix.indices().numpy()
    start = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(matrix)))]).astype(np.uint32)
    parts = (start, columns.astype(np.uint32), matrix.values().numpy())

    def multiply(x: Tensor) -> Tensor:
        result = np.empty(tuple(x.shape))
        _multiply(*parts, np.ascontiguousarray(x.detach().numpy()), result)
        return torch.from_numpy(result)

    return _differentiable(multiply)


@kernel
def _multiply(
    start: NDArray[np.uint32], columns: NDArray[np.uint32], values: Floats, x: Floats, result: Floats
) -> None:
    """result = A x of a matrix by rows (CSR) with x [V,C]."""
    for i in range(len(result)):
        for c in range(x.shape[1]):
            total = 0.0
            for k in range(start[i], start[i + 1]):
                total += values[k] * x[columns[k], c]
            result[i, c] = total


def factorised(matrix: Tensor) -> Callable[[Tensor], Tensor]:
    """A function that solves `matrix` x = b for b [V,C] float64; differentiable in b.

    `matrix` is symmetric positive definite, COO. Sparse Cholesky (cholespy), factorised once.
    """
    from cholespy import CholeskySolverD, MatrixType

    rows, columns = matrix.indices().int().numpy()
    solver = CholeskySolverD(len(matrix), rows, columns, matrix.values().numpy(), MatrixType.COO)

    def solve(right: Tensor) -> Tensor:
        b = np.ascontiguousarray(right.numpy())
        x = np.empty_like(b)
        solver.solve(b, x)
        return torch.from_numpy(x)

    return _differentiable(solve)


def _differentiable(function: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    def apply(x: Tensor) -> Tensor:
        if not x.requires_grad:
            return function(x)
        result: Tensor = _SelfAdjoint.apply(x, function)  # type: ignore[no-untyped-call]
        return result

    return apply


class _SelfAdjoint(torch.autograd.Function):
    """A symmetric linear map: its adjoint is itself."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
        ctx.function = function
        return function(x)

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return ctx.function(grad), None
