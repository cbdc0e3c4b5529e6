"""Views that say the same twice: cameras that are nearly equal, or one picture that was given two poses.

Pictures count as the same by their fine detail, which a turn of half a degree moves by a good part of a pixel. Objects
that look alike from all sides (masks of a ball, shadows of a vase) have none, and are compared by their cameras first.
"""

from __future__ import annotations

import math

import torch

from invrender.cameras.parallel import standpoints
from invrender.cameras.projection import common_point
from invrender.evaluate.thumbnails import Thumbnails, high_pass
from invrender.findings import Finding
from invrender.nouns import Cameras

Tensor = torch.Tensor

TURN = 0.25  # degrees: cameras that stand and look less apart are the same
SAME_DETAIL = 0.97  # correlation of fine detail: copies leave more, whatever their compression
LEAST_DETAIL = 0.005  # of it, in display values: below there is nothing to compare
SAME_PICTURE = 0.03  # mean difference of what two cameras in one place show, in display values
NAMED = 3  # pairs


def alike_findings(cameras: Cameras, names: tuple[str, ...], small: Thumbnails, coloured: bool) -> list[Finding]:
    """What is to be said of views that are nearly the same.

    Args:
        cameras, names: of N views.
        small: what they show.
        coloured: whether that are colours, whose detail is compared whatever the cameras.
    """
    if len(names) < 2:
        return []
    pairs = [pair for pair in _pairs(same_places(cameras)) if _alike(small.shown, *pair)]
    if coloured:
        pairs = sorted({*pairs, *_pairs(_same_detail(small))})
    return _told(pairs, names)


def same_places(cameras: Cameras) -> Tensor:
    """[N,N] bool: cameras that stand in nearly one place, as seen from what they look at, and look the same way."""
    target, _ = common_point(cameras)
    near = math.radians(TURN)
    places = standpoints(cameras)
    away = (places - target).norm(dim=1)
    axes = cameras.world_to_camera[:, :3, :3].flatten(1)
    apart = torch.cdist(places, places, compute_mode="donot_use_mm_for_euclid_dist")
    turned = torch.cdist(axes, axes, compute_mode="donot_use_mm_for_euclid_dist")
    return (apart < near * torch.minimum(away[:, None], away[None])) & (turned < math.sqrt(2) * near)


def _pairs(same: Tensor) -> list[tuple[int, int]]:
    """The pairs of a symmetric table [N,N]."""
    return [(i, j) for i, j in same.triu(1).nonzero().tolist()]


def _alike(shown: Tensor, one: int, other: int) -> bool:
    """Whether two pictures differ by little on average, where either shows something."""
    there = (shown[one] > SAME_PICTURE) | (shown[other] > SAME_PICTURE)
    off = (shown[one] - shown[other]).abs()[there]
    return len(off) == 0 or float(off.mean()) < SAME_PICTURE


def _same_detail(small: Thumbnails) -> Tensor:
    """[N,N] bool: pictures with the same fine detail where the object is."""
    detail = (high_pass(small.shown) * small.inside).flatten(1)
    strength = (detail.square().sum(1) / small.inside.flatten(1).sum(1).clamp(min=1)).sqrt()
    unit = torch.nn.functional.normalize(detail, dim=1)
    told = strength > LEAST_DETAIL
    return (unit @ unit.T > SAME_DETAIL) & told[:, None] & told[None]


def _told(pairs: list[tuple[int, int]], names: tuple[str, ...]) -> list[Finding]:
    if not pairs:
        return []
    some = ", ".join(f"{names[i]} and {names[j]}" for i, j in pairs[:NAMED])
    more = f", and {len(pairs) - NAMED} more pairs" if len(pairs) > NAMED else ""
    return [
        Finding(
            f"{some}{more} are nearly the same view",
            "leave one of each out, which tells nothing new and counts twice; where one picture was given two poses,"
            " one of them is wrong",
            tuple(dict.fromkeys(names[j] for _, j in pairs)),
        )
    ]
