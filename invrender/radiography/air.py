"""The air around the object: where no frame sees anything, and what that tells of the source.

Air is what stays as bright as the brightest part of its frame in all frames, in one piece from the frames' border on.
From there come the light without an object, where there are no flat frames, and how the source drifted from frame to
frame.
"""

from __future__ import annotations

import math

import torch

from invrender.errors import InputError
from invrender.radiography.flats import Beam, blocks
from invrender.radiography.noise import CountNoise, smoothed

Tensor = torch.Tensor

BRIGHT = 0.97  # quantile of a frame's pixels that air reaches, if there is a little of it
LEAST, FEWEST, FEWEST_OF_ROW = 0.005, 16, 4  # share and number of the pixels that have to be air
SPARE, UNEVEN = 0.01, 0.08  # by which air may be darker than that: flat fields drift; without them, beams are uneven
OFF = 0.3  # by which the air behind flats may differ from 1 before these are of another exposure


def find_air(sample: Tensor, noise: CountNoise, flat: bool = True) -> Tensor | None:
    """[H,W] bool: pixels that see air in all frames; None where there are too few.

    Args:
        sample: [n,H,W] frames over all of the scan, in units of about the light without an object; NaN where masked.
        noise: of its pixels.
        flat: whether the beam's own unevenness has been divided out.
    """
    from scipy import ndimage

    even = smoothed(sample)
    bright = torch.stack([_quantile(frame, BRIGHT) for frame in even])
    level = even / bright[:, None, None].clamp(min=1e-12)
    lowest = torch.where(level.isnan(), 1.0, level).kthvalue(min(2, len(level)), 0).values
    rows = min(3, sample.shape[1])
    deviation = float(noise.variance(torch.ones(1, 1)).sqrt()) / math.sqrt(3 * rows)
    fewest = FEWEST if rows == 3 else FEWEST_OF_ROW
    clear = lowest > 1 - (SPARE if flat else UNEVEN) - 6 * deviation
    clear &= ~sample.isnan().all(0)
    parts, _ = ndimage.label(clear.numpy())
    sides = {*parts[:, 0], *parts[:, -1]}
    border = sides | {*parts[0], *parts[-1]} if rows == 3 else sides
    sizes = {part: (parts == part).sum() for part in border if part}
    large = [part for part, size in sizes.items() if size >= max(fewest / 2, LEAST * clear.numel() / 4)]
    found = torch.from_numpy(sum((parts == part for part in large), parts < 0))
    return found if int(found.sum()) > max(fewest - 1, LEAST * clear.numel()) else None


def _quantile(frame: Tensor, share: float) -> Tensor:
    """Of a frame's pixels that are known; a frame may have more than torch.quantile takes."""
    known = frame[~frame.isnan()]
    if not len(known):
        return torch.tensor(torch.nan)
    return known.kthvalue(max(1, min(len(known), round(share * len(known))))).values


def readings(beam: Beam, air: Tensor) -> Tensor:
    """[N] float64 what each frame reads in the air, medians."""
    found = []
    for frames in blocks(len(beam.scan), beam.scan.geometry.size):
        values = beam.light(frames)[:, air]
        found.append(values.nanmedian(1).values.double())
    return torch.cat(found)


def significant(read: Tensor, noise: CountNoise, pixels: int) -> bool:
    """Whether readings [N] differ from frame to frame, or from 1, by more than their own noise."""
    error = 1.25 * float(noise.variance(torch.ones(1, 1)).sqrt()) / math.sqrt(max(1, pixels))
    spread = float((read / read.median() - 1).square().mean().sqrt())
    return spread > 2 * error + 1e-6 or abs(float(read.median()) - 1) > 3 * error / math.sqrt(len(read)) + 1e-6


def check_exposure(read: Tensor) -> None:
    """Refuse flats behind which the air reads something far from 1 (InputError)."""
    middle = float(read.median())
    if abs(middle - 1) > OFF:
        raise InputError(
            f"beside the object the frames read {middle:.3g} of the flats: the flats are "
            f"{'brighter' if middle < 1 else 'darker'} than the frames without an object would be",
            "take flats with the exposure, current and filter of the frames (are their gains or averages alike?), "
            "or keep their shape alone and take the level from the air: i0 = auto (--i0 auto)",
        )
