"""Regularisers of a surface where no view constrains it: membrane and bending energies."""

from __future__ import annotations

from collections.abc import Callable

import torch

Tensor = torch.Tensor


def membrane(vertices: Tensor, laplacian_vertices: Tensor) -> Tensor:
    """1/12 tr(V' L V) with the uniform Laplacian: on an isotropic mesh 0.29 times the surface's area.

    Its gradient descent is curvature flow, which shrinks the excess volume of a visual hull.
    """
    return (vertices * laplacian_vertices).sum() / 12


def membrane_gradient(laplacian_vertices: Tensor) -> Tensor:
    """The gradient of `membrane` with the vertices, [V,3]."""
    return laplacian_vertices / 6


def bending(laplacian_vertices: Tensor, degree: Tensor) -> Tensor:
    """1/2 sum_i |(L v)_i / degree_i|^2: the umbrella vectors, which vanish on a flat, evenly triangulated surface."""
    return (laplacian_vertices / degree[:, None]).square().sum() / 2


def bending_gradient(laplacian_vertices: Tensor, degree: Tensor, laplacian: Callable[[Tensor], Tensor]) -> Tensor:
    """The gradient of `bending` with the vertices, [V,3]; `laplacian` multiplies with L, which is symmetric."""
    return laplacian(laplacian_vertices / degree.square()[:, None])
