"""What reconstruction minimises: misfit and overlap of silhouettes.

All terms are areas or free of units in the normalised frame, so that their weights mean the same at every image size,
distance and triangle count.
"""

from __future__ import annotations

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
