"""Reconstruction of a closed mesh from silhouettes: hull, choice of smoothness, refinement, repair.

Only posed masks go in. The topology is that of the first shape (the visual hull has the holes that the views show), and
whatever the refinement does, the hull remains the result where refinement predicts unseen views no better.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Generator, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.geometry.connectivity import is_closed_manifold, merge_vertices, orient_outward
from invrender.geometry.hull import frame_from_masks, visual_hull
from invrender.geometry.repair import repair
from invrender.kernels import Backend
from invrender.methods.silhouette.fairing import Fairing
from invrender.methods.silhouette.phantoms import without_phantoms
from invrender.methods.silhouette.refine import Regulariser, Shape, Stage, Step, Target, iou_with, refine
from invrender.methods.silhouette.selection import FEWEST_VIEWS, Choice, Fold, choose_strength, held_out
from invrender.nouns import Mesh, Views
from invrender.parameters.frame import Frame, frame_of

Tensor = torch.Tensor

EDGE_FACTORS = (2.0, 1.4, 1.0)  # edge length of the stages, relative to the last
RATES = (1.0, 0.5, 0.25)  # step length of the stages, relative to the first
MEMBRANES = (3.0, 0.75, 0.1)  # annealed weights at strength 1
# Early on a hull has too much almost everywhere; at last a zigzag goes whichever way its points lead.
FAIRINGS = (Fairing(10.0, hold=6.0, outward=0.0),) * 2 + (Fairing(5.6, hold=3.0, outward=0.5),)
STRENGTHS = (0.5, 0.7, 1.0, 1.4, 2.0)
SELECTION_SHARE = 1 / 3  # iterations of a trial reconstruction, of those of the real one
SELECTION_HULL = 64
COLLAPSED = 0.02  # a refinement whose own views fit worse than the hull's by this much has failed
CELL_PIXELS = 1.9  # size of a hull cell, in pixels of the views
FINEST_EDGE, COARSEST_EDGE = 0.008, 0.06  # normalised units


@dataclass(frozen=True)
class Settings:
    """How to reconstruct.

    Attributes:
        init: "hull" or "sphere": what refinement starts from (a mesh given to `reconstruct` goes before).
        iterations: steps of the refinement, over three stages; 0 returns the first shape.
        hull_resolution: cells along the hull's longest side; None: from the size of a pixel.
        edge_pixels: edge length of the final triangles, in pixels of the views.
        rate: step length of the first stage, as a share of about half the object's size.
        strength: factor on the membrane weights; None: chosen by leaving views out.
        bending, diffusion: see `Regulariser`.
    """

    init: str = "hull"
    iterations: int = 450
    hull_resolution: int | None = None
    edge_pixels: float = 2.6
    rate: float = 0.02
    strength: float | None = None
    bending: float = 1.0
    diffusion: float = 10.0


@dataclass(frozen=True)
class Result:
    """A finished reconstruction.

    Attributes:
        mesh: closed, outward, in world units.
        method: "refined", or "hull" where that was better.
        strength: of the membrane.
        choice: what leaving views out showed; None where it was not done.
        iou: mean IoU with the masks it was made from.
        hull_iou: the same for the first shape.
        repaired: "clean", "local" or "grid", see `repair`.
        intersections: pairs of faces that still intersect (0 unless repair failed).
    """

    mesh: Mesh
    method: str
    strength: float
    choice: Choice | None
    iou: float
    hull_iou: float
    repaired: str
    intersections: int


@dataclass(frozen=True)
class Start:
    """The first shape, the frame it lives in, and the target in that frame."""

    shape: Shape
    frame: Frame
    target: Target


def start(views: Views, settings: Settings, backend: Backend, initial: Mesh | None = None) -> Start:
    """The first shape and everything measured in its frame.

    Raises:
        InputError: the views have no common region, or `initial` is not a closed manifold.
    """
    if initial is not None:
        vertices, faces = merge_vertices(*initial.numpy())
        if not is_closed_manifold(faces):
            raise InputError(
                "the mesh to start from is not a closed manifold",
                "start from --init hull, or close the mesh (see `invrender inspect`)",
            )
        faces = orient_outward(vertices, faces)
        frame = frame_of(vertices)
    elif settings.init == "sphere":
        centre, half = frame_from_masks(views.masks, views.cameras)
        frame = Frame(centre, half / 0.9)
        vertices, faces = _sphere()
        vertices = frame.restore(0.6 * vertices)
    else:
        resolution = settings.hull_resolution or _hull_resolution(views)
        vertices, faces = visual_hull(views.masks, views.cameras, resolution).numpy()
        faces = orient_outward(vertices, faces)
        frame = frame_of(vertices)
    target = target_in(frame, views, backend)
    shape = Shape(frame.normalise(vertices), faces)
    if initial is None and settings.init == "hull":
        shape = without_phantoms(shape, target, backend)
    return Start(shape, frame, target)


def target_in(frame: Frame, views: Views, backend: Backend) -> Target:
    """The views as a target in a normalised frame."""
    masks = views.masks.to(backend.device, torch.float32)
    return Target(frame.clip_matrices(views.cameras), masks, frame.pixel(views.cameras).to(backend.device))


def reconstruct(views: Views, settings: Settings, backend: Backend, first: Start) -> Generator[Step, None, Result]:
    """Yield every step; return a Result (`result = yield from reconstruct(...)`).

    Raises:
        DivergedError: the loss does not stay finite.
    """
    shape, target = first.shape, first.target
    regulariser = Regulariser(settings.bending, settings.diffusion)
    choice: Choice | None = None
    if settings.strength is None and settings.iterations and len(views.cameras) >= FEWEST_VIEWS:
        choice = yield from _choose(views, settings, backend, first, regulariser)
    strength = settings.strength if settings.strength is not None else choice.strength if choice else 1.0
    stages = [dataclasses.replace(s, membrane=s.membrane * strength) for s in plan(settings, target)]
    hull_iou = iou_with(shape, target, backend)
    for step in refine(shape, target, stages, backend, regulariser):
        shape = step.shape
        yield step
    method = "refined" if settings.iterations else settings.init
    if settings.init == "hull" and settings.iterations:
        collapsed = iou_with(shape, target, backend) < hull_iou - COLLAPSED
        if collapsed or (choice is not None and not choice.refinement_helps):
            shape, method = first.shape, "hull"
    cells = round(2 * 0.9 / min((stage.edge_length for stage in stages), default=COARSEST_EDGE))
    repaired = repair(shape.vertices, shape.faces, resolution=cells)
    final = Shape(repaired.vertices, repaired.faces)
    return Result(
        mesh=Mesh.from_numpy(first.frame.restore(final.vertices), final.faces),
        method=method,
        strength=strength,
        choice=choice,
        iou=iou_with(final, target, backend),
        hull_iou=hull_iou,
        repaired=repaired.method,
        intersections=repaired.n_left,
    )


def _choose(
    views: Views, settings: Settings, backend: Backend, first: Start, regulariser: Regulariser
) -> Generator[Step, None, Choice]:
    """Trials with fewer iterations, on triangles no finer than the second stage's, and without the time for fairing."""
    trial = plan(dataclasses.replace(settings, iterations=round(settings.iterations * SELECTION_SHARE)), first.target)
    finest = trial[-2].edge_length if len(trial) > 1 else 0.0
    stages = [dataclasses.replace(s, edge_length=max(s.edge_length, finest), fairing=None) for s in trial]
    hull = settings.init == "hull"
    folds = _folds(views, first, hull)
    return (yield from choose_strength(folds, STRENGTHS, stages, backend, regulariser, compare_hull=hull))


def plan(settings: Settings, target: Target) -> list[Stage]:
    """The stages at strength 1. A start from a sphere gets a long first one on coarse triangles.

    Only what begins as a hull is faired: details of a mesh to start from are somebody's knowledge.
    """
    edge = float(np.clip(settings.edge_pixels * float(target.pixel.median()), FINEST_EDGE, COARSEST_EDGE))
    edges = [factor * edge for factor in EDGE_FACTORS]
    rates, membranes = list(RATES), list(MEMBRANES)
    if settings.init == "sphere":
        edges, rates, membranes = [2 * edges[0], *edges], [2.0, *rates], [MEMBRANES[0], *membranes]
    fairings: Sequence[Fairing | None] = FAIRINGS if settings.init == "hull" else [None] * len(edges)
    counts = [len(part) for part in np.array_split(np.arange(settings.iterations), len(edges))]
    rows = zip(counts, edges, [settings.rate * rate for rate in rates], membranes, fairings, strict=True)
    return [stage for stage in (Stage(*row) for row in rows) if stage.iterations]


def _folds(views: Views, first: Start, hull: bool) -> list[Fold]:
    """Leave-views-out problems; where hulls are used, each fold gets the hull of its own views alone."""
    folds = []
    for train, test in held_out(len(views.cameras)):
        shape = _fold_hull(views, train, first.frame) if hull else first.shape
        folds.append(Fold(first.target[train], first.target[test], shape))
    return folds


def _fold_hull(views: Views, train: Sequence[int], frame: Frame) -> Shape:
    chosen = list(train)
    vertices, faces = visual_hull(views.masks[chosen], views.cameras[chosen], SELECTION_HULL).numpy()
    return Shape(frame.normalise(vertices), orient_outward(vertices, faces))


def _hull_resolution(views: Views) -> int:
    """Cells of about CELL_PIXELS pixels, from the largest mask."""
    longest = max(_extent(mask) for mask in views.masks)
    return int(np.clip(longest / CELL_PIXELS, 32, 192))


def _extent(mask: Tensor) -> int:
    rows, columns = (mask > 0.5).nonzero(as_tuple=True)
    return int(max(np.ptp(rows.numpy()), np.ptp(columns.numpy()))) + 1 if len(rows) else 1


def _sphere(subdivisions: int = 4) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    from trimesh.creation import icosphere

    mesh = icosphere(subdivisions=subdivisions)
    return np.asarray(mesh.vertices, np.float64), np.asarray(mesh.faces, np.int64)
