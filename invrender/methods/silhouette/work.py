"""How much work a run from silhouettes is: trials, refinement and hulls by views, pixels and triangles."""

from __future__ import annotations

from dataclasses import dataclass

from invrender.geometry.carving import known_mask
from invrender.methods.silhouette.schedule import (
    COARSEST_EDGE,
    FINEST_EDGE,
    TRIAL,
    TRIAL_EDGE,
    TRIAL_HULL,
    shrinking,
    stage_edges,
)
from invrender.methods.silhouette.selection import FEWEST_VIEWS
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import extent, hull_cells
from invrender.methods.silhouette.task import MASK_SAMPLES, Task
from invrender.nouns import Views
from invrender.nouns.coverage import covers
from invrender.run.film import film_files
from invrender.run.work import Work, bytes_of

TRIES, FOLDS = 3.3, 1.06  # trials of the smoothness and their folds, as a rule; ten and two at most
WIDE = 1.8  # of the object in its normalised frame
TURN = 36  # frames of the turntable


@dataclass(frozen=True)
class Figures:
    """What masks say of an object before it is known.

    Attributes:
        views, pixels: how many, and how many pixels of all of them.
        longest: of the largest mask, in pixels.
        area: of the object's surface, in squared pixels: four times what a view shows of it, as of all convex bodies.
    """

    views: int
    pixels: int
    longest: int
    area: float

    @property
    def hull_cells(self) -> int:
        """Along the hull's longest side."""
        return hull_cells(self.longest)

    def edge(self, pixels: float) -> float:
        """Of triangles whose edges are so many pixels long, in normalised units."""
        return min(max(pixels * WIDE / self.longest, FINEST_EDGE), COARSEST_EDGE)

    def faces(self, edge: float) -> float:
        """How many triangles with edges of a length the surface takes."""
        return self.area * (WIDE / self.longest) ** 2 / (0.433 * edge * edge)


def figures(views: Views) -> Figures:
    """Count pixels of masks."""
    longest, covered = 1, 0
    for view in range(len(views)):
        mask = known_mask(views, view)
        longest, covered = max(longest, extent(mask)), covered + int(covers(mask).sum())
    return Figures(len(views), views.masks.numel(), longest, 4 * covered / max(len(views), 1))


def work(task: Task, settings: SilhouetteSettings) -> Work:
    """How much work a run is."""
    seen = figures(task.views)
    edge = seen.edge(settings.edge_pixels)
    sizes = [seen.faces(length) for length in stage_edges(edge)]
    steps = settings.iterations / len(sizes)
    chooses = settings.smoothness is None and settings.iterations > 0 and seen.views >= FEWEST_VIEWS
    tries, factor = TRIES if chooses else 0.0, shrinking(task.views)
    tried = seen.faces(TRIAL_EDGE * factor * edge)
    share = tries * settings.iterations * sum(part for part, _, _ in TRIAL)
    stepped = steps * sum(sizes) + share * tried
    drawn = settings.iterations * seen.views + 0.75 * share * seen.views / factor**2
    own = 0 if task.reference is None else len(task.reference.faces)
    frames = settings.gif_frames + TURN if settings.gif_frames else 0
    cells = seen.hull_cells
    amounts = {
        "load.process": 1.0,
        "load.pixels.meshes": 0.0 if task.reference is None else seen.pixels * MASK_SAMPLES**2,
        "start.columns": seen.views * cells**2,
        "start.cells": cells**3 + (0.75 * FOLDS * TRIAL_HULL**3 if tries else 0.0),
        "solve.steps": settings.iterations + share,
        "solve.faces": stepped,
        "solve.drawn.meshes": drawn * seen.area / 4,
        "solve.views.meshes": seen.views * (steps * sum(sizes) + 0.75 * share * tried),
        "solve.remeshed": sum(sizes) + (FOLDS * tried if tries else 0.0),
        "measure.run": 1.0,
        "measure.faces": sizes[-1] + own,
        "write.frames": float(frames),
        "write.faces": frames * sizes[-1],
    }
    held = {"task": bytes_of(task), "pixels": float(seen.pixels), "faces": sizes[-1], "own": float(own),
            "cells": float(cells**3)}  # fmt: skip
    films = film_files(settings.gif_frames, settings.video, turning=True)
    return Work(amounts, held, ("mesh.glb", "mesh.ply", *films))
