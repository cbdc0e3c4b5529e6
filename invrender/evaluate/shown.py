"""How alike two volumes look: both drawn from unseen cameras, each as it shows itself or under a transfer function.

A volume in colours, extinction and linear RGB, is known only as far as pictures show it: inside of what is opaque
anything may stand, and how much extinction makes a voxel opaque no picture tells. So its samples are not compared with
those of a reference, and less so with plain values, which come to colours through a transfer function alone. Compared
is what people see.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.cameras.volume_rigs import volume_frame
from invrender.errors import InputError
from invrender.evaluate.pictures import compared
from invrender.evaluate.volume import decibel, heldout_cameras
from invrender.kernels import Backend
from invrender.nouns import Volume
from invrender.nouns.transfer import TransferFunction
from invrender.render.emission import VolumeStyle, check_colours, render_volume
from invrender.render.images import straight

LEAST_OVERLAP = 0.5  # of the reference's box, on each axis: below that, the two are not of one thing
COLOURS = 4  # channels of a volume that shows itself


@dataclass(frozen=True)
class Shown:
    """A volume and what it is shown under.

    Attributes:
        volume: of one channel, or of four: extinction per world unit and linear RGB.
        transfer: of one channel; None: the volume has colours of its own.
    """

    volume: Volume
    transfer: TransferFunction | None = None

    @property
    def style(self) -> VolumeStyle:
        """Without lighting, as views to learn from are drawn."""
        return VolumeStyle(self.transfer, None)


@dataclass(frozen=True)
class ShownMetrics:
    """Pictures of a volume beside those of its reference, from cameras that no run learns from.

    Attributes:
        heldout_psnr: dB, over all pixels of premultiplied linear RGB and alpha, peak 1; inf where both are equal.
        heldout_psnr_worst: of the worst view.
        heldout_ssim: mean structural similarity over the object's pixels, sRGB over black (Wang et al. 2004); None
            where the reference shows nothing.
        heldout_ssim_worst: of the worst view.
        heldout_iou: of the pictures' alphas: sum of the smaller over sum of the greater.
        views, size: how many views, and their side in pixels.
    """

    heldout_psnr: float
    heldout_psnr_worst: float
    heldout_ssim: float | None
    heldout_ssim_worst: float | None
    heldout_iou: float | None
    views: int
    size: int


def shown_metrics(result: Shown, reference: Shown, backend: Backend, views: int = 8, size: int = 128) -> ShownMetrics:
    """Draw both from the same unseen cameras, around the reference, and compare the pictures.

    Raises:
        InputError: the boxes have little in common, or four channels are no extinction and colours.
    """
    _check_boxes(result.volume, reference.volume)
    for each in (result, reference):
        check_colours(each.volume)
    cameras = heldout_cameras(reference.volume, views, size)
    one, other = (
        render_volume(each.volume, cameras, each.style, backend).detach().cpu() for each in (result, reference)
    )
    errors = (one - other).double().square().flatten(1).mean(1)
    scores = compared(one, *straight(other))
    similar = [each.ssim for each in scores.each if math.isfinite(each.ssim)]
    iou = scores.mean.iou
    return ShownMetrics(
        heldout_psnr=decibel(1.0, float(errors.mean())),
        heldout_psnr_worst=decibel(1.0, float(errors.max())),
        heldout_ssim=sum(similar) / len(similar) if similar else None,
        heldout_ssim_worst=min(similar, default=None),
        heldout_iou=iou if math.isfinite(iou) else None,
        views=views,
        size=size,
    )


def _check_boxes(result: Volume, reference: Volume) -> None:
    low = torch.maximum(result.bounds[0].double(), reference.bounds[0].double())
    high = torch.minimum(result.bounds[1].double(), reference.bounds[1].double())
    sides = reference.bounds[1].double() - reference.bounds[0].double()
    longest = volume_frame(reference)[1]
    if bool(((high - low) < LEAST_OVERLAP * sides - 1e-9 * longest).any()):
        raise InputError(
            "the volumes lie in different places: less than half of the reference's box is in the result's",
            "write both with the same spacing and origin (in the same units, and both with the same patient"
            " directions)",
        )
