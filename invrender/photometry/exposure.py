"""Exposures: one gain per photograph and channel under which the photographs agree on the surface's colours.

Cameras expose by themselves, and a light that stands beside the camera or the object makes one side of it brighter. A
factor per photograph explains most of either (in linear light, where exposure is a factor). The mean of all gains is
one: overall brightness cannot be told.
"""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.nouns import Views
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import Samples

Tensor = torch.Tensor

ROUNDS = 8
LOOSE = 1e-6  # share of the largest entry that ties gains to one
OUTLIER = 0.15  # relative deviation at which a sample counts half
DARKEST, BRIGHTEST = 0.02, 0.95  # linear radiance between which a sample tells a gain: neither noise nor clipped
WHOLE = 0.99  # coverage
FEWEST = 20  # samples of a photograph, below which its gain is one


def exposure_gains(samples: Samples) -> Tensor:
    """Gains [N,3] by which the linear light of photographs is to be multiplied so that they agree.

    Robust least squares of logarithms: a colour per point and a gain per photograph. Colours are eliminated, which
    leaves one equation per photograph, so that exposures may lie stops apart.

    Args:
        samples: what N photographs show at P points.
    """
    light = torch.from_numpy(srgb_to_linear(samples.colours.double().numpy()))
    useful = (light > DARKEST).all(-1) & (light < BRIGHTEST).all(-1)
    weight = (samples.weight.double() * useful)[..., None]
    weight = weight * ((weight > 0).sum(0) >= 2)  # points that one photograph sees say nothing
    weight = torch.where(((weight > 0).sum(1) >= FEWEST)[:, None], weight, 0.0)
    coded = light.clamp(min=DARKEST / 2).log()
    robust = weight.expand_as(coded)
    for _ in range(ROUNDS):
        gains = torch.stack([_solved(robust[..., c], coded[..., c]) for c in range(3)], 1)
        lit = coded + gains[:, None]
        apart = lit - (robust * lit).sum(0) / robust.sum(0).clamp(min=1e-12)
        robust = (weight / (1 + apart.square().mean(-1, keepdim=True) / OUTLIER**2)).expand_as(coded)
    return gains.exp()


def _solved(weight: Tensor, coded: Tensor) -> Tensor:
    """Log gains [N], zero in the mean, that bring logarithms of light [N,P] together under weights [N,P]."""
    share = weight / weight.sum(0).clamp(min=1e-12)
    normal = torch.diag(weight.sum(1)) - weight @ share.T
    right = (weight * ((share * coded).sum(0) - coded)).sum(1)
    tied = normal + LOOSE * normal.diagonal().max().clamp(min=1e-12) * torch.eye(len(normal), dtype=normal.dtype)
    gains = torch.linalg.solve(tied, right)
    found: Tensor = torch.where(weight.sum(1) > 0, gains - gains[weight.sum(1) > 0].mean().nan_to_num(), 0.0)
    return found


def exposed(photos: Photos, gains: Tensor) -> Photos:
    """The photographs with their linear light multiplied by gains [N,3]."""
    light = srgb_to_linear(photos.images.double().numpy()) * gains[:, None, None].numpy()
    return replace(photos, images=torch.from_numpy(linear_to_srgb(light)).float())


def drawn_gains(drawn: Tensor, views: Views) -> Tensor:
    """Gains [N,3] by which the light of views is to be multiplied to be that of pictures [N,H,W,4] drawn of them.

    Args:
        drawn: premultiplied linear RGB and coverage.
        views: N of them, with images.
    """
    assert views.images is not None
    gains = torch.ones(len(views), 3, dtype=torch.float64)
    for i, (picture, image, mask) in enumerate(zip(drawn.cpu(), views.images, views.masks, strict=True)):
        both = (picture[..., 3] > WHOLE) & (mask > WHOLE)
        both &= ((image > DARKEST) & (image < BRIGHTEST)).all(-1)
        if int(both.sum()) >= FEWEST:
            ratio = picture[..., :3][both].clamp(min=DARKEST / 2) / image[both]
            gains[i] = ratio.double().log().median(0).values.exp()
    return gains


def exposed_views(views: Views, gains: Tensor) -> Views:
    """Views with their light multiplied by gains [N,3]."""
    assert views.images is not None
    return replace(views, images=views.images * gains[:, None, None].to(views.images))


def in_their_exposure(drawn: Tensor, images: Tensor, masks: Tensor) -> Tensor:
    """Pictures [N,H,W,4] (premultiplied linear RGB, coverage) of a model, as bright as photographs of it.

    Args:
        drawn: what is made brighter or darker, each picture and channel by one factor of least squares.
        images: [N,H,W,3] linear, the photographs.
        masks: [N,H,W], how far pixels count.
    """
    weight = (masks[..., None] * drawn[..., 3:]).double()
    light, wanted = drawn[..., :3].double(), images.double()
    power = (weight * light * light).sum((1, 2), keepdim=True)
    factor = (weight * light * wanted).sum((1, 2), keepdim=True) / power.clamp(min=1e-12)
    factor = torch.where(power > 1e-9, factor, torch.ones_like(factor))
    return torch.cat([(light * factor).to(drawn.dtype), drawn[..., 3:]], -1)
