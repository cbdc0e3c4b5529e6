"""Refinement: a closed mesh is moved until its silhouettes agree with the masks.

Stages alternate with isotropic remeshing, coarse triangles first. In each, vertices are optimised through Large Steps
with uniform Adam, and a membrane term is annealed from stage to stage: strong at first, so that what the views do not
hold up retracts as under surface tension, weak at last, so that the silhouettes fit. A stage may begin with fairing,
and ends with a surface that is free of self-intersections. A stage is one phase of the loop.
"""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from invrender.geometry.embedded import remesh_embedded, roll_back
from invrender.geometry.fairness import Neighbours, fairness, neighbours
from invrender.kernels import Backend, SilhouetteMisfit
from invrender.methods.silhouette.fairing import Fairing, faired
from invrender.methods.silhouette.target import Shape, Target, on_contours
from invrender.nouns.topology import topology
from invrender.parameters.laplacian import uniform_laplacian
from invrender.parameters.large_steps import LargeSteps, large_steps
from invrender.run.memory import give_back
from invrender.solve.adam_uniform import UniformAdam
from invrender.solve.phase import Phase, Start, memoise_last
from invrender.solve.protocol import Params, Terms
from invrender.solve.rates import exponential_decay

Tensor = torch.Tensor
log = logging.getLogger(__name__)

DIFFUSED = "u"  # the name of the one parameter: Large Steps coordinates [V,3] float64
MISFIT_WEIGHT = 20.0  # of the misfit's area relative to the membrane's
RATE_DECAY = 0.1  # of the step length over a stage
FARTHEST = 180.0  # from the origin: a hundred boxes; a vertex beyond it is lost
ADVICE = "check the cameras and masks with `invrender inspect`, or lower the step length (--fresh --set rate=0.01)"


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
class Regulariser:
    """Weights that hold in all stages: bending of the surface, and lambda of the Large Steps diffusion."""

    bending: float = 1.0
    diffusion: float = 10.0


@dataclass(frozen=True)
class Objective:
    """The loss of one stage as a function of Large Steps coordinates, with its gradient written out."""

    misfit: SilhouetteMisfit
    clip_from_object: Tensor
    around: Neighbours
    map: LargeSteps
    membrane: float
    bending: float

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss, misfit, membrane, bending and IoU, and the gradient of the loss; inf where a vertex is lost."""
        del random
        vertices = self.map.decode(params[DIFFUSED])
        misfit, misfit_gradient, iou = self.misfit(vertices, self.clip_from_object)
        gradient = (MISFIT_WEIGHT * misfit_gradient).numpy()
        fair = fairness(vertices.numpy(), self.around, (self.membrane, self.bending), gradient)
        loss = MISFIT_WEIGHT * misfit + self.membrane * fair.membrane + self.bending * fair.bending
        lost = not math.isfinite(gradient.sum()) or fair.reach > FARTHEST
        terms = {"loss": math.inf if lost else loss, "misfit": misfit, "membrane": fair.membrane,
                 "bending": fair.bending, "iou": float(iou.mean())}  # fmt: skip
        return terms, {DIFFUSED: self.map.decode_adjoint(torch.from_numpy(gradient))}


def objective(shape: Shape, target: Target, stage: Stage, backend: Backend, regulariser: Regulariser) -> Objective:
    """The objective on a mesh of fixed connectivity; factorises its Large Steps operator."""
    faces = torch.from_numpy(shape.faces)
    edges = topology(faces)
    laplacian = uniform_laplacian(edges, len(shape.vertices))
    share = target.pixel.square() / len(target.pixel)
    return Objective(
        misfit=backend.silhouette_misfit(faces, edges, len(shape.vertices), target.masks, share, target.confidence),
        clip_from_object=target.clip_from_object,
        around=neighbours(shape.faces, len(shape.vertices)),
        map=large_steps(laplacian, regulariser.diffusion),
        membrane=stage.membrane,
        bending=regulariser.bending,
    )


def stage_phase(
    begin: Shape,
    target: Target,
    stage: Stage,
    backend: Backend,
    regulariser: Regulariser,
    measures: Callable[[Shape], dict[str, float]] | None = None,
) -> Phase:
    """The phase of a stage, without its position among others; its estimates are shapes.

    Args:
        begin: with the stage's triangles.
        target: the masks to fit.
        stage, regulariser: how.
        backend: what compares silhouettes.
        measures: of the shape that it ends with.
    """
    first = _faired(begin, target, stage, backend)
    loss = objective(first, target, stage, backend, regulariser)

    # Back towards the shape before fairing, which is the one that is known to be embedded.
    decode, settle = moving(begin, loss.map)
    return Phase(
        name="refine",
        title="refine",
        steps=stage.iterations,
        start=lambda: Start({DIFFUSED: loss.map.encode(torch.from_numpy(first.vertices))}),
        objective=loss,
        solver=UniformAdam(exponential_decay(stage.rate, RATE_DECAY, stage.iterations)),
        decode=decode,
        settle=settle,
        result=lambda params, state: as_params(settle(decode(params))),
        measures=lambda params, state: {} if measures is None else measures(settle(decode(params))),
        keeps=1,
        advice=ADVICE,
    )


def moving(begin: Shape, map: LargeSteps) -> tuple[Callable[[Params], Shape], Callable[[Shape], Shape]]:
    """What Large Steps coordinates stand for on the triangles of a shape, and how it ends: as free of
    self-intersections as the shape was, by taking back as much of the motion as that takes. Both remember their last.
    """

    @memoise_last
    def decode(params: Params) -> Shape:
        return Shape(map.decode(params[DIFFUSED]).numpy(), begin.faces)

    @memoise_last
    def settle(shape: Shape) -> Shape:
        return Shape(roll_back(begin.vertices, shape.vertices, begin.faces)[0], begin.faces)

    return decode, settle


def as_params(shape: Shape) -> Params:
    """A shape as named tensors."""
    return {"vertices": torch.from_numpy(shape.vertices), "faces": torch.from_numpy(shape.faces)}


def shape_of(result: Params) -> Shape:
    """The shape that a stage ended with."""
    return Shape(result["vertices"].cpu().numpy(), result["faces"].cpu().numpy())


def steps_before(stages: Sequence[Stage], number: int) -> int:
    """Steps of the stages before one."""
    return sum(stage.iterations for stage in stages[:number])


def remeshed(shape: Shape, edge_length: float) -> Shape:
    """The shape with triangles of a size; a line tells where it must stay as it is."""
    found = remesh_embedded(shape.vertices, shape.faces, edge_length)
    if not found.changed:
        log.info("triangles stay as they are: edges of %.3g would make the surface intersect itself", edge_length)
    give_back()
    return Shape(found.vertices, found.faces)


def _faired(shape: Shape, target: Target, stage: Stage, backend: Backend) -> Shape:
    if stage.fairing is None:
        return shape
    held = on_contours(shape, target, backend)
    return Shape(faired(shape.vertices, shape.faces, held, stage.fairing), shape.faces)
