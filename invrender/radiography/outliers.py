"""Pixels that do not tell of the object: those of a detector that are broken, and spots that a single frame has.

Broken pixels are found over all frames: they see no light, answer quite otherwise than their neighbours, or flicker.
Zingers (X-rays or cosmic rays that hit the sensor itself) are brighter than all but a few pixels around them in their
frame. Both are ranks of neighbours, which edges and thin parts of an object leave as they are: a part that is dark
never makes an outlier, and one that is bright is broader than a few pixels somewhere along its way.
"""

from __future__ import annotations

import torch

from invrender.radiography.noise import ROBUST, CountNoise

Tensor = torch.Tensor

WINDOW = 5  # pixels a side, around the one in question
CLUSTER = 3  # pixels that one spot may cover
SIGMAS = 8.0  # standard deviations that make an outlier
FLOOR = 0.03  # of the light around it, however little noise there is
BROKEN, FLICKER = 12.0, 6.0  # how far from the others, in robust deviations, or times theirs


def filled(frames: Tensor) -> Tensor:
    """Frames [N,H,W] whose NaN are the median of the known pixels of their frame."""
    bad = frames.isnan()
    if not bool(bad.any()):
        return frames
    middle = frames.flatten(1).nanmedian(1).values.nan_to_num(0.0)
    return torch.where(bad, middle[:, None, None], frames)


def zingers(frames: Tensor, noise: CountNoise, brightness: Tensor | None = None) -> Tensor:
    """[N,H,W] bool: pixels of transmittances that are too bright in their frame, up to three of a spot.

    What pixels have too much of in all frames is to be taken off before.
    """
    height, width = frames.shape[1:]
    if height < WINDOW <= min(len(frames), width):  # few rows: a spot stands out of their sinograms as well
        beams = torch.ones(height, width) if brightness is None else brightness
        each = [zingers(frames[None, :, y], noise, beams[y].expand(len(frames), width))[0] for y in range(height)]
        return torch.stack(each, 1)
    if min(height, width) < WINDOW:
        return torch.zeros_like(frames, dtype=torch.bool)
    known = torch.where(frames.isnan(), -1.0, frames)
    low = -torch.nn.functional.max_pool2d(-torch.where(frames.isnan(), torch.inf, frames)[:, None], WINDOW, 1, 2)[:, 0]
    beam = torch.ones(height, width) if brightness is None else brightness.clamp(min=DIM).nan_to_num(1.0)
    least = _threshold(low.clamp(max=1e6), noise, beam)
    found = torch.zeros_like(frames, dtype=torch.bool)
    at = (known - low > least).nonzero()  # nothing else can be that much brighter than most of its neighbours
    reach = torch.arange(WINDOW) - WINDOW // 2
    for part in at.split(2**18):
        n, y, x = part.unbind(1)
        rows = (y[:, None] + reach).abs()
        columns = (x[:, None] + reach).abs()
        rows = torch.where(rows >= height, 2 * height - 2 - rows, rows)  # mirrored at the border
        columns = torch.where(columns >= width, 2 * width - 2 - columns, columns)
        around = known[n[:, None, None], rows[:, :, None], columns[:, None, :]].flatten(1)
        rank = around.kthvalue(WINDOW**2 - CLUSTER, 1).values
        spot = known[n, y, x] - rank > _threshold(rank, noise, beam[y, x])
        found[n[spot], y[spot], x[spot]] = True
    return found


DIM = 0.05  # of the beam's middle, below which no pixel is expected to be


def _threshold(level: Tensor, noise: CountNoise, beam: Tensor) -> Tensor:
    deviation = noise.variance(level.clamp(min=0.003), beam).sqrt()
    return SIGMAS * deviation + FLOOR * level.clamp(0.01, 1.0)


def broken_pixels(sample: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels that answer otherwise than their neighbours in all of some frames [n,H,W] of transmittance.

    That a pixel's answer is a little off is no reason to lose it: that makes rings, which can be taken off.

    Returns:
        [H,W] bool: they are broken; and by how much [H,W] the others are brighter than their neighbours in all frames.
    """
    from scipy import ndimage

    size = sample.shape[1:]
    if min(size) < WINDOW:
        return sample.isnan().all(0), torch.zeros(size)
    bad = sample.isnan().float().mean(0) > 0.5
    values = filled(sample)
    frames = values.numpy()
    around = torch.from_numpy(ndimage.median_filter(frames, (1, 1, WINDOW), mode="nearest"))
    above = torch.from_numpy(ndimage.median_filter(frames, (1, WINDOW, 1), mode="nearest"))
    off = torch.where((values - around).abs() < (values - above).abs(), values - around, values - above)
    middle = off.median(0).values
    bad |= middle.abs() > BROKEN * _spread(middle[~bad]) + FLOOR * 5
    flicker = (off - middle).abs().median(0).values
    usual = torch.from_numpy(ndimage.median_filter(flicker.numpy(), WINDOW, mode="nearest"))
    bad |= flicker > FLICKER * usual + FLOOR
    moving = _moving(values)
    usual = torch.from_numpy(ndimage.median_filter(moving.numpy(), WINDOW, mode="nearest"))
    bad |= (moving < 0.02 * usual) & (usual > FLOOR)  # stuck: what all around it see come and go, it does not
    return bad, torch.where(bad, 0.0, (values - around).median(0).values)


def _moving(values: Tensor) -> Tensor:
    """[H,W] how much pixels change from frame to frame, robustly."""
    return (values - values.median(0).values).abs().median(0).values


def _spread(values: Tensor) -> float:
    return ROBUST * float((values - values.median()).abs().median()) if len(values) else 0.0
