"""Reconstruction of a closed mesh from silhouettes: hull, choice of smoothness, refinement, repair.

Only posed masks go in. The topology is that of the first shape (the visual hull has the holes that the views show), and
whatever the refinement does, the hull remains the result where refinement predicts unseen views no better.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from invrender.geometry.connectivity import orient_outward
from invrender.geometry.decimate import decimated
from invrender.geometry.repair import repair
from invrender.kernels import Backend
from invrender.methods.silhouette.fairing import Fairing
from invrender.methods.silhouette.refine import Regulariser, Stage, remeshed, shape_of, stage_phase, steps_before
from invrender.methods.silhouette.selection import FEWEST_VIEWS, TRY, Choice, Fold, Trials, coarser, held_out
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import MOST_CELLS, FirstShape, hull_of
from invrender.methods.silhouette.target import Shape, Target, iou_with, ious_with, target_in
from invrender.nouns import Mesh, Views
from invrender.parameters.frame import Frame
from invrender.solve.phase import Finished, Phase

EDGE_FACTORS = (2.0, 1.4, 1.0)  # edge length of the stages, relative to the last
RATES = (1.0, 0.5, 0.25)  # step length of the stages, relative to the first
MEMBRANES = (3.0, 0.75, 0.1)  # annealed weights at strength 1
# At first the hull is too large almost everywhere; in the last stage a zigzag is smoothed in both directions.
FAIRINGS = (Fairing(10.0, hold=6.0, outward=0.0),) * 2 + (Fairing(5.6, hold=3.0, outward=0.5),)
STRENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0)
TRIAL_HULL = 48  # cells of the hulls that trials start from
TRIAL_PIXELS = 160  # of the longest side of a trial's images, at most; at least half of the input's are left out
TRIAL_EDGE = 1.5  # edges of a trial's triangles relative to the final ones, both in pixels of their images
TRIAL = ((1 / 15, RATES[0], MEMBRANES[0]), (4 / 45, RATES[1], MEMBRANES[1]))  # share of the steps, rate, membrane
COLLAPSED = 0.02  # a refinement whose own views fit worse than the hull's by this much has failed
FINEST_EDGE, COARSEST_EDGE = 0.002, 0.06  # normalised units
FAIRED_EDGE = 0.008  # of the finest triangles that fairing takes place on


@dataclass(frozen=True)
class Result:
    """A finished reconstruction.

    Attributes:
        mesh: closed, outward, in world units.
        method: "refined", or "hull" where that was better.
        strength: of the membrane.
        choice: what leaving views out showed; None where it was not done.
        iou: mean IoU with the masks it was made from; ious: by view.
        hull_iou: the same for the first shape.
        repaired: "clean", "local" or "grid", see `repair`.
        intersections: pairs of faces that still intersect (0 unless repair failed).
        reduced: whether it has as few triangles as were asked for; else fewer would have torn it.
    """

    mesh: Mesh
    method: str
    strength: float
    choice: Choice | None
    iou: float
    ious: tuple[float, ...]
    hull_iou: float
    repaired: str
    intersections: int
    reduced: bool = True


@dataclass(frozen=True)
class Plan:
    """The schedule; `Plan(...).following` is what the loop takes.

    Attributes:
        views: posed masks.
        settings: how to reconstruct.
        backend: what compares silhouettes.
        first: the shape to start from.
    """

    views: Views
    settings: SilhouetteSettings
    backend: Backend
    first: FirstShape

    @property
    def regulariser(self) -> Regulariser:
        """Weights that hold in all stages."""
        return Regulariser(self.settings.bending, self.settings.diffusion)

    @property
    def chooses(self) -> bool:
        """Whether the smoothness is chosen by views left out."""
        enough = len(self.views.cameras) >= FEWEST_VIEWS
        return self.settings.smoothness is None and self.settings.iterations > 0 and enough

    @cached_property
    def stages(self) -> list[Stage]:
        """The stages at smoothness 1."""
        return plan(self.settings, self.first.target)

    @cached_property
    def trials(self) -> Trials:
        """Coarse reconstructions from smaller images of views that leave some out, on triangles of one size."""
        views = coarser(self.views, shrinking(self.views))
        target = target_in(self.first.frame, views, self.backend)
        edge = TRIAL_EDGE * _edge(self.settings, target)
        stages = [Stage(round(share * self.settings.iterations), edge, self.settings.rate * rate, membrane)
                  for share, rate, membrane in TRIAL]  # fmt: skip
        stages = [stage for stage in stages if stage.iterations]
        chosen = held_out(len(views.cameras))

        def fold(number: int) -> Fold:
            train, test = chosen[number]
            hull = self.settings.init == "hull"
            shape = _fold_hull(views, train, self.first.frame) if hull else self.first.shape
            begin = remeshed(shape, edge)
            # In the triangles of the trials, which are too large for thin parts: neither loses more by them.
            score = iou_with(begin, target[test], self.backend) if hull else None
            return Fold(target[train], target[test], begin, score)

        return Trials(fold, STRENGTHS, stages, self.backend, self.regulariser, len(chosen))

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        tried = [each for each in finished if each.name == TRY]
        done = finished[len(tried) :]
        if self.chooses and not done and (trial := self.trials.following(tried)) is not None:
            return trial
        if len(done) == len(self.stages):
            return None
        stage = self.stages[len(done)]
        strong = dataclasses.replace(stage, membrane=stage.membrane * self.strength(tried))
        shape = shape_of(done[-1].result) if done else self.first.shape
        phase = stage_phase(
            remeshed(shape, stage.edge_length), self.first.target, strong, self.backend, self.regulariser
        )
        return dataclasses.replace(phase, first=steps_before(self.stages, len(done)), total=self.settings.iterations)

    def choice(self, tried: Sequence[Finished]) -> Choice | None:
        """What leaving views out has shown; None where it was not done."""
        return self.trials.choice(tried) if self.chooses else None

    def strength(self, tried: Sequence[Finished]) -> float:
        """Of the membrane."""
        if self.settings.smoothness is not None:
            return self.settings.smoothness
        choice = self.choice(tried)
        return choice.strength if choice else 1.0

    def result(self, finished: tuple[Finished, ...]) -> Result:
        """The refined shape or the hull, whichever is better, repaired."""
        tried = [each for each in finished if each.name == TRY]
        choice, first, target = self.choice(tried), self.first, self.first.target
        hull_iou = iou_with(first.shape, target, self.backend)
        shape, method = (shape_of(finished[-1].result), "refined") if self.stages else (first.shape, self.settings.init)
        if self.settings.init == "hull" and self.stages:
            collapsed = iou_with(shape, target, self.backend) < hull_iou - COLLAPSED
            if collapsed or (choice is not None and not choice.refinement_helps):
                shape, method = first.shape, "hull"
        finest = min((stage.edge_length for stage in self.stages), default=COARSEST_EDGE)
        cells = min(round(2 * 0.9 / finest), MOST_CELLS)
        repaired = repair(shape.vertices, shape.faces, resolution=cells)
        final, reached = Shape(repaired.vertices, repaired.faces), True
        if self.settings.faces is not None:
            fewer = decimated(final.vertices, final.faces, self.settings.faces)
            final, reached = Shape(fewer.vertices, fewer.faces), fewer.reached
        ious = ious_with(final, target, self.backend)
        return Result(
            mesh=Mesh.from_numpy(first.frame.restore(final.vertices), final.faces),
            method=method,
            strength=self.strength(tried),
            choice=choice,
            iou=float(ious.mean()),
            ious=tuple(ious.tolist()),
            hull_iou=hull_iou,
            repaired=repaired.method,
            intersections=repaired.n_left,
            reduced=reached,
        )


def plan(settings: SilhouetteSettings, target: Target) -> list[Stage]:
    """The stages at strength 1. A start from a sphere gets a long first one on coarse triangles.

    Only what begins as a hull is faired: the details of a mesh to start from are there on purpose.
    """
    edge = _edge(settings, target)
    edges = stage_edges(edge)
    rates, membranes = list(RATES), list(MEMBRANES)
    if settings.init == "sphere":
        edges, rates, membranes = [2 * edges[0], *edges], [2.0, *rates], [MEMBRANES[0], *membranes]
    fairings: list[Fairing | None] = list(FAIRINGS) if settings.init == "hull" else [None] * len(edges)
    if edge < FAIRED_EDGE:
        rates, membranes, fairings = [*rates, rates[-1]], [*membranes, membranes[-1]], [*fairings, None]
    counts = [len(part) for part in np.array_split(np.arange(settings.iterations), len(edges))]
    rows = zip(counts, edges, [settings.rate * rate for rate in rates], membranes, fairings, strict=True)
    return [stage for stage in (Stage(*row) for row in rows) if stage.iterations]


def stage_edges(edge: float) -> list[float]:
    """Edge lengths of the stages, coarse triangles first, so that the last are so long.

    Creases of the hull are as wide as the views are few, however small the pixels: they are smoothed away on triangles
    that are no finer than they need to be, and a stage more takes the finer ones to the contours.
    """
    edges = [factor * max(edge, FAIRED_EDGE) for factor in EDGE_FACTORS]
    return edges if edge >= FAIRED_EDGE else [*edges, edge]


def shrinking(views: Views) -> int:
    """How many times smaller the images of a trial are."""
    return max(2, math.ceil(max(views.cameras.size) / TRIAL_PIXELS))


def _edge(settings: SilhouetteSettings, target: Target) -> float:
    """Length of the final triangles' edges, in normalised units."""
    return float(np.clip(settings.edge_pixels * float(target.pixel.median()), FINEST_EDGE, COARSEST_EDGE))


def _fold_hull(views: Views, train: Sequence[int], frame: Frame) -> Shape:
    chosen = list(train)
    vertices, faces = hull_of(views[chosen], TRIAL_HULL).mesh.numpy()
    return Shape(frame.normalise(vertices), orient_outward(vertices, faces))
