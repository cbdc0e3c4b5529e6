"""How many passes over the views a reconstruction takes, and how many of them its trials."""

from __future__ import annotations

import math

from invrender.methods.transmittance.baselines import own_passes
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.settings import TransmittanceSettings

PASSES, PASSES_VIEWS = 85, 50  # so many passes for so many views or more
NOISY = 0.847  # of them for noisy data, which hold less detail
FIRST_PASSES, TRIAL_PASSES = 0.15, 0.06  # of all passes: before any trial, and for each


def passes(settings: TransmittanceSettings, measurement: Measurement) -> int:
    """How many passes there will be: with few views each costs less, and more are needed."""
    own = own_passes(settings.solver, bool(measurement.noise.deviation))
    if settings.solver == "fdk" or (own and settings.iterations is None):
        return own or 1
    if settings.iterations is not None:
        return settings.iterations
    share = NOISY if measurement.noise.deviation else 1.0
    return round(PASSES * share * min(max(math.sqrt(PASSES_VIEWS / len(measurement.cameras)), 1.0), 1.76))


def first_passes(total: int) -> int:
    """Passes before any trial, out of all."""
    return max(1, round(total * FIRST_PASSES))


def trial_passes(total: int) -> int:
    """Passes of each trial, out of all."""
    return max(1, round(total * TRIAL_PASSES))
