"""How much the pixels of radiographs err: counted photons and the detector's own noise, read off the frames.

The variance of a transmittance T is T / n + s^2, with n photons per pixel without an object and a detector that adds
noise of its own, s. Noise is told from structure by a stencil that no plane and no straight edge along the pixels
survives (Immerkaer, Fast Noise Variance Estimation, 1996), of which each level of brightness takes a robust spread.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch

Tensor = torch.Tensor

ROBUST = 1.4826  # median absolute deviations of a Gaussian's standard deviation
EXACT = 1e10  # photons from which on frames have no noise that matters
DARK = 0.1  # transmittance below which the detector's own noise shows
FEWEST = 300  # pixels that a level of brightness has to have
LEVELS = (0.0, 0.003, 0.01, 0.03, 0.06, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 1.5)


@dataclass(frozen=True)
class CountNoise:
    """What the variance of a transmittance is made of.

    Attributes:
        photons: per pixel without an object; 0: none are counted, the frames are exact.
        detector: standard deviation that the detector adds, as a share of the light without an object.
    """

    photons: float = 0.0
    detector: float = 0.0

    @property
    def equivalent(self) -> float:
        """Photons that would make as much noise without an object as all of it; 0: there is none."""
        return 1 / (1 / self.photons + self.detector**2) if self.photons else 0.0

    def variance(self, transmittance: Tensor, brightness: Tensor | float = 1.0) -> Tensor:
        """Of transmittances [...,H,W] where the beam is `brightness` [H,W] times as strong as where n photons come."""
        if not self.photons:
            return torch.zeros_like(transmittance)
        return transmittance.clamp(min=0) / (self.photons * brightness) + (self.detector / brightness) ** 2


def smoothed(frames: Tensor) -> Tensor:
    """The mean of the 3 x 3 pixels around each [N,H,W], of those that are not NaN; NaN where all are."""
    known = ~frames.isnan()
    filled = torch.nn.functional.pad(torch.where(known, frames, 0.0)[:, None], (1, 1, 1, 1))
    counted = torch.nn.functional.pad(known[:, None].float(), (1, 1, 1, 1))
    total, count = (torch.nn.functional.avg_pool2d(image, 3, 1)[:, 0] for image in (filled, counted))
    return torch.where(count > 0, total / count.clamp(min=1e-6), torch.nan)


def estimated(frames: Tensor, brightness: Tensor | None = None) -> CountNoise:
    """The noise of transmittances [N,H,W], NaN where masked; `brightness` [H,W] of the beam, 1 in the middle.

    Of one or two rows their sinogram tells; frames that are smaller still tell nothing, and are taken for exact.
    """
    if frames.shape[1] < 3 <= min(len(frames), frames.shape[2]):
        row = None if brightness is None else brightness[:1].expand(len(frames), -1)
        return estimated(frames[:, 0][None], row)
    if min(frames.shape[1:]) < 3:
        return CountNoise()
    beam = torch.ones(frames.shape[1:]) if brightness is None else brightness
    level = smoothed(frames)[:, 1:-1, 1:-1]
    # Scaled so that counted photons err by sqrt(T / n) wherever the pixel lies in the beam.
    error = (_noise_alone(frames) * beam[1:-1, 1:-1].clamp(min=1e-6).sqrt()).flatten()
    known = error.isfinite() & level.flatten().isfinite()
    return _fitted(level.flatten()[known].double().numpy(), error[known].double().numpy())


def _noise_alone(frames: Tensor) -> Tensor:
    """[N,H-2,W-2]: a stencil's answer that has the variance of white noise, and none of planes."""
    across = frames[:, :, :-2] - 2 * frames[:, :, 1:-1] + frames[:, :, 2:]
    return (across[:, :-2] - 2 * across[:, 1:-1] + across[:, 2:]) / 6


def _fitted(level: np.ndarray, error: np.ndarray) -> CountNoise:
    """Noise that no level's spread contradicts: structure adds to spreads, and takes nothing away.

    What the detector adds is told by dark pixels, where structure is as dim as they are; photons by the others.
    """
    kind, found = np.digitize(level, LEVELS), []
    for each in range(1, len(LEVELS)):
        inside = kind == each
        count = int(inside.sum())
        if count >= FEWEST:
            variance = (ROBUST * np.median(np.abs(error[inside]))) ** 2
            found.append((max(float(np.median(level[inside])), 0.0), variance, 1 + 2 / math.sqrt(count)))
    if not found:
        return CountNoise()
    light, variance, spare = (np.array(column) for column in zip(*found, strict=True))
    if variance[-1] < 1 / EXACT:  # the brightest level, where structure is rare, has no noise
        return CountNoise()
    bright, floor = light >= DARK, 0.0
    if not bright.any():
        bright = light == light.max()
    per_photon = float((variance * spare / light)[bright].min())
    if not bright.all():
        floor = max(0.0, float((variance * spare - light * per_photon)[~bright].min()))
        per_photon = max(float(((variance * spare - floor) / light)[bright].min()), per_photon / 1000)
    return CountNoise(min(1 / per_photon, EXACT), math.sqrt(floor))
