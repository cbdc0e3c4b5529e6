"""What a run from colour views forms: a volume of four channels, or the transfer function of a known volume."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from numpy.typing import NDArray

from invrender.methods.volume_colour.task import StyledVolume, Task
from invrender.nouns import TransferFunction, Volume
from invrender.render.emission import VolumeStyle

Estimate = Volume | TransferFunction


def styled_volume(estimate: Estimate, known: Volume | None) -> StyledVolume:
    """How an estimate is shown: a volume of four channels as it is, a transfer function on the known volume."""
    if isinstance(estimate, Volume):
        return StyledVolume(estimate, VolumeStyle(None, None))
    assert known is not None
    return StyledVolume(known, VolumeStyle(estimate, None))


def arrays(estimate: Estimate) -> Mapping[str, NDArray[Any]]:
    """An estimate as named arrays: density and colour [4,D,H,W], or the table of the transfer function."""
    if isinstance(estimate, Volume):
        return {"values": estimate.values.cpu().numpy()}
    return {"colours": estimate.colours.cpu().numpy(), "opacity": estimate.opacity.cpu().numpy()}


def estimate_of(found: Mapping[str, NDArray[Any]], task: Task) -> Estimate:
    """The estimate that `arrays` was made of."""
    if "values" in found:
        return Volume(torch.from_numpy(found["values"]), task.bounds)
    return TransferFunction(torch.from_numpy(found["colours"]), torch.from_numpy(found["opacity"]), *task.window)
