"""From a hull to the photographs' detail: levels of search, each on finer triangles and with a shorter reach.

A level searches (`photometry/search.py`), which moves the surface by many pixels at once but lets outlines slip, and
then refines a little by outlines, which brings them back. Lengths are in pixels of the photographs, since it is these
that limit what can be told apart.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from invrender.geometry.embedded import remesh_embedded
from invrender.kernels import Backend
from invrender.methods.photometric.refine import Stage, stage_phase
from invrender.methods.silhouette.target import Shape, Target, on_contours
from invrender.photometry.photos import Photos, smaller
from invrender.photometry.search import Search, searched
from invrender.solve.phase import Phase

FINEST_PIXEL = 0.004  # normalised units: photographs of half of it are averaged down first
COARSE_PIXEL = 0.012  # coarser photographs are not averaged down for the first levels, nor looked for farther
PART = 1 / 3  # of a pixel: the unit of triangles' edges in coarse photographs
TOLERATED = 1 / 2000  # of the faces: pairs that may intersect after remeshing, until the result is repaired


@dataclass(frozen=True)
class Level:
    """One level.

    Attributes:
        factor: by which photographs are averaged down for the search.
        edge_length: of the triangles, in normalised units.
        search: how candidates are compared.
        rounds: of search.
        outline: the refinement after it; outline_factor: by which photographs are averaged down for it.
    """

    factor: int
    edge_length: float
    search: Search
    rounds: int
    outline: Stage
    outline_factor: int


def ladder(photos: Photos) -> list[Level]:
    """The levels for photographs, coarse to fine."""
    finest = reduction(photos)
    pixel = float(photos.pixel.median()) * finest
    coarse = 2 if pixel < COARSE_PIXEL / 2 else 1
    unit = max(min(pixel, FINEST_PIXEL), PART * pixel)
    far = min(pixel, COARSE_PIXEL)  # how far a hull can be off does not depend on the photographs
    deep = min(max(36 * far, 0.1), 0.2)

    def level(factor: int, edge: float, inward: float, outward: float, step: float, stage: Stage, rounds: int) -> Level:
        steps = 1 + round((inward + outward) / (step * pixel))
        return Level(
            factor * finest, edge * unit, Search(inward, outward, max(steps, 7)), rounds, stage, coarse * finest
        )

    return [
        level(coarse, 7.7, deep, 10 * far, 3.1, Stage(20, 0.006, membrane=0.3), 2),
        level(coarse, 5.6, 15 * far, 10 * far, 2.1, Stage(20, 0.004, membrane=0.2), 1),
        level(1, 4.1, 10 * far, 8 * far, 1.3, Stage(20, 0.003, membrane=0.1), 1),
        level(1, 3.3, 6.5 * far, 5 * far, 1.0, Stage(12, 0.0015, membrane=0.05, bending=0.3), 1),
    ]


def reduction(photos: Photos) -> int:
    """By how much photographs are averaged down before they are looked at, a whole number."""
    return max(1, math.floor(FINEST_PIXEL / float(photos.pixel.median())))


def climbed(shape: Shape, photos: Photos, level: Level, backend: Backend) -> Shape:
    """The shape after the rounds of search of a level, on its triangles.

    Args:
        shape: a closed mesh.
        photos: all of them, not averaged down.
        level: which.
        backend: what draws.
    """
    reduced = smaller(photos, level.factor)
    target = Target(reduced.clip_from_object, reduced.masks.to(backend.device), reduced.pixel)
    for _ in range(level.rounds):
        tolerated = round(TOLERATED * len(shape.faces))
        found = remesh_embedded(shape.vertices, shape.faces, level.edge_length, tolerated)
        held = on_contours(Shape(found.vertices, found.faces), target, backend)
        vertices, _ = searched(found.vertices, found.faces, reduced, held, level.search, backend)
        shape = Shape(vertices, found.faces)
    return shape


def level_phase(
    shape: Shape,
    photos: Photos,
    level: Level,
    backend: Backend,
    measures: Callable[[Shape], dict[str, float]] | None = None,
) -> Phase:
    """A level as a phase of the loop: its search happens when it is made, its steps are those of the outlines."""
    begin = climbed(shape, photos, level, backend)
    return stage_phase(begin, smaller(photos, level.outline_factor), level.outline, backend, measures)
