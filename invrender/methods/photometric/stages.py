"""The stages of a reconstruction from photographs: what is done to a shape, in which order, and how often."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass

from invrender.geometry.embedded import remesh_embedded
from invrender.kernels import Backend
from invrender.methods.photometric import refine
from invrender.methods.photometric.rounds import as_params, rounds_phase
from invrender.methods.silhouette.refine import shape_of
from invrender.methods.silhouette.target import Shape, Target, on_contours
from invrender.photometry.photos import Photos
from invrender.photometry.search import Search, searched
from invrender.solve.phase import Phase
from invrender.solve.protocol import Params, Terms

SEARCHES = ((0.12, 0.03, 4), (0.06, 0.025, 4), (0.03, 0.02, 3))  # reach, edge length, rounds
FINAL_EDGE = 2.0  # of the refinement's triangles, in pixels
FINEST_EDGE, COARSEST_EDGE = 0.008, 0.04  # normalised units
FEW = 50  # pairs of faces that may intersect for a while


@dataclass(frozen=True)
class Stage:
    """A stage.

    Attributes:
        name: for people.
        steps: how many.
        phase: from the shape that it begins with.
        judged: whether its shape is held against the one before it.
    """

    name: str
    steps: int
    phase: Callable[[Shape], Phase]
    judged: bool = True


@dataclass(frozen=True)
class Material:
    """What stages work with: photographs, the masks as a target, and what draws."""

    photos: Photos
    target: Target
    backend: Backend

    @property
    def pixel(self) -> float:
        """Usual size of a pixel, in normalised units."""
        return float(self.photos.pixel.median())


def search_stages(given: Material, effort: float) -> list[Stage]:
    """Searches along normals with a shrinking reach, judged together."""
    stages = []
    for reach, edge, rounds in SEARCHES:
        count = max(1, round(rounds * min(effort, 1.0)))
        length = max(edge, 1.5 * given.pixel)
        stages.append(Stage("search", count, _search(given, reach, length, count), judged=False))
    return [*stages[:-1], dataclasses.replace(stages[-1], judged=True)]


def _search(given: Material, reach: float, edge: float, count: int) -> Callable[[Shape], Phase]:
    search = Search(inward=reach, outward=reach / 2)

    def one(params: Params, number: int) -> tuple[Params, Terms]:
        del number
        shape = remeshed(shape_of(params), edge)
        held = on_contours(shape, given.target, given.backend)
        vertices, gained = searched(shape.vertices, shape.faces, given.photos, held, search, given.backend)
        return as_params(Shape(vertices, shape.faces)), {"gained": gained}

    return lambda begin: rounds_phase("search", as_params(begin), count, one)


def refine_stages(given: Material, effort: float, colours: bool) -> list[Stage]:
    """Refinement by outlines and by windows of photographs; with many photographs by their colours."""
    edge = min(max(FINAL_EDGE * given.pixel, FINEST_EDGE), COARSEST_EDGE)
    stage = refine.Stage(
        iterations=max(1, round(80 * effort)), rate=0.004, zncc=0.0 if colours else 8.0, colour=4.0 if colours else 1.0
    )
    return [Stage("refine", stage.iterations, _refine(given, edge, stage))]


def _refine(given: Material, edge: float, stage: refine.Stage) -> Callable[[Shape], Phase]:
    return lambda begin: refine.stage_phase(remeshed(begin, edge), given.photos, stage, given.backend)


def remeshed(shape: Shape, edge: float) -> Shape:
    """The shape with triangles of one size; a few intersections that remain are better than wrong triangles."""
    found = remesh_embedded(shape.vertices, shape.faces, edge, FEW)
    return Shape(found.vertices, found.faces)
