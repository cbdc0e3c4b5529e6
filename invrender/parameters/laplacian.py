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

from invrender.nouns.topology import Topology

Tensor = torch.Tensor


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

    scipy's CSR product: an order of magnitude less work than the derivative of torch's sparse product.
    """
    from scipy.sparse import csr_matrix

    rows, columns = matrix.indices().numpy()
    compressed = csr_matrix((matrix.values().numpy(), (rows, columns)), shape=tuple(matrix.shape))
    return _differentiable(lambda x: torch.from_numpy(compressed @ x.numpy()))


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
