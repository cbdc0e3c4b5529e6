"""A first estimate of where the axis of rotation is seen: a ray and the same ray from the other side read the same.

In the plane across the axis a ray is (angle of the source, angle in the fan), and (b, g) is (b + pi + 2 g, -g) the
other way round (Kak and Slaney, Principles of Computerized Tomographic Imaging, 1988, section 3.4), if g counts from
the axis. A parallel beam is the limit where 2 g vanishes: mirrored pictures half a turn apart.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.radiography.calibration_views import Recorded

Tensor = torch.Tensor

BAND = 0.04  # of the rows, on either side of the middle
WIDEST = 0.45  # of the columns: how far from where it is said to be the axis is looked for
SHARED = 0.5  # of the most power that any place of the axis lets be compared
COLUMNS = 128  # more are averaged
NEAR = 1.05  # usual steps of the angle that a view stands for, on either side of a gap
CLEAR = 0.7  # of the median mismatch: what a minimum has to lie below


@dataclass(frozen=True)
class Opposite:
    """What opposite views say.

    Attributes:
        axis: by how many columns the axis is seen to the right of where the cameras say.
        clear: whether they say so clearly.
    """

    axis: float
    clear: bool


def opposite_views(data: Recorded) -> Opposite | None:
    """Where the axis is seen, or None where no rays pass both ways."""
    sinogram, known, factor = _sinogram(data)
    width = sinogram.shape[1]
    most = int(WIDEST * width)
    shifts = torch.arange(-most, most + 1, dtype=torch.float64) * factor
    found = [_mismatch(data, sinogram, known, factor, float(shift)) for shift in shifts]
    difference, power = torch.tensor(found, dtype=torch.float64).unbind(1)
    enough = (power > SHARED * power.max()) & (power > 0)
    misses = torch.where(enough, difference / power.clamp(min=1e-30), math.nan)
    if not bool(misses.isfinite().any()):
        return None
    usual = float(misses[misses.isfinite()].median())
    misses = misses.nan_to_num(math.inf, posinf=math.inf)
    best = int(misses.argmin())
    at = float(shifts[best])
    if 0 < best < len(shifts) - 1 and bool(misses[best - 1 : best + 2].isfinite().all()):
        before, here, after = misses[best - 1 : best + 2].tolist()
        at += factor * 0.5 * (before - after) / max(before - 2 * here + after, 1e-30)
    return Opposite(at, float(misses[best]) < CLEAR * usual)


def _sinogram(data: Recorded) -> tuple[Tensor, Tensor, int]:
    """[N,W] in the order of the angles, the mean over a band of rows; what is known; and how many columns are one."""
    height, width = data.cameras.size
    half = max(1, round(BAND * height))
    rows = slice(max(0, height // 2 - half), min(height, height // 2 + half + 1))
    order = data.orbit.angles.argsort()
    weight = data.weight[order, rows].double()
    total = (weight * data.depth[order, rows].double()).sum(1)
    factor = max(1, width // COLUMNS)
    bins = (len(order), width // factor, factor)
    weight, total = (each[:, : bins[1] * factor].reshape(bins).sum(2) for each in (weight.sum(1), total))
    return total / weight.clamp(min=1e-12), weight > 0, factor


def _mismatch(data: Recorded, sinogram: Tensor, known: Tensor, factor: int, shift: float) -> tuple[float, float]:
    """The squared difference of rays and those the other way round, and their power."""
    angles = data.orbit.angles.sort().values
    count, width = sinogram.shape
    middle, focal = _picture(data)
    # Columns of the detector, from where the axis would be seen.
    column = (torch.arange(width, dtype=torch.float64) + 0.5) * factor - middle - shift
    fan = torch.zeros_like(column) if data.orbit.parallel else torch.atan(column / focal)
    other = (angles[:, None] + math.pi - 2 * fan) % (2 * math.pi)
    view, share = _between(angles, other, data.orbit.arc / count)
    mirrored = ((middle + shift - column) / factor - 0.5).expand(count, width)
    values, sure = _sampled(sinogram, known, view, share, mirrored)
    sure = sure & known
    difference = ((values - sinogram).square() * sure).sum()
    power = ((values.square() + sinogram.square()) * sure).sum()
    return float(difference), float(power)


def _picture(data: Recorded) -> tuple[float, float]:
    """The column in which the cameras see the axis, and the focal length in columns (of parallel rays: a unit)."""
    width, orbit = data.cameras.size[1], data.orbit
    focal = float(orbit.projection[0, 0]) * width / 2
    if orbit.parallel:
        return width / 2 * (1 + float(orbit.projection[0, 3])) - focal * orbit.aside, focal
    towards = float(orbit.frame[0, 2] / orbit.frame[2, 2])  # the axis is straight against r
    return width / 2 * (1 - float(orbit.projection[0, 2])) - focal * towards, focal


def _between(angles: Tensor, wanted: Tensor, step: float) -> tuple[Tensor, Tensor]:
    """The view before each angle, and how far it is to the next one as a share; nan in gaps, but beside views."""
    count = len(angles)
    after = torch.searchsorted(angles, wanted.contiguous(), right=True) % count
    before = (after - 1) % count
    gap = (angles[after] - angles[before]) % (2 * math.pi)
    since = (wanted - angles[before]) % (2 * math.pi)
    share = (since / gap.clamp(min=1e-12)).clamp(0, 1)
    beside = torch.where(since <= NEAR * step, 0.0, torch.where(gap - since <= NEAR * step, 1.0, math.nan))
    return before, torch.where(gap <= 2.5 * step, share, beside)


def _sampled(sinogram: Tensor, known: Tensor, view: Tensor, share: Tensor, column: Tensor) -> tuple[Tensor, Tensor]:
    count, width = sinogram.shape
    left = column.floor()
    inside = (left >= 0) & (left < width - 1) & share.isfinite()
    low = left.clamp(0, width - 2).long()
    part = (column - left).clamp(0, 1)
    share = share.nan_to_num(0)
    value, sure = torch.zeros_like(column), inside
    for index, weight in ((view, 1 - share), ((view + 1) % count, share)):
        for at, other in ((low, 1 - part), (low + 1, part)):
            value = value + weight * other * sinogram[index, at]
            sure = sure & (known[index, at] | (weight * other == 0))
    return value, sure
