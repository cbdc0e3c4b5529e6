"""The light that there is without an object in each frame: from flats, from a number, or from the air in the frames."""

from __future__ import annotations

from dataclasses import replace

import torch

from invrender.errors import InputError
from invrender.radiography.air import check_exposure, readings, significant
from invrender.radiography.flats import Beam
from invrender.radiography.noise import CountNoise
from invrender.radiography.outliers import filled

Tensor = torch.Tensor


def rough_level(sample: Tensor) -> float:
    """About the light without an object, where no flat says it: what the brightest pixels have."""
    bright = sample.nan_to_num(-torch.inf).flatten(1).amax(1)
    seen = filled(sample).flatten(1)
    level = seen.kthvalue(max(1, round(0.98 * seen.shape[1])), 1).values.median()
    if not float(level) > 0:
        raise InputError(
            f"the frames have no light after the dark counts are taken off (at most {float(bright.max()):.4g} counts)",
            "check the dark frame, and that the projections are counts",
        )
    return float(level)


def lit_by(beam: Beam, air: Tensor | None, noise: CountNoise) -> tuple[Beam, list[str]]:
    """The beam with the light that there is without an object in each frame."""
    scan, i0 = beam.scan, beam.scan.preparation.i0
    if i0 is not None and scan.values == "line-integral":
        raise InputError("i0 goes with counts, and the projections are line integrals", "leave i0 out")
    counts = scan.values == "counts"
    automatic = i0 == "auto" or (counts and not scan.flats and i0 is None)
    if isinstance(i0, float | int):
        return _with_number(beam, float(i0))
    if air is None:
        if automatic:
            raise InputError(
                "the light without an object has to come from the air, and no part of the detector sees air in all "
                "frames",
                "give flat frames, or the counts without an object: i0 = COUNTS (--i0 COUNTS)",
            )
        untold = "drift: no air beside the object in all frames, so that brightness is as recorded"
        return beam, [untold] if counts and scan.preparation.drift else []
    share = f"{int(air.sum())} pixels of air ({float(air.float().mean()):.1%} of the detector)"
    read = readings(beam, air)
    said: list[str] = []
    if automatic:
        level = beam.level * float(read.median())
        said = [f"I0: {level:.5g}{'' if scan.flats else ' counts'}, from {share}"]
        beam, read = replace(beam, level=level), read / read.median()
    elif counts:
        check_exposure(read)
    else:
        return beam, []
    if not scan.preparation.drift:
        return beam, said
    if not significant(read, noise, int(air.sum())):
        return beam, [*said, f"drift: none beyond noise, from {share}"]
    swing = f"{float(read.min()):.4g} to {float(read.max()):.4g}"
    return replace(beam, drift=read), [*said, f"drift: frames read {swing} of I0 in the air and are divided by it"]


def _with_number(beam: Beam, i0: float) -> tuple[Beam, list[str]]:
    """The beam with the counts that people know, as they are recorded; flats keep their shape."""
    offset = 0.0 if beam.dark is None else float(beam.dark.median())
    if not i0 > offset:
        raise InputError(f"i0 is {i0:g}, and the dark frame has {offset:.4g} counts", "give the counts without object")
    usual = 1.0 if beam.flats is None else float(beam.flats.nanmedian())
    return replace(beam, level=(i0 - offset) / usual), [f"I0: {i0:g} counts, as given"]
