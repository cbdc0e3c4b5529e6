"""What is in a volume, or in images of one: the facts that `invrender inspect` prints."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.io.datasets.transmittance import TransmittanceViews
from invrender.nouns import Volume

Triple = tuple[float, float, float]


@dataclass(frozen=True)
class VolumeFacts:
    """Facts about a volume; lengths in its own units.

    Attributes:
        channels: values per sample.
        samples: along x, y, z.
        low, high, extent: of the box from the first to the last sample.
        spacing: between samples along x, y, z.
        least, greatest, mean: of the first channel.
        percentiles: 50, 90, 99 and 99.9 of the first channel.
        empty: share of the samples that are exactly 0.
        negative: how many samples lie below 0 (which no density does).
        occupied: [low, high] corners of the box that holds all samples other than 0, or None.
        on_border: the greatest magnitude on the box's faces, as a share of the greatest of all.
        bytes: of the values in memory, as float32.
        units: of length, where the file says so.
        turned: degrees between the grid's axes and those of its file's world, at the most; 0: upright.
        placement: [3,4], from the grid's own frame, which bounds are in, to that world; None: both are one.
    """

    channels: int
    samples: tuple[int, int, int]
    low: Triple
    high: Triple
    extent: Triple
    spacing: Triple
    least: float
    greatest: float
    mean: float
    percentiles: tuple[float, float, float, float]
    empty: float
    negative: int
    occupied: tuple[Triple, Triple] | None
    on_border: float
    bytes: int
    units: str | None
    turned: float
    placement: tuple[tuple[float, ...], ...] | None


def volume_facts(volume: Volume) -> VolumeFacts:
    """Measure a volume."""
    values = volume.values[0]
    low, high = volume.bounds.double()
    counts = torch.tensor(values.shape[::-1], dtype=torch.float64)
    spacing = (high - low) / (counts - 1)
    ordered = values.flatten().sort().values
    at = [min(len(ordered) - 1, round(share * (len(ordered) - 1))) for share in (0.5, 0.9, 0.99, 0.999)]
    p50, p90, p99, p999 = (float(ordered[i]) for i in at)
    magnitude = values.abs()
    inner = magnitude.clone()
    inner[1:-1, 1:-1, 1:-1] = 0
    filled = torch.nonzero(values)
    occupied = None
    if len(filled):
        first, last = filled.amin(0).flip(0).double(), filled.amax(0).flip(0).double()
        occupied = (_triple(low + first * spacing), _triple(low + last * spacing))
    nx, ny, nz = (int(n) for n in counts)
    placement = volume.placement
    return VolumeFacts(
        channels=len(volume.values),
        samples=(nx, ny, nz),
        low=_triple(low),
        high=_triple(high),
        extent=_triple(high - low),
        spacing=_triple(spacing),
        least=float(ordered[0]),
        greatest=float(ordered[-1]),
        mean=float(values.double().mean()),
        percentiles=(p50, p90, p99, p999),
        empty=1 - len(filled) / values.numel(),
        negative=int((values < 0).sum()),
        occupied=occupied,
        on_border=float(inner.max() / magnitude.max().clamp(min=1e-38)),
        bytes=volume.values.numel() * 4,
        units=volume.units,
        turned=0.0 if placement is None else math.degrees(math.acos(min(1.0, float(placement.diagonal().min())))),
        placement=None if placement is None else tuple(map(tuple, placement.tolist())),
    )


@dataclass(frozen=True)
class TransmittanceFacts:
    """Facts about posed images of the light that comes through a volume.

    Attributes:
        views: how many.
        width, height: of the images, in pixels.
        quantity: 'transmittance', or 'line-integral' for optical depths.
        least, greatest: of the values that are finite, or None.
        infinite: values that are infinite.
        bad: pixels that NaN marks as bad.
        saturated: pixels that no light reaches.
        eight_bit: whether images hold no more than 256 levels.
        extinction: the factor on the density that they were made with.
        grid: samples along z, y, x, or None.
        bounds: [low, high] corners of the volume's box, or None.
    """

    views: int
    width: int
    height: int
    quantity: str
    least: float | None
    greatest: float | None
    infinite: int
    bad: int
    saturated: int
    eight_bit: bool
    extinction: float
    grid: tuple[int, int, int] | None
    bounds: tuple[Triple, Triple] | None


def transmittance_facts(views: TransmittanceViews) -> TransmittanceFacts:
    """Measure a dataset of transmittance."""
    height, width = views.cameras.size
    dark = views.images <= 0 if views.kind == "transmittance" else views.images < 0
    finite = views.images[views.images.isfinite()]
    return TransmittanceFacts(
        views=len(views.cameras),
        width=width,
        height=height,
        quantity=views.kind,
        least=float(finite.min()) if len(finite) else None,
        greatest=float(finite.max()) if len(finite) else None,
        infinite=int(views.images.isinf().sum()),
        bad=int(views.images.isnan().sum()),
        saturated=int(dark.sum()),
        eight_bit=views.eight_bit,
        extinction=views.extinction,
        grid=views.grid,
        bounds=None if views.bounds is None else (_triple(views.bounds[0]), _triple(views.bounds[1])),
    )


def _triple(values: torch.Tensor) -> Triple:
    x, y, z = (float(value) for value in values)
    return x, y, z
