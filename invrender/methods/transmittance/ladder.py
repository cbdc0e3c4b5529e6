"""The search for the smoothing weight: along a ladder of weights, as long as held-out views are predicted better.

To weaker ones first; where those are no better, to stronger ones, for early passes make weak ones look good.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from invrender.solve.phase import Finished

FEWEST_VIEWS = 8  # below this none is held out
HELD_OUT = 8  # one view of so many is
LADDER_FACTOR = 3.0  # between one weight and the next
FAST, CLOSE = 0.8, 1.05  # shares of a misfit: after a trial that is far from its end, and of one as good
SOLVE = 0.35  # of the passes after the first phase stay for all views
HELD_OUT_MISFIT = "held_out"  # the measure that choose phases leave


@dataclass(frozen=True)
class Ladder:
    """The weights to try, by factors of `LADDER_FACTOR` from the first, and their limits.

    `enough`: the share of the misfit below which a weaker weight is better. Of rounded pixels, differences that are
    less come and go with the passes; exact ones are made to ask for weaker weights than is right by sharp edges between
    the samples. `noisy`: whether pixels are noisy; `downwards`: whether there are no steps to stronger weights.
    """

    first: float
    lowest: float
    highest: float
    enough: float
    noisy: bool = False
    downwards: bool = False

    @property
    def explained(self) -> Ladder:
        """For data that a grid explains: down alone, and not as far, for `schedule.LESS` comes after it."""
        return replace(self, lowest=LADDER_FACTOR * self.lowest, downwards=True)

    def better(self, before: float, stays: float, moves: float, weaker: bool) -> bool:
        """Whether to move to another weight, from the misfits before a pair of trials, and after both of it.

        While the misfit of exact data falls fast it is the passes that are missing, not smoothing: weaker weights then
        need to be no better. Under noise a misfit that has risen on both sides says that noise is being fitted: no
        weaker one then.
        """
        if stays < FAST * before and (self.noisy or self.downwards):
            return weaker and moves < (self.enough if self.noisy else CLOSE) * stays
        return moves < (self.enough if weaker else 1.0) * stays and not (weaker and self.noisy and moves > before)

    def holds(self, weight: float) -> bool:
        """Whether a weight is one of them."""
        return 0.999 * self.lowest < weight < 1.001 * self.highest


LADDER = {
    "float": Ladder(1e-3, 3e-5, 3e-3, 0.95),
    "8bit": Ladder(1e-3, 1e-5, 3e-2, 0.98, noisy=True),
    "poisson": Ladder(3e-3, 1e-5, 3e-2, 1.0, noisy=True),
}


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


def weight_search(tried: Sequence[Finished], ladder: Ladder, trial: int, budget: int) -> WeightSearch:
    """The state of the search after some choose phases: a single one, then pairs (same weight, another weight).

    Args:
        tried: the choose phases.
        ladder: the weights to try.
        trial: passes of each.
        budget: passes that were left before the first.
    """
    weight, source = ladder.first, 0
    factors: tuple[float, ...] = (1 / LADDER_FACTOR, LADDER_FACTOR)
    scores: dict[float, float] = {}
    taken = [weight]
    left = budget - sum(phase.steps for phase in tried[:1])
    reserve = SOLVE * left
    for same in range(1, len(tried) + 2, 2):
        other = weight * factors[0]
        if not tried or same + 1 >= len(tried):
            done = bool(tried) and (left < 2 * trial + reserve or not ladder.holds(other))
            return WeightSearch(other if same < len(tried) else weight, source, done, scores)
        left -= tried[same].steps + tried[same + 1].steps
        before, stays, moves = (tried[k].measures[HELD_OUT_MISFIT] for k in (source, same, same + 1))
        scores[weight], scores[other] = stays, moves
        if ladder.better(before, stays, moves, weaker=other < weight):
            weight, source = other, same + 1
            taken.append(weight)
        elif len(factors) == 1 or ladder.downwards:
            # One that has become worse than one before it, in spite of more passes, was ahead for a moment alone.
            return WeightSearch(min(reversed(taken), key=scores.__getitem__), same, True, scores)
        else:
            source, factors = same, factors[1:]
    raise AssertionError("the ladder has an end")


def split(views: int) -> tuple[list[int], list[int]]:
    """View numbers to learn from and to score on."""
    held = list(range(HELD_OUT // 2, views, HELD_OUT))
    return [view for view in range(views) if view not in held], held
