"""What finished phases tell: which ended where, which of several explains most, and what is left there."""

from __future__ import annotations

from collections.abc import Sequence

from invrender.methods.scene.misfit import Misfit
from invrender.solve.phase import Finished
from invrender.solve.protocol import Params

EXPLAINED = 1e-7  # loss from which on no other start can be better
END = "end, spp "  # names of the last phases, before their rays a pixel


def end_of(finished: Sequence[Finished]) -> Finished:
    """The last phase of the solver."""
    return [each for each in finished if each.name.startswith(END)][-1]


def rays_of(end: Finished) -> int:
    """Rays a pixel of the last phase."""
    return int(end.name.removeprefix(END))


def after_trials(finished: Sequence[Finished]) -> list[Finished]:
    """The phases that followed the choice of a start."""
    return [each for each in finished if not each.name.startswith("start")]


def looked(finished: Sequence[Finished]) -> list[Finished]:
    """The first phase on blurred pictures and those that began it again."""
    after = after_trials(finished)
    return after[:1] + [each for each in after[1:] if each.name.startswith("again")]


def least(tried: Sequence[Finished]) -> Finished:
    """That which explains most."""
    return min(tried, key=lambda each: each.measures["loss"])


def loss_of(misfit: Misfit, params: Params) -> float:
    """Half the sum of squared residuals."""
    return float(misfit.residual(params).square().sum()) / 2


def explained(trials: Sequence[Finished]) -> bool:
    """Whether one of them leaves nothing to explain."""
    return any(each.measures["loss"] < EXPLAINED for each in trials)
