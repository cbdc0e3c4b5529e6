"""How far pixels beside sharp edges are to be believed, where nothing else errs.

A grid's samples, interpolated, cannot show a sharp edge: exact views disagree with every density there, and only there.
Least squares would bend the rest of the density to make up for it. So rays are weighed by the inverse variance of what
the model errs by, which follows the steepest change of the optical depth beside the pixel: as if depths had an error of
`1 + (SHARE change / median change)^2`.
"""

from __future__ import annotations

import dataclasses

import torch

from invrender.methods.transmittance.measurement import Measurement

Tensor = torch.Tensor

SHARE = 0.3  # of the change of an optical depth from one pixel to the next but one that a model errs by
MOST = 1 << 20  # pixels that the usual change is read from


def believed(measurement: Measurement) -> Measurement:
    """The same views with less weight beside sharp edges; as they are where their pixels are noisy."""
    depth = measurement.depth
    if measurement.noise.deviation or min(depth.shape[1:]) < 2:
        return measurement
    # Views one at a time: there may be gigabytes of them. A median needs some of their pixels only.
    some = max(1, depth.numel() // MOST)
    shown = [
        _change(view)[(view > 0) & (weight > 0)][::some] for view, weight in zip(depth, measurement.weight, strict=True)
    ]
    usual = float(torch.cat(shown).median()) if any(map(len, shown)) else 0.0
    if not usual > 0:
        return measurement
    less = [1 / (1 + (SHARE / usual * _change(view)).square()) for view in depth]
    return dataclasses.replace(measurement, weight=measurement.weight * torch.stack(less))


def _change(depth: Tensor) -> Tensor:
    """[H,W]: how much the optical depth changes around each pixel, the most in its neighbourhood."""
    edged = torch.nn.functional.pad(depth[None, None], (1, 1, 1, 1), mode="replicate")[0, 0]
    change = (edged[1:-1, 2:] - edged[1:-1, :-2]).abs() + (edged[2:, 1:-1] - edged[:-2, 1:-1]).abs()
    return torch.nn.functional.max_pool2d(change[None, None], 3, 1, 1)[0, 0]
