"""The stages of a reconstruction from photographs: what is done to a shape, in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from invrender.kernels import Backend
from invrender.methods.photometric.levels import Level, ladder, level_phase
from invrender.methods.silhouette.target import Shape
from invrender.photometry.photos import Photos
from invrender.solve.phase import Phase


@dataclass(frozen=True)
class Stage:
    """A stage: its name, how many steps it takes, and its phase from the shape that it begins with."""

    name: str
    steps: int
    phase: Callable[[Shape], Phase]


def search_stages(photos: Photos, effort: float, backend: Backend) -> list[Stage]:
    """Levels of search along normals with a shrinking reach, each followed by a refinement of outlines."""

    def stage(level: Level) -> Stage:
        longer = replace(level.outline, iterations=max(1, round(level.outline.iterations * effort)))
        own = replace(level, outline=longer)
        return Stage("search", longer.iterations, lambda begin: level_phase(begin, photos, own, backend))

    return [stage(level) for level in ladder(photos)]
