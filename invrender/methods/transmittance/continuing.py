"""How FISTA goes on from where another phase of it ended, momentum included, on the same support or a tighter one."""

from __future__ import annotations

from typing import Any

import torch

from invrender.methods.transmittance.problem import DENSITY
from invrender.solve.fista import FistaState
from invrender.solve.phase import Finished, Start
from invrender.solve.protocol import Params

EXTRAPOLATED, INERTIA = "extrapolated", "inertia"  # FISTA's state in the results of choose phases


def continued(finished: Finished, support: torch.Tensor) -> Start:
    """Where a choose phase ended; nothing outside the support [D,H,W], whose voxels are held as they are."""
    density, extrapolated = (torch.where(support, finished.result[name], 0.0) for name in (DENSITY, EXTRAPOLATED))
    return Start({DENSITY: density}, FistaState({DENSITY: extrapolated}, finished.measures[INERTIA]))


def kept_result(params: Params, state: Any) -> Params:
    """The density, and FISTA's extrapolated point."""
    return {**params, EXTRAPOLATED: state.extrapolated[DENSITY]} if isinstance(state, FistaState) else params
