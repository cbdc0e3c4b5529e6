"""Views scaled down, so that many of them can be compared in a second or two: for `alike` and `sharpness`."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.nouns import Views
from invrender.nouns.coverage import coverage

Tensor = torch.Tensor

SIDE = 256  # pixels of the longer side, at most: pictures are averaged down by whole numbers
CLEAR = 0.99  # coverage of a pixel that is within the object


@dataclass(frozen=True)
class Thumbnails:
    """Small pictures.

    Attributes:
        shown: [N,h,w] float32, the mean of the colours as a display value, before black where there is a mask;
            of views without colours their masks.
        inside: [N,h,w] float32, 1 within the object and clear of its outline; everywhere in views without a mask.
    """

    shown: Tensor
    inside: Tensor


def thumbnails(views: Views) -> Thumbnails:
    """Scale views down."""
    factor = -(-max(views.cameras.size) // SIDE)
    masks = _smaller(views.masks, factor)
    if views.confidence is not None:
        masks = masks * (_smaller(views.confidence > 0, factor) > CLEAR)
    if views.images is None:
        shown = masks
    else:  # the root is nearly what a screen makes of linear light
        shown = torch.cat([_smaller(image.mean(2)[None], factor) for image in views.images]).clamp(min=0).sqrt()
        masked = masks.flatten(1).amax(1) >= 0.5
        shown = torch.where(masked[:, None, None], shown * masks, shown)  # behind an object colours mean nothing
    outside = (masks < CLEAR).float()[:, None]
    inside = 1 - torch.nn.functional.max_pool2d(
        torch.nn.functional.max_pool2d(outside, (1, 5), 1, (0, 2)), (5, 1), 1, (2, 0)
    )
    inside[masks.flatten(1).amax(1) < 0.5] = 1.0
    return Thumbnails(shown, inside[:, 0])


def halved(pictures: Tensor) -> Tensor:
    """Pictures [N,h,w] of half the size."""
    return torch.nn.functional.avg_pool2d(pictures[:, None], 2)[:, 0]


def high_pass(shown: Tensor) -> Tensor:
    """Pictures [N,h,w] without all but their finest detail: the difference from the mean of 3 x 3 pixels."""
    wide = torch.nn.functional.pad(shown[:, None], (1, 1, 1, 1), mode="replicate")
    return shown - torch.nn.functional.avg_pool2d(wide, 3, 1)[:, 0]


def _smaller(pictures: Tensor, factor: int) -> Tensor:
    """Pictures [N,H,W], or kept masks, with squares of pixels averaged, one after the other."""
    rows = [picture.float() if picture.dtype == torch.bool else coverage(picture).float() for picture in pictures]
    return torch.stack(rows if factor == 1 else [torch.nn.functional.avg_pool2d(row[None], factor)[0] for row in rows])
