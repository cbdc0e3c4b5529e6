"""Which structures of a volume no view can show: those that run along all directions of view, to within an angle.

A view along d measures the spatial frequencies at right angles to d and no others (the central slice theorem). What
frequencies no view comes near to are unmeasured: the missing wedge of a short arc (Orlov 1976).
"""

from __future__ import annotations

import math

import torch

from invrender.cameras.parallel import to_viewers
from invrender.cameras.rigs import fibonacci
from invrender.findings import Finding
from invrender.nouns import Cameras

Tensor = torch.Tensor

NEAR = math.radians(12)  # a view stands for its neighbours
MUCH = 0.3  # share of all directions
TRIED = 2000


def unmeasured(cameras: Cameras, centre: Tensor) -> float:
    """The share of all spatial frequencies' directions that no view of a point [3] comes near to."""
    along = -to_viewers(cameras, centre.double().cpu().expand(len(cameras), 3), torch.zeros(3, dtype=torch.float64))
    across = (fibonacci(TRIED) @ along.T).abs().amin(dim=1)
    return float((across > math.sin(NEAR)).double().mean())


def direction_findings(cameras: Cameras, box: Tensor) -> list[Finding]:
    """A warning where the views of a box [2,3] leave much unmeasured."""
    share = unmeasured(cameras, box.mean(0))
    if share < MUCH:
        return []
    cause = f"the {len(cameras)} views leave {share:.0%} of all directions unmeasured: what lies along them is a guess"
    return [Finding(cause, "use views from all around, 12 or more: an arc of 180 degrees at least")]
