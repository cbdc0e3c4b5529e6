"""Refinement: a closed mesh is moved until its silhouettes agree with the masks.

Stages alternate with isotropic remeshing, coarse triangles first. In each, vertices are optimised through Large Steps
with uniform Adam, and a membrane term is annealed from stage to stage: strong at first, so that what the views do not
hold up retracts as under surface tension, weak at last, so that the silhouettes fit. A stage may begin with fairing,
and ends with a surface that is free of self-intersections.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import losses
from invrender.errors import DivergedError
from invrender.geometry.embedded import remesh_embedded, roll_back
from invrender.geometry.vectors import Bools
from invrender.kernels import Backend, SilhouetteMisfit
from invrender.methods.silhouette.fairing import Fairing, faired
from invrender.nouns.topology import topology
from invrender.parameters.laplacian import degrees, product, uniform_laplacian
from invrender.parameters.large_steps import LargeSteps, large_steps
from invrender.solve import adam_uniform

Tensor = torch.Tensor

MISFIT_WEIGHT = 20.0  # of the misfit's area against the membrane's
RATE_DECAY = 0.1  # of the step length over a stage
MOST_HALVINGS = 5


@dataclass(frozen=True)
class Stage:
    """One level of refinement.

    Attributes:
        iterations: gradient steps.
        edge_length: of the triangles, in normalised units.
        rate: length of the first steps, in normalised units.
        membrane: weight of the membrane term.
        fairing: of the shape that the stage begins with; None: it begins as it is.
    """

    iterations: int
    edge_length: float
    rate: float
    membrane: float
    fairing: Fairing | None = None


@dataclass(frozen=True)
class Target:
    """What the silhouettes shall be.

    Attributes:
        clip_from_object: [N,4,4] float64, normalised frame to clip space.
        masks: [N,H,W] float32 coverage on the backend's device.
        pixel: [N] float64, size of a pixel at the object.
    """

    clip_from_object: Tensor
    masks: Tensor
    pixel: Tensor

    def __getitem__(self, index: Sequence[int]) -> Target:
        """Some of the views."""
        chosen = list(index)
        return Target(self.clip_from_object[chosen], self.masks[chosen], self.pixel[chosen])


@dataclass(frozen=True)
class Shape:
    """A closed mesh in the normalised frame: vertices [V,3] float64, faces [F,3] int64."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


@dataclass(frozen=True)
class Regulariser:
    """Weights that hold in all stages: bending of the surface, and lambda of the Large Steps diffusion."""

    bending: float = 1.0
    diffusion: float = 10.0


@dataclass(frozen=True)
class Step:
    """One step of a reconstruction.

    Attributes:
        phase: what is going on, for people.
        index: of the step in its phase, from 0.
        total: steps of the phase.
        shape: the estimate after the step.
        terms: loss terms and qualities by name.
    """

    phase: str
    index: int
    total: int
    shape: Shape
    terms: Mapping[str, float]


def refine(
    shape: Shape,
    target: Target,
    stages: Sequence[Stage],
    backend: Backend,
    regulariser: Regulariser,
    phase: str = "refine",
    ready: bool = False,
) -> Iterator[Step]:
    """Move `shape` towards the target's silhouettes, one yielded Step per iteration.

    Args:
        ready: whether the shape comes with triangles of the first stage's size.

    Raises:
        DivergedError: the loss stays not finite although the step length was halved five times.
    """
    total, done = sum(stage.iterations for stage in stages), 0
    for number, stage in enumerate(stages):
        begin = shape if ready and number == 0 else remeshed(shape, stage)
        first = _faired(begin, target, stage, backend)
        for i, (vertices, terms) in enumerate(_descend(first, target, stage, backend, regulariser)):
            last = i == stage.iterations - 1
            # Back towards the shape before fairing, which is the one that is known to be embedded.
            kept = roll_back(begin.vertices, vertices, begin.faces)[0] if last else vertices
            shape = Shape(kept, begin.faces)
            yield Step(phase, done + i, total, shape, terms)
        done += stage.iterations


def remeshed(shape: Shape, stage: Stage) -> Shape:
    """The shape with triangles of the stage's size."""
    return Shape(*remesh_embedded(shape.vertices, shape.faces, stage.edge_length))


def on_contours(shape: Shape, target: Target, backend: Backend) -> Bools:
    """Which vertices [V] a silhouette of the shape depends on, in any view.

    Compared with empty masks, all of a silhouette pulls, and it pulls on the vertices of its outline alone.
    """
    faces = torch.from_numpy(shape.faces)
    empty, weight = torch.zeros_like(target.masks), torch.ones_like(target.pixel)
    compare = backend.silhouette_misfit(faces, topology(faces), len(shape.vertices), empty, weight)
    pull = compare(torch.from_numpy(shape.vertices), target.clip_from_object)[1]
    decided: Bools = (pull != 0).any(1).numpy()
    return decided


def _faired(shape: Shape, target: Target, stage: Stage, backend: Backend) -> Shape:
    if stage.fairing is None:
        return shape
    held = on_contours(shape, target, backend)
    return Shape(faired(shape.vertices, shape.faces, held, stage.fairing), shape.faces)


def iou_with(shape: Shape, target: Target, backend: Backend) -> float:
    """Mean IoU of a shape's silhouettes with the masks of a target."""
    faces = torch.from_numpy(shape.faces)
    compare = backend.silhouette_misfit(
        faces, topology(faces), len(shape.vertices), target.masks, torch.zeros_like(target.pixel)
    )
    return float(compare(torch.from_numpy(shape.vertices), target.clip_from_object)[2].mean())


@dataclass(frozen=True)
class Objective:
    """The loss of one stage as a function of Large Steps coordinates, with its gradient written out."""

    misfit: SilhouetteMisfit
    clip_from_object: Tensor
    laplacian: Callable[[Tensor], Tensor]
    degree: Tensor
    map: LargeSteps
    membrane: float
    bending: float

    def __call__(self, u: Tensor) -> tuple[Tensor, Tensor, dict[str, float]]:
        """Vertices [V,3] of u, the gradient [V,3] there, and the terms of the loss."""
        vertices = self.map.decode(u)
        misfit, pull, iou = self.misfit(vertices, self.clip_from_object)
        smoothness = self.laplacian(vertices)
        membrane = float(losses.membrane(vertices, smoothness))
        bending = float(losses.bending(smoothness, self.degree))
        gradient = MISFIT_WEIGHT * pull + self.membrane * losses.membrane_gradient(smoothness)
        gradient += self.bending * losses.bending_gradient(smoothness, self.degree, self.laplacian)
        loss = MISFIT_WEIGHT * misfit + self.membrane * membrane + self.bending * bending
        terms = {"loss": loss, "misfit": misfit, "membrane": membrane, "bending": bending, "iou": float(iou.mean())}
        return vertices, self.map.decode_adjoint(gradient), terms


def objective(shape: Shape, target: Target, stage: Stage, backend: Backend, regulariser: Regulariser) -> Objective:
    """The objective on a mesh of fixed connectivity; factorises its Large Steps operator."""
    faces = torch.from_numpy(shape.faces)
    edges = topology(faces)
    laplacian = uniform_laplacian(edges, len(shape.vertices))
    share = target.pixel.square() / len(target.pixel)
    return Objective(
        misfit=backend.silhouette_misfit(faces, edges, len(shape.vertices), target.masks, share),
        clip_from_object=target.clip_from_object,
        laplacian=product(laplacian),
        degree=degrees(edges, len(shape.vertices)),
        map=large_steps(laplacian, regulariser.diffusion),
        membrane=stage.membrane,
        bending=regulariser.bending,
    )


def _descend(
    shape: Shape, target: Target, stage: Stage, backend: Backend, regulariser: Regulariser
) -> Iterator[tuple[NDArray[np.float64], dict[str, float]]]:
    """Vertices and loss terms after each step of a stage."""
    loss = objective(shape, target, stage, backend, regulariser)
    u = loss.map.encode(torch.from_numpy(shape.vertices))
    state, rate, halvings = adam_uniform.init(u), stage.rate, 0
    _, grad, terms = loss(u)
    for i in range(stage.iterations):
        while True:
            moved, next_state = adam_uniform.step(grad, u, state, rate * RATE_DECAY ** (i / stage.iterations))
            vertices, next_grad, terms = loss(moved)
            if math.isfinite(terms["loss"]) and bool(next_grad.isfinite().all()):
                break
            if halvings == MOST_HALVINGS:
                raise DivergedError(
                    f"the loss is not finite at step {i} although the step length was halved {halvings} times",
                    "check the cameras and masks with `invrender inspect`, or lower the step length with --set rate=",
                )
            halvings, rate = halvings + 1, rate / 2
        u, state, grad = moved, next_state, next_grad
        yield vertices.numpy(), terms
