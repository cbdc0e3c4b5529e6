"""Refinement: a closed mesh is moved until its outlines fit the masks and the photographs agree about its surface.

The photographs are compared with each other, warped by the surface, not with a rendering: no colours of the surface and
no light have to be known. Outlines are driven by the masks alone; the surface inside by windows' correlation (ZNCC) and
by colours. A stage is one phase of the loop, on triangles of fixed connectivity.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import torch

from invrender import losses
from invrender.kernels import Backend, SilhouetteMisfit
from invrender.methods.silhouette.refine import DIFFUSED, FARTHEST, MISFIT_WEIGHT, RATE_DECAY, as_params, moving
from invrender.methods.silhouette.target import Shape
from invrender.nouns.topology import topology
from invrender.parameters.laplacian import degrees, product, uniform_laplacian
from invrender.parameters.large_steps import LargeSteps, large_steps
from invrender.photometry.photos import Photos
from invrender.photometry.zncc import Window, neighbours, warped
from invrender.solve.adam_uniform import UniformAdam
from invrender.solve.phase import Phase, Start
from invrender.solve.protocol import Params, Terms
from invrender.solve.rates import exponential_decay

Tensor = torch.Tensor

WIDEST = math.radians(50.0)  # between photographs that are compared
ADVICE = "check the cameras with `invrender inspect`, or lower the step length"


@dataclass(frozen=True)
class Stage:
    """One level of refinement.

    Attributes:
        iterations: gradient steps.
        rate: length of the first steps, in normalised units.
        outline: weight of the misfit's area relative to the membrane's.
        membrane, bending: weights of the regularisers.
        zncc, colour: weights of what photographs say of the surface; both 0: outlines alone.
        window: how photographs are compared.
        batch: photographs per step; others: with how many of its neighbours each is compared.
        diffusion: lambda of Large Steps.
    """

    iterations: int
    rate: float
    outline: float = MISFIT_WEIGHT
    membrane: float = 0.1
    bending: float = 0.5
    zncc: float = 0.0
    colour: float = 0.0
    window: Window = field(default_factory=Window)
    batch: int = 4
    others: int = 3
    diffusion: float = 10.0


@dataclass(frozen=True)
class Objective:
    """The loss of one stage as a function of Large Steps coordinates."""

    faces: Tensor
    photos: Photos
    near: Sequence[Sequence[int]]
    misfit: SilhouetteMisfit
    laplacian: Callable[[Tensor], Tensor]
    degree: Tensor
    map: LargeSteps
    stage: Stage
    backend: Backend

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss, misfit, 1 - ZNCC, colour difference, IoU, and the gradient of the loss; inf where a vertex is lost."""
        stage, vertices = self.stage, self.map.decode(params[DIFFUSED])
        misfit, pull, iou = self.misfit(vertices, self.photos.clip_from_object)
        smoothness = self.laplacian(vertices)
        surface = stage.membrane * float(losses.membrane(vertices, smoothness))
        surface += stage.bending * float(losses.bending(smoothness, self.degree))
        gradient = stage.outline * pull + stage.membrane * losses.membrane_gradient(smoothness)
        gradient += stage.bending * losses.bending_gradient(smoothness, self.degree, self.laplacian)
        terms = {"misfit": misfit}
        agreement = 0.0
        if stage.zncc or stage.colour:
            agreement, slope, said = self._photographs(vertices, random)
            gradient, terms = gradient + slope, {**terms, **said}
        lost = not bool(gradient.isfinite().all()) or float(vertices.abs().max()) > FARTHEST
        loss = math.inf if lost else stage.outline * misfit + surface + agreement
        return {"loss": loss, **terms, "iou": float(iou.mean())}, {DIFFUSED: self.map.decode_adjoint(gradient)}

    def _photographs(self, vertices: Tensor, random: torch.Generator) -> tuple[float, Tensor, Terms]:
        """What a batch of photographs says: its share of the loss, the gradient with the vertices, and terms."""
        stage = self.stage
        chosen = torch.randperm(len(self.photos), generator=random)[: stage.batch].tolist()
        x = vertices.detach().requires_grad_()
        total, apart, colours, count = x.sum() * 0, 0.0, 0.0, 0
        for view in chosen:
            seen = warped(x, self.faces, self.photos, view, self.near[view], stage.window, self.backend)
            share = float(self.photos.pixel[view]) ** 2 / (len(chosen) * max(len(self.near[view]), 1))
            total = total + share * (stage.zncc * seen.apart + stage.colour * seen.colours)
            apart, colours = apart + float(seen.apart.detach()), colours + float(seen.colours.detach())
            count += seen.count
        (slope,) = torch.autograd.grad(total, x)
        return float(total.detach()), slope, {"zncc": 1 - apart / max(count, 1), "colour": colours / max(count, 1)}


def objective(shape: Shape, photos: Photos, stage: Stage, backend: Backend) -> Objective:
    """The objective on a mesh of fixed connectivity; factorises its Large Steps operator."""
    faces = torch.from_numpy(shape.faces)
    edges, count = topology(faces), len(shape.vertices)
    laplacian = uniform_laplacian(edges, count)
    share, masks = photos.pixel.square() / len(photos), photos.masks.to(backend.device)
    return Objective(
        faces=faces,
        photos=photos,
        near=neighbours(photos, stage.others, WIDEST),
        misfit=backend.silhouette_misfit(faces, edges, count, masks, share, photos.confidence),
        laplacian=product(laplacian),
        degree=degrees(edges, count),
        map=large_steps(laplacian, stage.diffusion),
        stage=stage,
        backend=backend,
    )


def stage_phase(
    begin: Shape,
    photos: Photos,
    stage: Stage,
    backend: Backend,
    measures: Callable[[Shape], dict[str, float]] | None = None,
) -> Phase:
    """The phase of a stage, without its position among others; its estimates are shapes.

    Args:
        begin: with the stage's triangles, free of self-intersections.
        photos: to fit.
        stage: how.
        backend: what draws.
        measures: of the shape that it ends with.
    """
    loss = objective(begin, photos, stage, backend)

    decode, settle = moving(begin, loss.map)
    return Phase(
        name="photographs",
        title="photographs",
        steps=stage.iterations,
        start=lambda: Start({DIFFUSED: loss.map.encode(torch.from_numpy(begin.vertices))}),
        objective=loss,
        solver=UniformAdam(exponential_decay(stage.rate, RATE_DECAY, stage.iterations)),
        decode=decode,
        settle=settle,
        result=lambda params, state: as_params(settle(decode(params))),
        measures=lambda params, state: {} if measures is None else measures(settle(decode(params))),
        keeps=1,
        advice=ADVICE,
    )
