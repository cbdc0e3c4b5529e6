"""What a run from photographs ends with."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.evaluate.pictures import Comparison, PictureScores
from invrender.methods.photometric.change import Change
from invrender.nouns import Lights, Mesh, Views

Tensor = torch.Tensor


@dataclass(frozen=True)
class Tried:
    """A stage of the reconstruction, and whether its shape was kept.

    Attributes:
        name: of the stage.
        score: how well the shape after it predicts each photograph from the others; see `photometry.score`.
        before: the same of the shape that it began with.
        kept: whether the run went on with it.
    """

    name: str
    score: float
    before: float
    kept: bool


@dataclass(frozen=True)
class Result:
    """A finished reconstruction.

    Attributes:
        mesh: with its texture or colours, in world units; vertices are repeated along the seams of charts.
        surface: the same as a closed mesh with colours at the vertices.
        stages: what was tried.
        seen, unseen: pictures of it beside the photographs it was made from, and beside the others; None: none.
        folds: scores by views that a reconstruction from the others had not seen, one for each.
        coefficients: [V,K,3] of the surface's vertices, of colours that change with the view; None: they do not.
        lights: that fell on it, where they were told apart from its albedo.
        notes: for people.
        change: how cameras moved, where they were refined; `refined` and `refined_unseen`: the views with them.
        gains: [N,3] by which the photographs' light was multiplied, where exposures were unknown.
    """

    mesh: Mesh
    surface: Mesh
    stages: tuple[Tried, ...]
    seen: Comparison
    unseen: Comparison | None
    folds: tuple[PictureScores, ...] = ()
    coefficients: Tensor | None = None
    lights: Lights | None = None
    notes: tuple[str, ...] = ()
    change: Change | None = None
    refined: Views | None = None
    refined_unseen: Views | None = None
    gains: Tensor | None = None
