"""The loss of shaded pictures: silhouettes, the colours inside them, and what both say of albedo and light.

Outlines follow the silhouettes alone: colours count only in pixels that lie inside the mask. Each step looks at a batch
of the views. Albedo and light, where they are not known, are no unknowns of the descent: all views say what colours the
vertices should have, and both follow in closed form (`Objective.refitted`).
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from invrender import losses
from invrender.geometry.vectors import Ints, vertex_normals
from invrender.kernels import Backend, ColourMisfit, SilhouetteMisfit
from invrender.methods.photometric.appearance import (
    WEAK,
    Appearance,
    fitted_albedo,
    fitted_constant,
    fitted_light,
)
from invrender.methods.photometric.normals import smooth_normals
from invrender.methods.photometric.separation import pairs_of, separated
from invrender.methods.silhouette.refine import DIFFUSED, FARTHEST, MISFIT_WEIGHT
from invrender.methods.silhouette.target import Shape, Target
from invrender.nouns.topology import Topology, topology
from invrender.parameters.laplacian import degrees, product, uniform_laplacian
from invrender.parameters.large_steps import LargeSteps, large_steps
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

ALBEDO, LIGHT = "albedo", "light"
WITHIN = 0.995  # coverage from which on a pixel shows nothing but the object
SOFTNESS = 0.02  # linear radiance
SOFTNESS_OF_SHADOWS = 0.06  # where hard shadows are traced per vertex, which misses their borders
BATCH = 6  # views of a step

Knowledge = Literal["known", "constant", "free"]


@dataclass(frozen=True)
class Unknowns:
    """What is to be found beside the shape: the albedo may be known, constant or free, the light known or free."""

    albedo: Knowledge = "free"
    light: Literal["known", "free"] = "free"


@dataclass(frozen=True)
class Pictures:
    """What shapes are compared with.

    Attributes:
        target: masks and matrices.
        images: [N,H,W,3] float32 linear radiance on the backend's device.
        weight: [N,H,W] float32, how far the colour of a pixel counts.
        softness: linear radiance below which differences count squared, and beyond which by their size alone.
    """

    target: Target
    images: Tensor
    weight: Tensor
    softness: float = SOFTNESS


@dataclass(frozen=True)
class Stage:
    """One level of refinement.

    Attributes:
        iterations: gradient steps.
        edge_length: of the triangles, in normalised units; None: those of the stage before.
        rate: length of the first steps, in normalised units.
        membrane, bending: weights.
        colours: weight of the colours relative to the silhouettes.
        variation: weight of the albedo's total variation.
    """

    iterations: int
    edge_length: float | None
    rate: float
    membrane: float
    bending: float
    colours: float
    variation: float


def pictures_of(target: Target, images: Tensor, confidence: Tensor | None = None) -> Pictures:
    """Linear pictures [N,H,W,3] with a target's masks; colours count where the mask is full and believed."""
    known = (target.masks > WITHIN).to(target.masks)
    if confidence is not None:
        known = known * confidence.to(known)
    return Pictures(target, images.to(target.masks), known)


@dataclass(frozen=True)
class Objective:
    """The loss of one stage as a function of Large Steps coordinates, for a given appearance."""

    pictures: Pictures
    faces: Tensor
    edges: Topology
    batches: Sequence[Sequence[int]]
    silhouettes: Sequence[SilhouetteMisfit]
    compare: ColourMisfit
    laplacian: Callable[[Tensor], Tensor]
    degree: Tensor
    map: LargeSteps
    stage: Stage
    unknowns: Unknowns
    pairs: Ints | None
    occlusion: Tensor | None
    look: Appearance

    def given(self, params: Params) -> Objective:
        """The objective with the appearance that parameters hold."""
        return dataclasses.replace(self, look=Appearance(params[ALBEDO], params[LIGHT], self.occlusion))

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss, misfits of silhouettes and colours, smoothness, on a random batch of the views; the loss's gradient."""
        number = int(torch.randint(len(self.batches), (), generator=random))
        views = self.batches[number]
        vertices = self.map.decode(params[DIFFUSED])
        misfit, gradient, iou = self.silhouettes[number](vertices, self.pictures.target.clip_from_object[list(views)])
        colours, d_colours = self._colour_misfit(vertices, views)
        smoothness = self.laplacian(vertices)
        membrane, bending = (
            float(losses.membrane(vertices, smoothness)),
            float(losses.bending(smoothness, self.degree)),
        )
        gradient = MISFIT_WEIGHT * (gradient + self.stage.colours * d_colours)
        gradient += self.stage.membrane * losses.membrane_gradient(smoothness)
        gradient += self.stage.bending * losses.bending_gradient(smoothness, self.degree, self.laplacian)
        loss = MISFIT_WEIGHT * (misfit + self.stage.colours * colours)
        loss += self.stage.membrane * membrane + self.stage.bending * bending
        lost = not bool(gradient.isfinite().all()) or float(vertices.abs().max()) > FARTHEST
        terms = {"loss": math.inf if lost else loss, "misfit": misfit, "colours": colours, "membrane": membrane,
                 "bending": bending, "iou": float(iou.mean())}  # fmt: skip
        return terms, {DIFFUSED: self.map.decode_adjoint(gradient)}

    def _colour_misfit(self, vertices: Tensor, views: Sequence[int]) -> tuple[float, Tensor]:
        """Mean over views of the colours' misfit, as an area, and its gradient with the vertices [V,3]."""
        moved = vertices.requires_grad_()
        colours = self.look.colours(smooth_normals(moved, self.faces))
        found = self.compare(vertices.detach(), colours.detach(), self.pictures.target.clip_from_object, views)
        (through_normals,) = torch.autograd.grad(colours, moved, found.d_colours)
        vertices.requires_grad_(False)
        return found.misfit / len(views), (found.d_vertices + through_normals) / len(views)

    def refitted(self, params: Params, separate: bool = False) -> Params:
        """The parameters with the albedo and light that all views ask for.

        Where neither is known the light changes only if they are to be told apart anew.
        """
        if self.unknowns.albedo == "known" and self.unknowns.light == "known":
            return params
        vertices = self.map.decode(params[DIFFUSED])
        look = self.given(params).look
        normals = smooth_normals(vertices, self.faces)
        every = range(len(self.pictures.images))
        colours = look.colours(normals)
        found = self.compare(vertices, colours, self.pictures.target.clip_from_object, every)
        wanted = colours - found.d_colours / found.curvature.clamp(min=1e-12)
        look = self._fitted(look, normals, wanted, found.curvature, separate)
        return {**params, ALBEDO: look.albedo, LIGHT: look.light}

    def _fitted(self, look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor, separate: bool) -> Appearance:
        given = (normals, wanted, weight)
        if self.unknowns.albedo == "constant" and self.unknowns.light == "known":
            return fitted_constant(look, *given)
        if self.unknowns.albedo != "free":
            return fitted_light(look, *given, WEAK)
        if separate and self.pairs is not None:
            look = separated(look, *given, self.pairs)
        area = float(self.pictures.target.pixel.square().sum())
        return fitted_albedo(look, *given, self.edges, self.stage.variation * area)


def objective(
    shape: Shape, pictures: Pictures, look: Appearance, stage: Stage, unknowns: Unknowns, backend: Backend,
    diffusion: float,
) -> Objective:  # fmt: skip
    """The objective on a mesh of fixed connectivity; factorises its Large Steps operator."""
    faces, count = torch.from_numpy(shape.faces), len(shape.vertices)
    edges = topology(faces)
    laplacian = uniform_laplacian(edges, count)
    target = pictures.target
    area = target.pixel.square()
    batches = interleaved(len(area), BATCH)
    silhouettes = [
        backend.silhouette_misfit(faces, edges, count, target.masks[list(b)], area[list(b)] / len(b)) for b in batches
    ]
    apart = unknowns.albedo == unknowns.light == "free"
    weight = pictures.weight * area[:, None, None].to(pictures.weight)
    return Objective(
        pictures=pictures,
        faces=faces,
        edges=edges,
        batches=batches,
        silhouettes=silhouettes,
        compare=backend.colour_misfit(faces, count, pictures.images, weight, pictures.softness),
        laplacian=product(laplacian),
        degree=degrees(edges, count),
        map=large_steps(laplacian, diffusion),
        stage=stage,
        unknowns=unknowns,
        pairs=pairs_of(shape.vertices, vertex_normals(shape.vertices, shape.faces)) if apart else None,
        occlusion=look.occlusion,
        look=look,
    )


def interleaved(count: int, size: int) -> list[list[int]]:
    """Numbers below `count` in as few groups of about `size` as it takes, each spread over all of them."""
    groups = max(1, round(count / size))
    return [list(range(group, count, groups)) for group in range(groups)]
