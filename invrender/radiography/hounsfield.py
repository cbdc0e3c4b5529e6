"""Hounsfield units: HU = 1000 (mu - mu_water) / mu_water (G. N. Hounsfield, 1973); water is 0, air -1000.

Linear attenuation mu and that of water are in 1 / the volume's unit of length. What water has depends on the energy of
the rays, so none is assumed.
"""

from __future__ import annotations

import math
from dataclasses import replace

from invrender.errors import InputError, UsageError
from invrender.nouns import Volume

NAME = "hounsfield"
AIR = -1000.0
_TYPICAL = (
    "say how much water attenuates in 1/(unit of length): --mu-water 0.0194 for mm at 70 keV (0.0227 at 50, 0.0184 at "
    "80, 0.0171 at 100; ten times that for cm)"
)


def checked_water(mu_water: float | None) -> float:
    """The attenuation of water that a user gives.

    Raises:
        UsageError: none is given, or one that is not above 0.
    """
    if mu_water is None:
        raise UsageError("Hounsfield units need the attenuation of water, which is not guessed", _TYPICAL)
    if not 0 < mu_water < math.inf:
        raise UsageError(f"--mu-water is {mu_water:g}, and water attenuates", _TYPICAL)
    return mu_water


def to_hounsfield(volume: Volume, mu_water: float) -> Volume:
    """Linear attenuation as Hounsfield units, float32.

    Raises:
        InputError: the volume has several channels.
    """
    _check(volume)
    return replace(volume, values=volume.values * (1000 / mu_water) - 1000, name=NAME)


def from_hounsfield(volume: Volume, mu_water: float) -> tuple[Volume, int]:
    """Hounsfield units as linear attenuation, and how many samples lay below air: they become 0.

    Raises:
        InputError: the volume has several channels.
    """
    _check(volume)
    below = int((volume.values < AIR).sum())
    density = ((volume.values + 1000) * (mu_water / 1000)).clamp(min=0)
    return replace(volume, values=density, name="density"), below


def _check(volume: Volume) -> None:
    if len(volume.values) != 1:
        raise InputError(f"the volume has {len(volume.values)} channels, and Hounsfield units are of one",
                         "convert the channel that holds attenuation alone")  # fmt: skip
