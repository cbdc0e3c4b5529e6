"""How FISTA goes on from where another phase of it ended, momentum included, on the same support or a tighter one."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch

from invrender.methods.transmittance.problem import DENSITY
from invrender.solve.fista import FistaState
from invrender.solve.ordered_subsets import TurnsState
from invrender.solve.phase import Finished, Start
from invrender.solve.protocol import Params

COARSE = "coarse/"  # how the names of a coarse grid's phases begin
EXTRAPOLATED = "extrapolated"  # FISTA's state in the results of choose phases,
INERTIA, TURN = "inertia", "turn"  # and in their measures


def continued(finished: Finished, support: torch.Tensor, turns: bool) -> Start:
    """Where a choose phase ended; nothing outside the support [D,H,W], whose voxels are held as they are."""
    density, extrapolated = (torch.where(support, finished.result[name], 0.0) for name in (DENSITY, EXTRAPOLATED))
    state = FistaState({DENSITY: extrapolated}, finished.measures[INERTIA])
    return Start({DENSITY: density}, TurnsState(state, int(finished.measures[TURN])) if turns else state)


def kept_result(params: Params, state: Any) -> Params:
    """The density, and FISTA's extrapolated point."""
    return {**params, EXTRAPOLATED: _fista(state).extrapolated[DENSITY]}


def kept_measures(state: Any) -> dict[str, float]:
    """The numbers of the solver's state."""
    return {INERTIA: _fista(state).inertia, TURN: float(state.count if isinstance(state, TurnsState) else 0)}


def _fista(state: Any) -> FistaState:
    found: FistaState = state.inner if isinstance(state, TurnsState) else state
    return found


def own(finished: Sequence[Finished]) -> tuple[Finished, ...]:
    """The phases of the coarse grid, as it calls them itself."""
    coarse = (each for each in finished if each.name.startswith(COARSE))
    return tuple(dataclasses.replace(each, name=each.name.removeprefix(COARSE)) for each in coarse)
