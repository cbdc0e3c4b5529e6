"""Exposures: one gain per photograph and channel under which the photographs agree on the surface's colours.

Cameras expose by themselves, and a light that stands beside the camera or the object makes one side of it brighter. A
factor per photograph explains most of either (in linear light, where exposure is a factor). The mean of all gains is
one: overall brightness cannot be told.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import Samples

Tensor = torch.Tensor

ROUNDS = 8
OUTLIER = 0.15  # relative deviation at which a sample counts half
DARKEST, BRIGHTEST = 0.02, 0.95  # linear radiance between which a sample tells a gain: neither noise nor clipped
FEWEST = 20  # samples of a photograph, below which its gain is one


def exposure_gains(samples: Samples) -> Tensor:
    """Gains [N,3] by which the linear light of photographs is to be multiplied so that they agree.

    Alternating robust least squares: a colour per point from all photographs, a gain per photograph from all points.

    Args:
        samples: what N photographs show at P points.
    """
    light = torch.from_numpy(srgb_to_linear(samples.colours.double().numpy()))
    useful = (light > DARKEST).all(-1) & (light < BRIGHTEST).all(-1)
    weight = (samples.weight.double() * useful)[..., None]
    weight = weight * ((weight > 0).sum(0) >= 2)  # points that one photograph sees say nothing
    gains = torch.ones(len(light), 3, dtype=torch.float64)
    enough = (weight[..., 0] > 0).sum(1) >= FEWEST
    robust = weight
    for _ in range(ROUNDS):
        lit = light * gains[:, None]
        mean = (robust * lit).sum(0) / robust.sum(0).clamp(min=1e-12)
        fitted = (robust * mean * light).sum(1) / (robust * light * light).sum(1).clamp(min=1e-12)
        gains = torch.where(enough[:, None], fitted, torch.ones_like(fitted))
        gains = gains / gains.log().mean(0).exp()
        apart = (light * gains[:, None] - mean) / mean.clamp(min=DARKEST)
        robust = weight / (1 + apart.square().mean(-1, keepdim=True) / OUTLIER**2)
    return gains


def exposed(photos: Photos, gains: Tensor) -> Photos:
    """The photographs with their linear light multiplied by gains [N,3]."""
    light = srgb_to_linear(photos.images.double().numpy()) * gains[:, None, None].numpy()
    return replace(photos, images=torch.from_numpy(linear_to_srgb(light)).float())
