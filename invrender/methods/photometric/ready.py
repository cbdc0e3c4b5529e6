"""A reconstruction whose cameras are known: hull or radiance field, then stages, each held against the shape before."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from invrender.kernels import Backend
from invrender.methods.photometric.appearance import Appearance
from invrender.methods.photometric.field.schedule import LEVELS, FieldSettings, field_schedule, fitted_of
from invrender.methods.photometric.field.surface import glimpsed, surface_of
from invrender.methods.photometric.lit import shading_of, shading_phases
from invrender.methods.photometric.result import Tried
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.photometric.shaded import Shading
from invrender.methods.photometric.stages import Stage, outline_stage, search_stages
from invrender.methods.silhouette.refine import shape_of
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import FirstShape, first_shape
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Lights, Views, Volume
from invrender.photometry.photos import Photos, photos_in
from invrender.photometry.score import predicted
from invrender.solve.phase import Finished, Phase

SCORE, HULL, FIELD = "score", "hull", "field"  # measures of phases
FIELD_STEPS = 450
ALONE = 2.0  # times the steps that outlines take after searches: from a hull they have farther to go
OUTLINES = 100.0  # what an IoU of 1 counts in dB where a lit shape is judged, beside its share of the score


@dataclass(frozen=True)
class Ready:
    """A reconstruction whose cameras are known."""

    views: Views
    settings: PhotometricSettings
    backend: Backend
    lights: Lights | None
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
        """From the hull; the surface of a radiance field predicts photographs better than searches from it.

        Of a lit result only what silhouettes alone give, which shading is held against.
        """
        if self.lit:
            return [outline_stage(self.first, ALONE * self.settings.effort, self.backend)]
        if self.grows_field:
            return []
        return search_stages(self.first, self.photos, self.settings.effort, self.backend)

    @property
    def field_settings(self) -> FieldSettings:
        """Of the radiance field."""
        return FieldSettings(iterations=max(10, round(FIELD_STEPS * self.settings.effort)), seed=self.settings.seed)

    @property
    def levels(self) -> int:
        """Phases of the radiance field."""
        return len(LEVELS) if self.grows_field else 0

    @property
    def lit(self) -> bool:
        """Whether albedo and light are told apart."""
        return self.settings.appearance == "lit"

    @property
    def later(self) -> int:
        """Phases after those of the radiance field."""
        return len(self.stages) + (shading_phases(self.settings) if self.lit else 0)

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        if len(finished) < self.levels:
            phase = field_schedule(self.views, self.field_settings, self.backend)(finished)
            assert phase is not None
            volume = phase.decode
            return dataclasses.replace(phase, decode=lambda params: self.glimpse(volume(params)))
        done = finished[self.levels :]
        if len(done) == self.later:
            return None
        begin, scores = self.begun(finished)
        shades = len(done) >= len(self.stages)
        if shades:
            phase = self.shading(begin).following(done[len(self.stages) :])
            assert phase is not None
            name = phase.name
        else:
            stage = self.stages[len(done)]
            phase, name = stage.phase(self.kept(begin, scores, done)[0]), stage.name

        def measures(params: Any, state: Any) -> dict[str, float]:
            judged = not shades or len(done) == self.later - 1
            own = {SCORE: self.score(shape_of(phase.result(params, state)))} if judged else {}
            return own if done else {**own, **scores}

        return dataclasses.replace(
            phase, name=name, title=name, first=phase.first if shades else 0,
            total=phase.total if shades else 0, measures=measures, keeps=len(finished),
        )  # fmt: skip

    def begun(self, finished: tuple[Finished, ...]) -> tuple[Shape, dict[str, float]]:
        """The shape that the first stage begins with, and the scores of the hull and of the field's surface."""
        done = finished[self.levels :]
        hull = self.first.shape
        scores = {name: done[0].measures[name] for name in (HULL, FIELD) if name in done[0].measures} if done else {}
        if HULL not in scores:
            scores[HULL] = self.hull_score
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
        """How well a shape predicts each photograph from the others; see `photometry.score`.

        Shading can buy agreement inside an outline by bending the outline; for a lit shape that counts more.
        """
        found = predicted(shape.vertices, shape.faces, self.photos, self.backend)
        return found.value + (OUTLINES * found.iou if self.lit else 0.0)

    @cached_property
    def hull_score(self) -> float:
        """How well the hull predicts them."""
        return self.score(self.first.shape)

    def shading(self, begin: Shape) -> Shading:
        """The schedule of shape, albedo and light."""
        return shading_of(begin, self.first.target, self.views, self.settings, self.lights, self.backend)

    def look(self, finished: tuple[Finished, ...]) -> tuple[Shape, Appearance]:
        """Shape, albedo and light in the end: the shape that shading found, or, where that explains less, the one that
        silhouettes alone give or the first."""
        begin, scores = self.begun(finished)
        done = finished[self.levels :]
        if self._shade(scores, done).kept:
            return self.shading(begin).result(done[len(self.stages) :])
        return self.shading(self.kept(begin, scores, done)[0]).unmoved()

    def _shade(self, scores: dict[str, float], done: tuple[Finished, ...]) -> Tried:
        """What became of shading: held against all that was there before."""
        before = max(*scores.values(), *(each.measures[SCORE] for each in done[: len(self.stages)]))
        after = done[-1].measures[SCORE]
        return Tried("shade", after, before, after > before)

    def shape(self, finished: tuple[Finished, ...]) -> tuple[Shape, tuple[Tried, ...]]:
        """The shape in the end, and what became of each stage."""
        begin, scores = self.begun(finished)
        done = finished[self.levels :]
        shape, tried = self.kept(begin, scores, done)
        if self.lit:
            shape, tried = self.look(finished)[0], (*tried, self._shade(scores, done))
        if self.grows_field:
            field = Tried("field", scores[FIELD], scores[HULL], scores[FIELD] > scores[HULL])
            tried = (field, *tried)
        return shape, tried
