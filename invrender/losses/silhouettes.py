"""What reconstruction minimises: misfit and overlap of silhouettes.

All terms are areas or free of units in the normalised frame, so that their weights mean the same at every image size,
distance and triangle count.
"""

from __future__ import annotations

import torch

Tensor = torch.Tensor


def silhouette_misfit(coverage: Tensor, masks: Tensor, weight: Tensor, confidence: Tensor | None = None) -> Tensor:
    """Squared misfit of silhouettes; an area averaged over the views where weight_n = pixel_n^2 / N.

        sum_n weight_n sum_p confidence (coverage - mask)^2

    Args:
        coverage, masks: [N,H,W] in [0, 1].
        weight: [N]; pixel_n is the size of a pixel at the object in units of length.
        confidence: [N,H,W] in [0, 1], how much a pixel counts; None: all count alike.
    """
    return (_believed((coverage - masks).square(), confidence).sum((1, 2)) * weight).sum()


def silhouette_misfit_gradient(
    coverage: Tensor, masks: Tensor, weight: Tensor, confidence: Tensor | None = None
) -> Tensor:
    """Gradient [N,H,W] of `silhouette_misfit` with the coverage."""
    return _believed(2 * weight[:, None, None] * (coverage - masks), confidence)


def soft_iou(coverage: Tensor, masks: Tensor, confidence: Tensor | None = None) -> Tensor:
    """Intersection over union [N] of coverages [N,H,W]: sum of minima over sum of maxima; 1 for two empty views.

    With confidence [N,H,W], pixels count by it in both sums.
    """
    common = _believed(torch.minimum(coverage, masks), confidence).sum((1, 2))
    joint = _believed(torch.maximum(coverage, masks), confidence).sum((1, 2))
    return torch.where(joint > 0, common / joint.clamp(min=1e-12), torch.ones_like(joint))


def _believed(values: Tensor, confidence: Tensor | None) -> Tensor:
    return values if confidence is None else values * confidence
