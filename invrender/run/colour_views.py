"""Pictures of an input beside those of an estimate from the same cameras, for whatever is drawn in colours or greys."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.report.compared import Compared
from invrender.report.difference import COLOURS, psnr, psnr_of_light, signed
from invrender.run.input_views import EACH, SIDE, WORST, InputViews, Seat, told_worst, worst_first
from invrender.run.mesh_views import three
from invrender.run.shots import Picture

Floats = NDArray[np.floating]

SMALL = 64  # pixels of the longer side of pictures by which views are ranked


def _fully(seat: Seat) -> None:
    del seat


@dataclass(frozen=True)
class Beside:
    """A view and what an estimate shows from there, [H,W,3] uint8 of one size, and how well they agree, in dB."""

    target: Picture
    estimate: Picture
    difference: Picture
    score: float


@dataclass(frozen=True)
class ColourViews:
    """Views of an input, and how estimates are drawn from their cameras.

    Attributes:
        shown: the views.
        target: a view as it is shown, [H,W,3] uint8.
        draw: an estimate from a view's camera, likewise.
        counts: how far the pixels of a view count, [H,W] in [0, 1], or None: fully.
        small: pixels of the longer side of pictures by which views are ranked.
        unseen: whether nothing of the estimate has learnt from them.
        light: whether pictures are sRGB of light, which then is what is compared, as the metrics of their method do.
        several: draws for several cameras of one size what `draw` does for one; None: that would take as long.
    """

    shown: InputViews
    target: Callable[[Seat], Picture]
    draw: Callable[[Any, Seat], Picture]
    counts: Callable[[Seat], Floats | None] = _fully
    small: int = SMALL
    unseen: bool = False
    light: bool = False
    several: Callable[[Any, Sequence[Seat]], Sequence[Picture]] | None = None

    def beside(self, estimate: Any, seat: Seat) -> Beside:
        """A view beside an estimate."""
        return self._against(self.draw(estimate, seat), seat)

    def _against(self, found: Picture, seat: Seat) -> Beside:
        target, counts = self.target(seat), self.counts(seat)
        alike = psnr_of_light if self.light else psnr
        if counts is None:
            return Beside(target, found, signed(target, found), alike(target, found))
        known = counts > 0.5
        score = alike(target[known], found[known]) if known.any() else float("nan")
        return Beside(target, found, signed(target, found, counts), score)

    def frame(self, estimate: Any, seat: Seat, caption: str, quality: str, side: int) -> Picture:
        """A frame of a film: a view, an estimate from its camera, and the difference."""
        shown = self.beside(estimate, seat)
        labels = (seat.label, "estimate, from its camera", f"PSNR {shown.score:.1f} dB: {COLOURS}")
        return three((shown.target, shown.estimate, shown.difference), labels, caption, quality, side)

    def scores(self, estimate: Any) -> list[float]:
        """PSNR by view, of small pictures."""
        quick = replace(self.shown, side=self.small)
        seats = [quick.seat(number) for number in range(len(quick))]
        if self.several is None:
            return [self.beside(estimate, seat).score for seat in seats]
        drawn = self.several(estimate, seats)
        return [self._against(found, seat).score for found, seat in zip(drawn, seats, strict=True)]

    def worst(self, estimate: Any, scores: Sequence[float], side: int) -> list[Picture]:
        """Frames of the views that a result explains worst, each for a while."""
        found: list[Picture] = []
        for place, number in enumerate(worst_first(scores, WORST)):
            caption = told_worst(place, len(self.shown))
            found += [self.frame(estimate, self.shown.seat(number), caption, "", side)] * EACH
        return found

    def compared(self, estimate: Any, most: int) -> list[Compared]:
        """The views that an estimate explains worst, worst first."""
        found = []
        for number in worst_first(self.scores(estimate), most):
            shown = self.beside(estimate, replace(self.shown, side=SIDE).seat(number))
            score = shown.score if np.isfinite(shown.score) else 0.0
            name = self.shown.names[number]
            found.append(Compared(name, shown.target, shown.estimate, shown.difference, score, "PSNR, dB", self.unseen))
        return found


def all_compared(views: Sequence[ColourViews | None], estimate: Any, most: int) -> list[Compared]:
    """The views that an estimate explains worst among several sets of them, worst first."""
    found = [each for some in views if some is not None for each in some.compared(estimate, most)]
    return sorted(found, key=lambda each: each.score)[:most]
