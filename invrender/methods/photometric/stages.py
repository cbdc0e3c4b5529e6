"""The stages of a reconstruction from photographs: what is done to a shape, in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from invrender.kernels import Backend
from invrender.methods.photometric.levels import Level, ladder, level_phase
from invrender.methods.silhouette import refine as silhouettes
from invrender.methods.silhouette.schedule import COARSEST_EDGE, FAIRINGS, FINEST_EDGE
from invrender.methods.silhouette.start import FirstShape
from invrender.methods.silhouette.target import Shape
from invrender.photometry.photos import Photos
from invrender.solve.phase import Phase

OUTLINES, EDGE_PIXELS = 100, 2.6  # steps of the last stage, and the edge length of its triangles in pixels


@dataclass(frozen=True)
class Stage:
    """A stage: its name, how many steps it takes, and its phase from the shape that it begins with."""

    name: str
    steps: int
    phase: Callable[[Shape], Phase]


def search_stages(first: FirstShape, photos: Photos, effort: float, backend: Backend) -> list[Stage]:
    """Levels of search along normals with a shrinking reach, each followed by a refinement of outlines; then outlines.

    Args:
        first: the hull, and the masks in its frame.
        photos: the views in the same frame.
        effort: factor on the steps.
        backend: what draws.
    """

    def stage(level: Level) -> Stage:
        longer = replace(level.outline, iterations=scaled(level.outline.iterations, effort))
        own = replace(level, outline=longer)
        return Stage("search", longer.iterations, lambda begin: level_phase(begin, photos, own, backend))

    return [*(stage(level) for level in ladder(photos)), outline_stage(first, effort, backend)]


def outline_stage(first: FirstShape, effort: float, backend: Backend) -> Stage:
    """Outlines alone: what photographs say too little of has at least the shape that silhouettes give."""
    steps = scaled(OUTLINES, effort)
    edge = float(np.clip(EDGE_PIXELS * float(first.target.pixel.median()), FINEST_EDGE, COARSEST_EDGE))

    def phase(begin: Shape) -> Phase:
        untouched = begin is first.shape  # a hull has creases; what searches have found are details
        membrane, fairing = (0.3, FAIRINGS[-1]) if untouched else (0.05, None)
        stage = silhouettes.Stage(steps, edge, 0.01 if untouched else 0.003, membrane, fairing)
        ready = silhouettes.remeshed(begin, stage.edge_length)
        return silhouettes.stage_phase(ready, first.target, stage, backend, silhouettes.Regulariser())

    return Stage("outlines", steps, phase)


def scaled(steps: int, effort: float) -> int:
    """A number of steps, at least one."""
    return max(1, round(steps * effort))
