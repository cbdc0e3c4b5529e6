"""Normals of vertices, differentiable with the vertices.

Compiled, with the adjoint written out: where torch gathers and scatters the corners of the faces one after another,
each step of a descent spends as long on normals as on drawing.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from invrender.geometry.triples import Triple, area_vector, cross, minus, point
from invrender.geometry.vectors import Floats, Ints
from invrender.jit import body, kernel

Tensor = torch.Tensor

TINY = 1e-30  # twice the area of faces around a vertex below which it has no normal


def smooth_normals(vertices: Tensor, faces: Tensor) -> Tensor:
    """Area-weighted unit normals [V,3] of vertices [V,3] float64 and faces [F,3]; about 0 where no face has an area."""
    found: Tensor = _SmoothNormals.apply(vertices, faces)  # type: ignore[no-untyped-call]
    return found


class _SmoothNormals(torch.autograd.Function):
    """The unit vectors along sums of the faces' area vectors."""

    @staticmethod
    def forward(ctx: Any, vertices: Tensor, faces: Tensor) -> Tensor:
        total = np.zeros((len(vertices), 3))
        positions, corners = vertices.detach().contiguous().numpy(), faces.numpy()
        _sum_areas(positions, corners, total)
        ctx.arrays = positions, corners, total
        return torch.from_numpy(total / _lengths(total))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        positions, corners, total = ctx.arrays
        result = np.zeros_like(positions)
        length = _lengths(total)
        normal, given = total / length, grad.contiguous().numpy()
        across = (given - (given * normal).sum(1, keepdims=True) * normal) / length
        _spread_areas(positions, corners, across, result)
        return torch.from_numpy(result), None


def _lengths(total: Floats) -> Floats:
    found: Floats = np.sqrt(np.einsum("vk,vk->v", total, total))[:, None]
    return found.clip(TINY)


@kernel
def _sum_areas(vertices: Floats, faces: Ints, total: Floats) -> None:
    """Add to `total` [V,3] twice the area vector of every face at its corners."""
    for face in range(len(faces)):
        i, j, k = faces[face, 0], faces[face, 1], faces[face, 2]
        area = area_vector(point(vertices, i), point(vertices, j), point(vertices, k))
        _add(total, i, area)
        _add(total, j, area)
        _add(total, k, area)


@kernel
def _spread_areas(vertices: Floats, faces: Ints, across: Floats, result: Floats) -> None:
    """Add to `result` [V,3] the adjoint of `_sum_areas` at a gradient `across` [V,3].

    With the sum s of the corners' gradients, (b - a) x (c - a) . s has the gradient (c - a) x s with b and s x (b - a)
    with c; that with a is what both lack to 0.
    """
    for face in range(len(faces)):
        i, j, k = faces[face, 0], faces[face, 1], faces[face, 2]
        a, g, h = point(across, i), point(across, j), point(across, k)
        s = (a[0] + g[0] + h[0], a[1] + g[1] + h[1], a[2] + g[2] + h[2])
        corner = point(vertices, i)
        second = cross(minus(point(vertices, k), corner), s)
        third = cross(s, minus(point(vertices, j), corner))
        _add(result, j, second)
        _add(result, k, third)
        _add(result, i, (-second[0] - third[0], -second[1] - third[1], -second[2] - third[2]))


@body
def _add(rows: Floats, at: int, value: Triple) -> None:
    for c in range(3):
        rows[at, c] += value[c]
