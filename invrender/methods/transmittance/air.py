"""Rays that miss the grid's box meet nothing, so they have to read 1: the check that finds wrong scales and boxes.

Raw counts, other bit depths, inverted images and line integrals that pass for transmittances all fail it, each view by
itself. Where no ray misses the box, pixels along the images' border stand in, if most of them agree.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from invrender.cameras.rays import camera_rays
from invrender.errors import InputError
from invrender.io.files.paths import listing
from invrender.nouns import Cameras

Tensor = torch.Tensor

FEWEST = 16  # pixels of a view that say anything
OFF = 0.03  # by which the open beam may differ from 1: flat fields drift
AGREE = 0.01  # share of their median within which most border pixels lie where they show the open beam
OUTSIDE = 0.01  # share of all absorption that may lie on rays that miss the box


@dataclass(frozen=True)
class Air:
    """What the rays of N views read that meet nothing.

    Attributes:
        readings: [N] float64 medians; NaN where a view has too few such rays.
        spread: standard deviation of single pixels, estimated robustly; NaN without any.
        outside: share of all absorption that lies on them.
    """

    readings: Tensor
    spread: float
    outside: float


def missing(cameras: Cameras, box: Tensor, cell: Tensor) -> Tensor:
    """[N,H,W] bool: pixels that, with all around them, miss a box [2,3] by more than a cell [3]."""
    low, high = box[0] - cell, box[1] + cell
    found = []
    for view in range(len(cameras)):
        rays = camera_rays(cameras[[view]])
        towards = torch.where(rays.direction == 0, 1e-300, rays.direction)
        ends = torch.stack([(low - rays.origin) / towards, (high - rays.origin) / towards])
        hit = ends.amin(0).amax(1).clamp(min=0) <= ends.amax(0).amin(1)
        near = torch.nn.functional.max_pool2d(hit.reshape(1, 1, *cameras.size).float(), 3, 1, 1)
        found.append(near[0, 0] == 0)
    return torch.stack(found)


def read_air(transmittance: Tensor, cameras: Cameras, box: Tensor, cell: Tensor) -> Air:
    """What rays [N,H,W] read that miss the box; pixels without a value are left out."""
    known = transmittance.isfinite()
    misses = missing(cameras, box, cell)
    if int((misses & known).sum()) < FEWEST:
        return _border(transmittance, known)
    chosen = misses & known
    depth = -torch.where(known & (transmittance > 0), transmittance, 1.0).clamp(1e-3, 1e3).log()
    total = float(depth.sum().abs())
    outside = float(depth[chosen].sum()) / total if total else 0.0
    return Air(_medians(transmittance, chosen), _spread(transmittance[chosen]), outside)


def _border(transmittance: Tensor, known: Tensor) -> Air:
    frame = torch.ones_like(known)
    frame[:, 1:-1, 1:-1] = False
    medians = _medians(transmittance, frame & known)
    near = (transmittance - medians[:, None, None]).abs() < AGREE * medians[:, None, None].abs().clamp(min=AGREE)
    agree = (near & frame & known).flatten(1).double().sum(1) > 0.9 * frame[0].sum()
    return Air(torch.where(agree, medians, torch.nan), torch.nan, 0.0)


def _medians(values: Tensor, chosen: Tensor) -> Tensor:
    each = [image[mask] for image, mask in zip(values, chosen, strict=True)]
    return torch.tensor([float(v.median()) if len(v) >= FEWEST else torch.nan for v in each], dtype=torch.float64)


def _spread(values: Tensor) -> float:
    return 1.4826 * float((values - values.median()).abs().median())


def check_air(air: Air, kind: str, greatest: float, deviation: float, names: Sequence[str]) -> None:
    """Refuse what reads something else than 1 where nothing is.

    Args:
        air: see `read_air`.
        kind: of the data: 'transmittance' or 'line-integral'.
        greatest: of all values.
        deviation: standard deviation of one pixel near 1.
        names: of the views.

    Raises:
        InputError: the images are on another scale, or the box does not hold what they show.
    """
    away = (air.readings - 1).abs().nan_to_num(0)
    wrong = away > OFF + deviation
    if bool(wrong.any()):
        order = [i for i in away.argsort(descending=True).tolist() if bool(wrong[i])]
        reading = float(air.readings[order[0]])
        shown = -float(torch.tensor(reading).log()) if kind == "line-integral" else reading
        raise InputError(
            f"where nothing is, {len(order)} of {len(names)} views do not read {0 if kind == 'line-integral' else 1}: "
            f"{names[order[0]]} reads {shown:.4g} ({listing([names[i] for i in order])})",
            _remedy(kind, reading, greatest),
        )
    if air.outside > OUTSIDE:
        raise InputError(
            f"{air.outside:.0%} of what absorbs lies on rays that miss the grid's box",
            "make the box hold everything that the views show: --bounds x0,y0,z0,x1,y1,z1, in the cameras' frame",
        )


def _remedy(kind: str, reading: float, greatest: float) -> str:
    if kind == "line-integral":
        return "line integrals are -ln(light / open beam): divide by the open beam (flat field) before the logarithm"
    if reading < 0.02 and greatest > 1:
        return 'these look like line integrals: write "kind": "line-integral" into transforms.json'
    if reading < 0.02:
        return "these look inverted, or like line integrals: store light behind over light before the object"
    return "divide by the open beam (flat field): raw counts, or 12 bits in 16, are no transmittances"
