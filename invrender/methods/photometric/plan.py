"""Which stages a reconstruction from photographs goes through: chosen by the views, each kept only where it helps.

A shape begins as the visual hull, or, where many photographs see it, as the surface of a radiance field. Stages then
move it, and after each the photographs are predicted from one another (`photometry/score.py`): a stage that predicts
them worse than the shape before is undone. Cameras, where they are to be refined, come first; folds, where they are
asked for, are reconstructions of their own before the one from all views.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from invrender.kernels import Backend
from invrender.methods.photometric.appearance import reflecting
from invrender.methods.photometric.colouring import Model, coloured
from invrender.methods.photometric.lit import albedo_of
from invrender.methods.photometric.posing import FEWEST_ROUNDS, ROUNDS, cameras_of, posing_phase
from invrender.methods.photometric.ready import Ready
from invrender.methods.photometric.result import Result
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.photometric.task import Task
from invrender.methods.silhouette.start import FirstShape
from invrender.nouns import Lights, Views
from invrender.solve.phase import Finished, Phase

MANY = 32  # photographs from which on a radiance field finds more than the hull


@dataclass(frozen=True)
class Part:
    """One reconstruction.

    Attributes:
        views: to learn from.
        settings: how.
        backend: what draws.
        lights: that are known, or None.
        label: before the titles of its phases, such as "fold 1 of 2: ".
    """

    views: Views
    settings: PhotometricSettings
    backend: Backend
    lights: Lights | None = None
    label: str = ""

    @property
    def poses(self) -> bool:
        """Whether cameras are refined."""
        return "pose" in self.settings.optimize or "intrinsics" in self.settings.optimize

    @property
    def grows_field(self) -> bool:
        """Whether the shape begins as the surface of a radiance field."""
        wanted = self.settings.start
        return wanted == "field" or (wanted == "auto" and len(self.views) >= MANY)

    def count(self, finished: tuple[Finished, ...]) -> int:
        """How many phases there are, once the cameras are known."""
        lead = int(self.poses)
        if len(finished) < lead:
            return lead + 1
        ready = self.ready(finished)
        return lead + ready.levels + ready.later

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        if self.poses and not finished:
            rounds = max(FEWEST_ROUNDS, round(ROUNDS * min(self.settings.effort, 1.0)))
            return posing_phase(self.views, self.backend, self.settings.optimize, rounds)
        return self.ready(finished).following(finished[int(self.poses) :])

    def ready(self, finished: tuple[Finished, ...]) -> Ready:
        """The reconstruction with its cameras."""
        if not self.poses:
            return self._plain
        views = dataclasses.replace(self.views, cameras=cameras_of(finished[0].result, self.views))
        return Ready(views, self.settings, self.backend, self.lights, self.grows_field)

    @property
    def opening(self) -> FirstShape:
        """The hull, by the cameras as they were given."""
        return self._plain.first

    @cached_property
    def _plain(self) -> Ready:
        return Ready(self.views, self.settings, self.backend, self.lights, self.grows_field)


@dataclass(frozen=True)
class Plan:
    """The whole run: a part for each fold, then the one from all views."""

    task: Task
    settings: PhotometricSettings
    backend: Backend

    @cached_property
    def parts(self) -> list[Part]:
        """In their order; the last one is from all views."""
        count = len(self.task.views)
        names = [f"fold {k + 1} of {len(self.task.folds)}: " for k in range(len(self.task.folds))]
        folds = [
            Part(
                self.task.views[[i for i in range(count) if i not in aside]],
                self.settings,
                self.backend,
                self.task.lights,
                name,
            )
            for aside, name in zip(self.task.folds, names, strict=True)
        ]
        return [*folds, Part(self.task.views, self.settings, self.backend, self.task.lights)]

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        for part, own in self._divided(finished):
            phase = part.following(own)
            if phase is not None:
                labelled = f"{part.label}{phase.title}"
                return dataclasses.replace(
                    phase, title=labelled, recorded=phase.recorded and not part.label, keeps=len(finished)
                )
        return None

    def _divided(self, finished: tuple[Finished, ...]) -> Iterator[tuple[Part, tuple[Finished, ...]]]:
        """Parts with their own phases, up to the first that is not done."""
        for part in self.parts:
            own, size = finished, 0
            while size <= len(finished) and size < part.count(own[:size]):
                size += 1
            own, finished = finished[:size], finished[size:]
            yield part, own
            if len(own) < part.count(own):
                return

    def result(self, finished: tuple[Finished, ...]) -> Result:
        """The reconstruction from all views, and how the folds predict what they have not seen."""
        *folds, (part, own) = self._divided(finished)
        done = [self._model(each, phases) for each, phases in folds]
        scores = [
            score
            for model, aside in zip(done, self.task.folds, strict=True)
            for score in model.compared(self.task.views[list(aside)]).each
        ]
        result = self._model(part, own).result(self.task.unseen, tuple(scores))
        if result.gains is None or self.task.gains is None:
            return result
        return dataclasses.replace(result, gains=result.gains * self.task.gains)

    def _model(self, part: Part, own: tuple[Finished, ...]) -> Model:
        """A part's reconstruction; it knows what its cameras were before they were refined."""
        model = self._finished(part, own)
        return dataclasses.replace(model, given=part.views.cameras) if part.poses else model

    def _finished(self, part: Part, own: tuple[Finished, ...]) -> Model:
        ready = part.ready(own)
        phases = own[int(part.poses) :]
        shape, tried = ready.shape(phases)
        look = ready.look(phases)[1] if ready.lit else None
        if look is not None and part.lights is None and albedo_of(part.settings.albedo) is None:
            look = reflecting(look)
        return coloured(shape, tried, ready.views, ready.first.frame, part.settings, self.backend, look)
