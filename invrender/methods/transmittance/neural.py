"""A density as a neural field, learned from transmittance by marching jittered rays.

Unlike a grid of densities it is never solved for, only trained: every step takes random pixels and compares
transmittances, so saturated rays say little and no logarithm of noisy pixels is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import torch

from invrender.cameras.rays import pixel_rays as matrices
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.problem import DENSITY, Problem
from invrender.nouns import Rays
from invrender.parameters.neural_field import FieldSettings, LearnedField, NeuralField
from invrender.render.estimators import box_ends, ray_marching
from invrender.solve.adam import Adam
from invrender.solve.phase import Finished, Phase, Schedule, Start
from invrender.solve.protocol import Params, Terms
from invrender.solve.rates import compounded_decay
from invrender.solve.several import Several

Tensor = torch.Tensor

ITERATIONS = 400
REPORTS = 40  # steps that are recorded, evenly spread over the iterations
ADVICE = "report it with the input; or use --fresh --field grid"


@dataclass(frozen=True)
class Training:
    """How the field is trained.

    Attributes:
        iterations: steps, each with new pixels.
        rays, samples: of a step: pixels, and samples on each.
        rate: of Adam at the start; it falls to a tenth.
        seed: of everything random.
    """

    iterations: int = ITERATIONS
    rays: int = 2048
    samples: int = 64
    rate: float = 0.03
    seed: int = 0


@dataclass(frozen=True)
class TransmittanceMisfit:
    """Mean squared difference of transmittances on random pixels: a `ValueAndGrad`."""

    problem: Problem
    field: NeuralField
    training: Training

    @cached_property
    def pixels(self) -> Tensor:
        """The pixels whose rays are used, counted through all views, rows and columns."""
        return self.problem.active_pixels.reshape(-1).nonzero()[:, 0]

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """The misfit and its gradient."""
        chosen = self.pixels[torch.randint(len(self.pixels), (self.training.rays,), generator=random)]
        leaves = {name: value.detach().requires_grad_(True) for name, value in params.items()}
        data = self.problem.measurement
        rays = pixel_rays(data, chosen)
        ends = box_ends(rays, self.field.bounds.float())
        shown = ray_marching(self.field.density(leaves), rays, ends, self.training.samples, random)
        target = torch.exp(-data.depth.reshape(-1)[chosen])
        loss = (shown - target).square().mean()
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        return {"misfit": float(loss.detach())}, dict(zip(leaves, gradients, strict=True))


def field_of(problem: Problem, training: Training) -> NeuralField:
    """The field that is trained, in the problem's box and on its support."""
    return NeuralField(
        problem.shape, problem.bounds.cpu(), problem.level, problem.support.cpu(), FieldSettings(seed=training.seed)
    )


def learnt(field: NeuralField, finished: tuple[Finished, ...], extinction: float) -> LearnedField:
    """The trained field, whose densities times `extinction` are those of the problem."""
    found = finished[-1].result
    return LearnedField(replace(field, level=field.level / extinction), {name: found[name] for name in field.sizes})


def field_schedule(problem: Problem, training: Training) -> Schedule:
    """The one phase that trains a field; its estimates are densities on the problem's grid, its result has weights."""
    field = field_of(problem, training)
    reports = min(REPORTS, training.iterations)
    adam = Adam(compounded_decay(training.rate, 0.1, training.iterations))

    def following(finished: tuple[Finished, ...]) -> Phase | None:
        if finished:
            return None
        return Phase(
            name="train",
            title="train",
            steps=reports,
            start=lambda: Start(field.initial()),
            objective=TransmittanceMisfit(problem, field, training),
            solver=Several(adam, training.iterations, reports),
            decode=field.decode,
            result=lambda params, state: {DENSITY: field.decode(params), **params},
            seed=training.seed,
            labels={"phase": "train"},
            constants={"smoothing": 0.0},
            advice=ADVICE,
        )

    return following


def pixel_rays(data: Measurement, pixels: Tensor) -> Rays:
    """Float32 rays through pixels [P], counted through all views, rows and columns."""
    height, width = data.cameras.size
    view, within = pixels // (height * width), pixels % (height * width)
    at = torch.stack([within % width + 0.5, within // width + 0.5, torch.ones(len(pixels))], -1).double()
    origin, direction = ((matrix[view] @ at[..., None])[..., 0] for matrix in matrices(data.cameras))
    return Rays(origin.float(), torch.nn.functional.normalize(direction, dim=-1).float())
