"""What reconstruction minimises: misfit of silhouettes, and what keeps a surface calm where no view decides.

All terms are areas or free of units in the normalised frame, so that their weights mean the same at every image size,
distance and triangle count.
"""

from __future__ import annotations

from collections.abc import Callable

import torch

Tensor = torch.Tensor


def silhouette_misfit(coverage: Tensor, masks: Tensor, weight: Tensor) -> Tensor:
    """Squared misfit of silhouettes; an area averaged over the views where weight_n = pixel_n^2 / N.

        sum_n weight_n sum_p (coverage - mask)^2

    Args:
        coverage, masks: [N,H,W] in [0, 1].
        weight: [N]; pixel_n is the size of a pixel at the object in units of length.
    """
    return ((coverage - masks).square().sum((1, 2)) * weight).sum()


def soft_iou(coverage: Tensor, masks: Tensor) -> Tensor:
    """Intersection over union [N] of coverages [N,H,W]: sum of minima over sum of maxima; 1 for two empty views."""
    common = torch.minimum(coverage, masks).sum((1, 2))
    joint = torch.maximum(coverage, masks).sum((1, 2))
    return torch.where(joint > 0, common / joint.clamp(min=1e-12), torch.ones_like(joint))


def membrane(vertices: Tensor, laplacian_vertices: Tensor) -> Tensor:
    """1/12 tr(V' L V) with the uniform Laplacian: on an isotropic mesh 0.29 times the surface's area.

    Its descent is curvature flow: it takes off what a visual hull has too much.
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
