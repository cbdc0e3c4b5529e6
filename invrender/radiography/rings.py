"""Rings: what a pixel of the detector has too much or too little of in all frames, taken off their logarithms.

A pixel whose answer is off by a factor adds the same to its line integrals in all projections, which a reconstruction
shows as a ring around the axis. In one projection it cannot be told from the object. But the object moves over the
detector: of how far a pixel lies from the median of its row around it, the median over all projections is the pixel's
own, as in the filters of Vo, Atwood and Drakopoulos (Superior techniques for eliminating ring artifacts in X-ray
micro-tomography, Optics Express 2018), which a median leaves monotonous edges alone. What is taken off is shrunk by
what noise alone would make of it, so that clean data stay as they are. Gains that change during the scan are followed
by a straight line in time.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.radiography.noise import ROBUST

Tensor = torch.Tensor

WINDOW = 9  # columns, of which a ring may have up to four side by side
FEWEST = 12  # projections: a median over less does not know the object from the detector
CERTAIN = 4.0  # standard errors below which nothing is taken off
FLOOR = 1e-3  # of a line integral: what structure leaves of exact data is less than that
DRIFTING = 120  # projections: of half as many a part of the object that stays in place for a while is no pixel's change
PARTS = 4  # of a scan, in all of which a ring has to be
ALIKE, SPEAK, AGREE = 12, 0.4, 0.95  # rows that a column has to have, the shares that have to be certain, and agree
ROWS = 2**23  # values of all projections that are worked on at once


@dataclass(frozen=True)
class Rings:
    """What was found.

    Attributes:
        pixels: how many of the detector's were off.
        size: root mean square of what was taken off from them.
        drifting: how many of them changed during the scan.
    """

    pixels: int = 0
    size: float = 0.0
    drifting: int = 0


def take_off_rings(transmittance: Tensor, keep: Tensor | None = None) -> Rings:
    """Take rings off transmittances [N,H,W] float32 in place; NaN and 0 stay.

    Args:
        transmittance: of all projections, in the order in which they were taken.
        keep: [W] bool columns that stay as they are: around the axis parts of an object look like rings.
    """
    count, height, width = transmittance.shape
    if count < FEWEST or width < WINDOW:
        return Rings()
    parts = torch.arange(height).split(max(1, ROWS // (count * width)))
    found = [_offsets(transmittance[:, rows[0] : rows[-1] + 1]) for rows in parts]
    middle, error, slope = (torch.cat(column) for column in zip(*found, strict=True))
    columns = _columns(middle, error)
    # Where a row is steep, a pixel that is off still is the median around it: there the column knows better.
    constant = torch.where(columns != 0, columns, _soft(middle, error))
    if keep is not None:
        constant[:, keep], slope[:, keep] = 0.0, 0.0
    time = torch.linspace(-1, 1, count)[:, None, None]
    for rows in parts:
        part = slice(int(rows[0]), int(rows[-1]) + 1)
        transmittance[:, part] *= torch.exp(constant[part] + slope[part] * time)
    pixels = int(((constant != 0) | (slope != 0)).sum())
    squares = float(constant.double().square().sum() + slope.double().square().sum() / 3)
    return Rings(pixels, (squares / max(1, pixels)) ** 0.5, int((slope != 0).sum()))


def _columns(middle: Tensor, error: Tensor) -> Tensor:
    """[W] what all rows of a column have in common, 0 where they do not agree.

    Rows that are certain speak for all: mostly those that see air, where no edge comes and goes.
    """
    if len(middle) < ALIKE:
        return torch.zeros(middle.shape[1])
    certain = middle.abs() > CERTAIN * error + FLOOR
    value = torch.where(certain, middle, torch.nan).nanmedian(0).values.nan_to_num(0.0)
    alike = (certain & (middle * value > 0)).sum(0)
    agree = (alike > SPEAK * len(middle)) & (alike > AGREE * certain.sum(0))
    return torch.where(agree, value, 0.0)


def _offsets(block: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """[h,W] how far pixels lie off in line integrals, how far that errs, and by how much it certainly grows."""
    from scipy import ndimage

    known = block > 0
    depth = torch.where(known, -torch.where(known, block, 1.0).log(), 0.0)
    around = torch.from_numpy(ndimage.median_filter(depth.numpy(), (1, 1, WINDOW), mode="mirror"))
    off = torch.where(known, depth - around, torch.nan)
    steady = len(off) < DRIFTING
    middle, error = _median(off), torch.maximum(_error(off), _unsteady(off, steady))
    if steady:
        return middle, error, torch.zeros_like(middle)
    early, late = off[: len(off) // 2], off[-(len(off) // 2) :]
    apart = torch.hypot(torch.hypot(_error(early), _error(late)), _unsteady(off, False))
    return middle, error, _soft(_median(late) - _median(early), apart)  # their middles lie at -1/2 and 1/2, 1 apart


def _median(off: Tensor) -> Tensor:
    """[h,W] over projections [n,h,W]; 0 where none is known."""
    return off.nanmedian(0).values.nan_to_num(0.0)


def _unsteady(off: Tensor, steady: bool) -> Tensor:
    """[h,W] standard errors from how parts of the scan differ: a part of the object does not stay for all of them.

    `steady`: whether parts are to agree, and not only to lie on a straight line.
    """
    parts = torch.stack([_median(part) for part in off.tensor_split(PARTS)])
    time = torch.linspace(-1, 1, PARTS)[:, None, None]
    left = parts - parts.mean(0)
    if not steady:
        left = left - time * (time * left).sum(0) / time.square().sum()
    freedom = PARTS - (1 if steady else 2)
    return (left.square().sum(0) / freedom / PARTS).sqrt()


def _error(off: Tensor) -> Tensor:
    """[h,W] standard errors of medians over projections."""
    middle = off.nanmedian(0).values
    spread = ROBUST * (off - middle).abs().nanmedian(0).values
    count = (~off.isnan()).sum(0).clamp(min=1)
    return (1.2533 * spread / count.sqrt()).nan_to_num(torch.inf)


def _soft(value: Tensor, error: Tensor) -> Tensor:
    """Values as they are where they are far beyond their error, and 0 where they are not."""
    certain = value.abs() > CERTAIN * error + FLOOR
    return torch.where(certain, value * (1 - (error / value.abs().clamp(min=1e-12)).square()), 0.0)
