"""The end of a volume's film: it turns, beside its asset or the nearest view of the input, and slices through it."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from invrender.kernels import Backend
from invrender.nouns import Cameras, Volume
from invrender.render.emission import VolumeStyle
from invrender.run.colour_views import ColourViews
from invrender.run.film import Ending
from invrender.run.mesh_views import three
from invrender.run.shots import Picture
from invrender.run.volume_turn import around, on_ground, slices, turned

Styled = tuple[Volume, VolumeStyle]


def turning(
    result: Styled, reference: Styled | None, views: ColourViews, quality: str, side: int, backend: Backend
) -> Ending:
    """A full turn of a result.

    Args:
        result, reference: volumes and how they are shown; the latter is the asset, None for a dataset.
        views: of the input, whose nearest stands beside a result without an asset.
        quality: how good it is, for people.
        side: pixels of a panel.
        backend: what draws.
    """
    framed_on = result if reference is None else reference
    cameras = around(*framed_on, side)
    alone = turned(*result, cameras, side, backend)
    if reference is None:
        first = nearest(views, cameras)
    else:
        first = [(picture, "the asset") for picture in turned(*reference, cameras, side, backend)]
    return staged(first, alone, result[0], views, quality, side)


def staged(
    first: Sequence[tuple[Picture, str]], alone: Sequence[Picture], volume: Volume, views: ColourViews,
    quality: str, side: int,
) -> Ending:  # fmt: skip
    """A turn: labelled pictures, those of the result, and slices through its volume, in frames of one size."""
    shape = views.shown.panel_shape(side)
    cuts, frames = slices(volume, len(alone), side), []
    for k, (picture, label) in enumerate(first):
        left, middle, right = (on_ground(each, shape) for each in (picture, alone[k], cuts[k]))
        labels = (label, "the result", f"its slice across z, {k + 1} of {len(alone)}")
        frames.append(three((left, middle, right), labels, "the result", quality, side))
    return Ending(frames, alone)


def told(scores: Sequence[float]) -> str:
    """The mean of PSNR by view, for people."""
    known = [score for score in scores if math.isfinite(score)]
    return f"PSNR {sum(known) / len(known):.1f} dB, mean of all views" if known else ""


def nearest(views: ColourViews, cameras: Cameras) -> list[tuple[Picture, str]]:
    """For each camera the view of the input from the nearest direction, and its label."""
    ways, own = (torch.linalg.inv(each.world_to_camera)[:, :3, 2] for each in (cameras, views.shown.cameras))
    numbers = (ways @ own.T).argmax(1).tolist()
    found = {}
    for number in set(numbers):
        seat = views.shown.seat(number)
        found[number] = (views.target(seat), f"nearest {seat.label}")
    return [found[number] for number in numbers]
