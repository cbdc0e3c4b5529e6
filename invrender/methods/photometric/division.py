"""How the views of a dataset are divided: into those to learn from and those to measure by, and into folds."""

from __future__ import annotations

from invrender.errors import InputError, UsageError
from invrender.nouns import Views

EVERY, ENOUGH = 8, 24  # every how many-th view is set aside by itself, of so many views at least
FEWEST = 3  # views to learn from


def divided(views: Views, every: int | None) -> tuple[list[int], list[int]]:
    """The numbers of the views to learn from, and of those to measure by.

    Args:
        views: all of them.
        every: each how many-th is to measure by; 0: none; None: the dataset's own split, or else some of many views.

    Raises:
        InputError: too few are left to learn from.
    """
    spare = _spare(views, every)
    learn = [i for i in range(len(views)) if i not in spare]
    if len(learn) < FEWEST:
        held = f" of {len(views)}, for {len(spare)} are set aside," if spare else ""
        remedy = "set fewer aside (--holdout 0: none)" if len(views) - bool(spare) >= FEWEST else "take more views"
        raise InputError(
            f"there are {len(learn)} views{held} to learn from, and photographs need {FEWEST} or more", remedy
        )
    return learn, spare


def _spare(views: Views, every: int | None) -> list[int]:
    if every is None:
        if views.held_out:
            return list(views.held_out)
        every = EVERY if len(views) >= ENOUGH else 0
    return list(range(0, len(views), every)) if every else []


def folds_of(count: int, folds: int) -> tuple[tuple[int, ...], ...]:
    """View numbers that each of `folds` reconstructions does not see: evenly spread, each view once at most.

    Raises:
        UsageError: there are too few views for so many, or a single one is asked for.
    """
    if folds == 1:
        raise UsageError("--folds is 1, and needs another beside it", "give --folds 2 or more, or --holdout N")
    if folds > count:
        raise UsageError(f"--folds is {folds}, and there are {count} views", f"give --folds {count} or less")
    every = max(folds, 8) if count >= 16 else folds
    found = tuple(tuple(range(max(every // 2 - 1, 0) + fold * every // folds, count, every)) for fold in range(folds))
    left = count - max(map(len, found), default=0)
    if folds and left < FEWEST:
        raise UsageError(
            f"--folds {folds} of {count} views leaves {left} views to learn from, of {FEWEST} at least",
            "give more --folds, or leave them out",
        )
    return found
