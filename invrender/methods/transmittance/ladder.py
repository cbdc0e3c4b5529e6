"""The search for the smoothing weight: down a ladder of weights, as long as held-out views are predicted better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invrender.solve.phase import Finished

FEWEST_VIEWS = 8  # below this none is held out
HELD_OUT = 8  # one view of so many is
LADDER_FACTOR = 3.0  # between one weight and the next
HELD_OUT_MISFIT = "held_out"  # the measure that choose phases leave


@dataclass(frozen=True)
class WeightSearch:
    """State of the search.

    Attributes:
        weight: to continue with.
        source: number of the choose phase to continue from.
        done: whether the choice is made.
        scores: held-out misfits by weight.
    """

    weight: float
    source: int
    done: bool
    scores: dict[float, float]


def weight_search(tried: Sequence[Finished], ladder: tuple[float, float], trial: int, budget: int) -> WeightSearch:
    """The state of the search after some choose phases: a single one, then pairs (same weight, next weight).

    Args:
        tried: the choose phases.
        ladder: the first and the last weight.
        trial: passes of each.
        budget: passes that were left before the first.
    """
    weight, last = ladder
    scores: dict[float, float] = {}
    if not tried:
        return WeightSearch(weight, 0, False, scores)
    left, source = budget - tried[0].steps, 0
    for same in range(1, len(tried) + 2, 2):
        if not (weight / LADDER_FACTOR > last * 0.999 and left > 2 * trial):
            return WeightSearch(weight, source, True, scores)
        if same >= len(tried):
            return WeightSearch(weight, source, False, scores)
        if same + 1 >= len(tried):
            return WeightSearch(weight / LADDER_FACTOR, source, False, scores)
        left -= tried[same].steps + tried[same + 1].steps
        scores[weight], scores[weight / LADDER_FACTOR] = (tried[k].measures[HELD_OUT_MISFIT] for k in (same, same + 1))
        if scores[weight] <= scores[weight / LADDER_FACTOR]:
            return WeightSearch(weight, same, True, scores)
        weight, source = weight / LADDER_FACTOR, same + 1
    raise AssertionError("the ladder has an end")


def split(views: int) -> tuple[list[int], list[int]]:
    """View numbers to learn from and to score on."""
    held = list(range(HELD_OUT // 2, views, HELD_OUT))
    return [view for view in range(views) if view not in held], held
