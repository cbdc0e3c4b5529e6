"""How many passes over the views a reconstruction takes, how many of them its trials, and how much memory."""

from __future__ import annotations

import math

from invrender.methods.transmittance.baselines import own_passes
from invrender.methods.transmittance.measurement import Measurement, Noise
from invrender.methods.transmittance.settings import TransmittanceSettings

PASSES, PASSES_VIEWS = 85, 50  # so many passes for so many views or more
NOISY = 0.847  # of them for noisy data, which hold less detail,
PHOTONS, BRIGHT = 1e4, 1.3  # unless there are many more photons than these: up to so much
COARSE_FROM = 192  # grids this long start from half the resolution
LARGE = 384**3  # samples of grids that choose nothing: at half the resolution it takes an eighth of time and memory
LARGE_SHARE = 2 / 3  # of their passes, at half the resolution; of smaller ones a third
PER_VOXEL, PER_PIXEL = 70, 90  # bytes: grids that trials and solver hold at once; data, and lines of rays
LARGE_VOXEL, LARGE_PIXEL = 21.5, 21  # where nothing is tried, no step back is kept, and no lines are
TURNS, TURN_VIEWS = (4, 2), 6  # parts of exact views that FISTA takes in turn, and how many views each has at least
FIRST_PASSES, TRIAL_PASSES = 0.15, 0.06  # of all passes: before any trial, and for each


def passes(settings: TransmittanceSettings, measurement: Measurement) -> int:
    """How many passes there will be: with few views each costs less, and more are needed."""
    own = own_passes(settings.solver, bool(measurement.noise.deviation))
    if settings.solver == "fdk" or (own and settings.iterations is None):
        return own or 1
    if settings.iterations is not None:
        return settings.iterations
    share = _share(measurement.noise)
    return round(PASSES * share * min(max(math.sqrt(PASSES_VIEWS / len(measurement.cameras)), 1.0), 1.76))


def turns(settings: TransmittanceSettings, measurement: Measurement, shape: tuple[int, int, int]) -> int:
    """In how many parts FISTA takes the views, one a step: exact ones do not contradict each other."""
    if settings.solver != "fista" or measurement.noise.deviation or is_large(shape):
        return 1
    views = len(measurement.cameras)
    return next((count for count in TURNS if views >= count * TURN_VIEWS), 1)


def _share(noise: Noise) -> float:
    """Of the passes of exact data: with ten times the photons, three times weaker smoothing converges as slowly."""
    if not noise.deviation:
        return 1.0
    share: float = NOISY * max(noise.photons / PHOTONS, 1.0) ** math.log10(BRIGHT / NOISY)
    return min(share, BRIGHT)


def first_passes(total: int) -> int:
    """Passes before any trial, out of all."""
    return max(1, round(total * FIRST_PASSES))


def trial_passes(total: int) -> int:
    """Passes of each trial, out of all."""
    return max(1, round(total * TRIAL_PASSES))


def is_large(shape: tuple[int, int, int]) -> bool:
    """Whether memory is what a grid lacks: everything but the last solver runs at half its resolution."""
    return math.prod(shape) >= LARGE


def bytes_each(shape: tuple[int, int, int]) -> tuple[float, float]:
    """How many bytes a reconstruction holds at its height for each sample of the grid, and for each pixel."""
    return (LARGE_VOXEL, LARGE_PIXEL) if is_large(shape) else (PER_VOXEL, PER_PIXEL)


def coarse_passes(settings: TransmittanceSettings, shape: tuple[int, int, int], total: int) -> int:
    """How many of all passes run at half the resolution; 0: there is no such start."""
    large = is_large(shape)
    if settings.solver != "fista" or max(shape) < COARSE_FROM or total < (2 if large else 10):
        return 0
    return int(total * LARGE_SHARE) if large else total // 3


def whole_passes(settings: TransmittanceSettings, shape: tuple[int, int, int], total: int) -> float:
    """How many passes at full resolution all of them are worth: at half of it each is worth an eighth.

    One more on each grid bounds the curvature.
    """
    coarse = coarse_passes(settings, shape, total)
    if not coarse:
        return total + 1
    depth, height, width = (max(2, (n + 1) // 2) for n in shape)
    return total - coarse + 1 + whole_passes(settings, (depth, height, width), coarse) / 8
