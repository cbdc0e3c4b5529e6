"""The film of a mesh: the estimate from the input's own cameras or beside its asset, then a full turn of the result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from invrender.nouns import Mesh
from invrender.run.film import Ending, Moment
from invrender.run.input_views import EACH, WORST, Seat, at, told_worst, worst_first
from invrender.run.mesh_turn import Turn, overlaid
from invrender.run.mesh_views import MeshViews, Seen, on_paper, three
from invrender.run.shots import Picture

KEPT = 2**25  # bytes of an asset's pictures
NAMES = {"shaded": "the shape", "color": "the result in its colours", "normal": "its normals, as colours"}


@dataclass(frozen=True)
class MeshFilm:
    """How a mesh shows itself while it forms.

    Attributes:
        views: the input's, beside which it is drawn.
        turn: around it, in the normalised frame.
        frames, side: how many pictures while it forms; pixels of a panel.
        asset: in the normalised frame, beside which it turns instead; None: the input is a dataset.
        modes: how the result turns: mainly, and beside that.
    """

    views: MeshViews
    turn: Turn
    frames: int
    side: int
    asset: Mesh | None = None
    modes: tuple[str, str] = ("shaded", "normal")

    @cached_property
    def seats(self) -> list[Seat]:
        """The views that are shown in turn."""
        return self.views.shown.in_turn(self.frames)

    def forming(self, mesh: Mesh, now: Moment, quality: str) -> Picture:
        """An estimate, in the normalised frame, at a moment."""
        if self.asset is None:
            seat = at(self.seats, now)
            return self.views.frame(self.turn.world(mesh), seat, now.caption, quality, self.side, merged=True)
        where = [self.turn.place(now.number)]
        estimate = self.turn.seen(mesh, where, merged=True)[0]
        return overlaid(self._asset_from(where)[0], estimate, now.caption, quality, self.side)

    def _asset_from(self, cameras: Sequence[int]) -> list[Seen]:
        """The asset from some of the turn's cameras; what has been drawn is kept while there is room."""
        assert self.asset is not None
        missing = [each for each in cameras if each not in self._known]
        found = dict(zip(missing, self.turn.seen(self.asset, missing), strict=True))
        for number, (picture, cover) in found.items():
            if (len(self._known) + 1) * (picture.nbytes + cover.nbytes) <= KEPT:
                self._known[number] = (picture, cover)
        return [found[each] if each in found else self._known[each] for each in cameras]

    @cached_property
    def _known(self) -> dict[int, Seen]:
        return {}

    def worst(self, mesh: Mesh, scores: Sequence[float]) -> list[Picture]:
        """The views that a result, in the world, explains worst, each for a while; of an asset none."""
        if self.asset is not None:
            return []
        shown: list[Picture] = []
        for place, number in enumerate(worst_first(scores, WORST)):
            caption = told_worst(place, len(scores))
            shown += [self.views.frame(mesh, self.views.shown.seat(number), caption, "", self.side)] * EACH
        return shown

    def turning(self, result: Mesh, number: int, quality: str, merged: bool = False) -> Ending:
        """A full turn of a result in the world, which goes on from the film's pictures, and the result's alone.

        `merged`: whether it is a mesh that a solver has moved, without seams.
        """
        where, mesh = self.turn.whole(number), self.turn.placed(result)
        main = self.turn.seen(mesh, where, self.modes[0], merged)
        alone = [picture for picture, _ in main]
        if self.asset is not None:
            pairs = zip(self._asset_from(where), main, strict=True)
            return Ending([overlaid(a, b, "the result", quality, self.side) for a, b in pairs], alone)
        other = [picture for picture, _ in self.turn.seen(mesh, where, self.modes[1])]
        near = self.turn.nearest(self.views, where)
        shape = self.views.shown.panel_shape(self.side)
        frames = [
            three(
                (on_paper(near[k][0], shape), on_paper(alone[k], shape), on_paper(other[k], shape)),
                (near[k][1], NAMES[self.modes[0]], NAMES[self.modes[1]]), "the result", quality, self.side,
            )
            for k in range(len(where))
        ]  # fmt: skip
        return Ending(frames, alone)
