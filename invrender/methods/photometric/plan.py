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
from typing import Any

from invrender.kernels import Backend
from invrender.methods.photometric.colouring import Model, coloured
from invrender.methods.photometric.field.schedule import LEVELS, FieldSettings, field_schedule, fitted_of
from invrender.methods.photometric.field.surface import glimpsed, surface_of
from invrender.methods.photometric.posing import ROUNDS, cameras_of, posing_phase
from invrender.methods.photometric.result import Result, Tried
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.photometric.stages import Stage, colour_stages, search_stages
from invrender.methods.photometric.task import Task
from invrender.methods.silhouette.refine import shape_of
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import FirstShape, first_shape
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Views, Volume
from invrender.photometry.photos import Photos, photos_in
from invrender.photometry.score import predicted
from invrender.solve.phase import Finished, Phase

MANY = 32  # photographs from which on a radiance field finds more than the hull
SCORE, HULL, FIELD = "score", "hull", "field"  # measures of phases
FIELD_STEPS = 700


@dataclass(frozen=True)
class Part:
    """One reconstruction.

    Attributes:
        views: to learn from.
        settings: how.
        backend: what draws.
        label: before the titles of its phases, such as "fold 1 of 2: ".
    """

    views: Views
    settings: PhotometricSettings
    backend: Backend
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
        return lead + len(LEVELS) * self.grows_field + len(self.ready(finished).stages)

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        if self.poses and not finished:
            focal = "intrinsics" in self.settings.optimize
            return posing_phase(self.views, self.backend, focal, max(1, round(ROUNDS * self.settings.effort)))
        return self.ready(finished).following(finished[int(self.poses) :])

    def ready(self, finished: tuple[Finished, ...]) -> Ready:
        """The reconstruction with its cameras."""
        if not self.poses:
            return self._plain
        views = dataclasses.replace(self.views, cameras=cameras_of(finished[0].result, self.views))
        return Ready(views, self.settings, self.backend, self.grows_field)

    @property
    def opening(self) -> FirstShape:
        """The hull, by the cameras as they were given."""
        return self._plain.first

    @cached_property
    def _plain(self) -> Ready:
        return Ready(self.views, self.settings, self.backend, self.grows_field)


@dataclass(frozen=True)
class Ready:
    """A reconstruction whose cameras are known."""

    views: Views
    settings: PhotometricSettings
    backend: Backend
    grows_field: bool

    @cached_property
    def first(self) -> FirstShape:
        """The hull, its frame and the masks in it."""
        return first_shape(self.views, SilhouetteSettings(self.settings.input), self.backend)

    @cached_property
    def photos(self) -> Photos:
        """The views in the hull's frame."""
        return photos_in(self.first.frame, self.views)

    @cached_property
    def stages(self) -> list[Stage]:
        """After the field, if there is one."""
        make = colour_stages if self.grows_field else search_stages
        return make(self.photos, self.settings.effort, self.backend)

    @property
    def field_settings(self) -> FieldSettings:
        """Of the radiance field."""
        return FieldSettings(iterations=max(10, round(FIELD_STEPS * self.settings.effort)), seed=self.settings.seed)

    @property
    def levels(self) -> int:
        """Phases of the radiance field."""
        return len(LEVELS) if self.grows_field else 0

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        if len(finished) < self.levels:
            phase = field_schedule(self.views, self.field_settings, self.backend)(finished)
            assert phase is not None
            volume = phase.decode
            return dataclasses.replace(phase, decode=lambda params: self.glimpse(volume(params)))
        done = finished[self.levels :]
        if len(done) == len(self.stages):
            return None
        begin, scores = self.begun(finished)
        stage = self.stages[len(done)]
        phase = stage.phase(self.kept(begin, scores, done)[0])

        def measures(params: Any, state: Any) -> dict[str, float]:
            own = {SCORE: self.score(shape_of(phase.result(params, state)))}
            return own if done else {**own, **scores}

        return dataclasses.replace(
            phase, name=stage.name, title=stage.name, first=0, total=0, measures=measures, keeps=len(finished)
        )

    def begun(self, finished: tuple[Finished, ...]) -> tuple[Shape, dict[str, float]]:
        """The shape that the first stage begins with, and the scores of the hull and of the field's surface."""
        done = finished[self.levels :]
        hull = self.first.shape
        scores = {name: done[0].measures[name] for name in (HULL, FIELD) if name in done[0].measures} if done else {}
        if HULL not in scores:
            scores[HULL] = self.score(hull)
        if not self.grows_field:
            return hull, scores
        surface = self.surface(finished[self.levels - 1])
        if FIELD not in scores:
            scores[FIELD] = self.score(surface)
        return (surface if scores[FIELD] > scores[HULL] else hull), scores

    def kept(
        self, begin: Shape, scores: dict[str, float], done: tuple[Finished, ...]
    ) -> tuple[Shape, tuple[Tried, ...]]:
        """The shape after some stages, and what became of each."""
        best, score, tried = begin, max(scores.values()), []
        for stage, each in zip(self.stages, done, strict=False):
            after = each.measures[SCORE]
            tried.append(Tried(stage.name, after, score, after > score))
            if after > score:
                best, score = shape_of(each.result), after
        return best, tuple(tried)

    def surface(self, last: Finished) -> Shape:
        """Of the radiance field."""
        vertices, faces = surface_of(fitted_of(last.result)).numpy()
        return Shape(self.first.frame.normalise(vertices), faces)

    def glimpse(self, volume: Volume) -> Shape:
        """The surface of a field that forms, for pictures."""
        return Shape(*glimpsed(volume, self.first.frame))

    def score(self, shape: Shape) -> float:
        """How well a shape predicts each photograph from the others; see `photometry.score`."""
        return predicted(shape.vertices, shape.faces, self.photos, self.backend).value

    def shape(self, finished: tuple[Finished, ...]) -> tuple[Shape, tuple[Tried, ...]]:
        """The shape in the end, and what became of each stage."""
        begin, scores = self.begun(finished)
        shape, tried = self.kept(begin, scores, finished[self.levels :])
        if self.grows_field:
            field = Tried("field", scores[FIELD], scores[HULL], scores[FIELD] > scores[HULL])
            tried = (field, *tried)
        return shape, tried


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
            Part(self.task.views[[i for i in range(count) if i not in aside]], self.settings, self.backend, name)
            for aside, name in zip(self.task.folds, names, strict=True)
        ]
        return [*folds, Part(self.task.views, self.settings, self.backend)]

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
        done = [self._finished(each, phases) for each, phases in folds]
        scores = [
            score
            for model, aside in zip(done, self.task.folds, strict=True)
            for score in model.compared(self.task.views[list(aside)]).each
        ]
        return self._finished(part, own).result(self.task.unseen, tuple(scores))

    def _finished(self, part: Part, own: tuple[Finished, ...]) -> Model:
        ready = part.ready(own)
        phases = own[int(part.poses) :]
        shape, tried = ready.shape(phases)
        return coloured(shape, tried, ready.views, ready.first.frame, part.settings, self.backend)
