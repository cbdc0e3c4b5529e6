"""Views that are blurred: by motion, or out of focus.

How much of a picture's detail is fine, beside what is four times as coarse, depends little on what is shown, but much
on blur. So each view's share is held against those of the views around it and of all; what an object without texture
shows is too little to judge by.
"""

from __future__ import annotations

import torch

from invrender.cameras.parallel import standpoints
from invrender.evaluate.thumbnails import Thumbnails, halved, high_pass
from invrender.findings import Finding
from invrender.io.files.paths import listing
from invrender.nouns import Cameras

Tensor = torch.Tensor

FEWEST = 4  # views, to tell one that is unlike the others
NEIGHBOURS = 6
BLURRED = 0.3  # of the share of fine detail that the others have,
SHARP = 0.15  # which is at least this in photographs: smooth surfaces without texture have less
LEAST_DETAIL = 0.015  # of coarse detail, in display values: below there is nothing that could be blurred
LEAST_PIXELS = 30  # within the object, of the coarse picture


def blur_findings(cameras: Cameras, names: tuple[str, ...], small: Thumbnails) -> list[Finding]:
    """What is to be said of views that are far less sharp than the others.

    Args:
        cameras, names: of N views.
        small: their colours.
    """
    share = fine_shares(small)
    told = ~share.isnan()
    if int(told.sum()) < FEWEST:
        return []
    usual = torch.minimum(share[told].median(), _around(cameras, share))
    blurred = ((share < BLURRED * usual) & (usual > SHARP)).nonzero()[:, 0].tolist()
    if not blurred:
        return []
    odd = tuple(names[i] for i in sorted(blurred, key=lambda i: float(share[i])))
    verb, them = ("is", "it") if len(odd) == 1 else ("are", "them")
    return [
        Finding(
            f"{listing(odd)} {verb} blurred beside the other views",
            f"take {them} again, or leave {them} out",
            odd,
        )
    ]


def _around(cameras: Cameras, share: Tensor) -> Tensor:
    """[N]: the median of the nearest other views of which something is known."""
    places = standpoints(cameras)
    apart = torch.cdist(places, places)
    apart.fill_diagonal_(float("inf"))
    apart[:, share.isnan()] = float("inf")
    nearest = apart.argsort(1)[:, : min(NEIGHBOURS, int((~share.isnan()).sum()) - 1)]
    return share[nearest].median(1).values


def fine_shares(small: Thumbnails) -> Tensor:
    """[N] float32: the energy of the finest detail within the object, as a share of that of four times coarser.

    NaN where there is too little detail, or too little of the object.
    """
    coarse, inside = halved(halved(small.shown)), halved(halved(small.inside)).floor()
    large = _energy(coarse, inside)
    few = inside.flatten(1).sum(1) < LEAST_PIXELS
    share = _energy(small.shown, small.inside) / large.clamp(min=1e-12)
    return torch.where((large < LEAST_DETAIL**2) | few, torch.nan, share)


def _energy(shown: Tensor, inside: Tensor) -> Tensor:
    """[N]: the mean square of the finest detail of pictures [N,h,w], within the object."""
    detail = high_pass(shown).square() * inside
    return detail.flatten(1).sum(1) / inside.flatten(1).sum(1).clamp(min=1)
