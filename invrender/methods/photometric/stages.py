"""The stages of a reconstruction from photographs: what is done to a shape, in which order."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from invrender.geometry.embedded import remesh_embedded
from invrender.kernels import Backend
from invrender.methods.photometric import refine
from invrender.methods.photometric.levels import Level, ladder, level_phase
from invrender.methods.silhouette.target import Shape
from invrender.photometry.photos import Photos
from invrender.solve.phase import Phase

FINAL_EDGE = 2.0  # of the refinement's triangles, in pixels
FINEST_EDGE, COARSEST_EDGE = 0.008, 0.04  # normalised units
FEW = 50  # pairs of faces that may intersect for a while
COLOURS = refine.Stage(80, 0.004, membrane=0.1, colour=4.0)


@dataclass(frozen=True)
class Stage:
    """A stage: its name, how many steps it takes, and its phase from the shape that it begins with."""

    name: str
    steps: int
    phase: Callable[[Shape], Phase]


def search_stages(photos: Photos, effort: float, backend: Backend) -> list[Stage]:
    """Levels of search along normals with a shrinking reach, each followed by a refinement of outlines."""

    def stage(level: Level) -> Stage:
        longer = replace(level.outline, iterations=scaled(level.outline.iterations, effort))
        own = replace(level, outline=longer)
        return Stage("search", longer.iterations, lambda begin: level_phase(begin, photos, own, backend))

    return [stage(level) for level in ladder(photos)]


def colour_stages(photos: Photos, effort: float, backend: Backend) -> list[Stage]:
    """Refinement of a surface that is nearly right by what many photographs show on it."""
    pixel = float(photos.pixel.median())
    edge = min(max(FINAL_EDGE * pixel, FINEST_EDGE), COARSEST_EDGE)
    stage = replace(COLOURS, iterations=scaled(COLOURS.iterations, effort))

    def phase(begin: Shape) -> Phase:
        return refine.stage_phase(remeshed(begin, edge), photos, stage, backend)

    return [Stage("refine", stage.iterations, phase)]


def scaled(steps: int, effort: float) -> int:
    """A number of steps, at least one."""
    return max(1, round(steps * effort))


def remeshed(shape: Shape, edge: float) -> Shape:
    """The shape with triangles of one size; a few intersections that remain are better than wrong triangles."""
    found = remesh_embedded(shape.vertices, shape.faces, edge, FEW)
    return Shape(found.vertices, found.faces)
