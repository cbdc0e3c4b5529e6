"""The ladder of smoothing weights: which one is tried next, and which one predicts held-out views best."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invrender.solve.phase import Finished

FEWEST_VIEWS = 8  # below this none is held out
HELD_OUT = 8  # every so many views one is
RUNG = 3.0  # factor between the weights that are tried
HELD_OUT_MISFIT = "held_out"  # the measure that choose phases leave


@dataclass(frozen=True)
class Rung:
    """Where the ladder stands.

    Attributes:
        weight: to go on with.
        source: number of the choose phase to go on from.
        done: whether the choice is made.
        scores: held-out misfits by weight.
    """

    weight: float
    source: int
    done: bool
    scores: dict[float, float]


def climbed(tried: Sequence[Finished], ladder: tuple[float, float], trial: int, budget: int) -> Rung:
    """Where the choose phases that are finished lead to: the first goes before the ladder, pairs come behind it.

    Args:
        tried: the choose phases.
        ladder: the first and the last weight.
        trial: passes of each.
        budget: passes that were left before the first.
    """
    weight, last = ladder
    scores: dict[float, float] = {}
    if not tried:
        return Rung(weight, 0, False, scores)
    left, source = budget - tried[0].steps, 0
    for same in range(1, len(tried) + 2, 2):
        if not (weight / RUNG > last * 0.999 and left > 2 * trial):
            return Rung(weight, source, True, scores)
        if same >= len(tried):
            return Rung(weight, source, False, scores)
        if same + 1 >= len(tried):
            return Rung(weight / RUNG, source, False, scores)
        left -= tried[same].steps + tried[same + 1].steps
        scores[weight], scores[weight / RUNG] = (tried[k].measures[HELD_OUT_MISFIT] for k in (same, same + 1))
        if scores[weight] <= scores[weight / RUNG]:
            return Rung(weight, same, True, scores)
        weight, source = weight / RUNG, same + 1
    raise AssertionError("the ladder has an end")


def split(views: int) -> tuple[list[int], list[int]]:
    """View numbers to learn from and to score on."""
    held = list(range(HELD_OUT // 2, views, HELD_OUT))
    return [view for view in range(views) if view not in held], held
