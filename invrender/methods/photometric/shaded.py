"""Shape from shaded pictures, in stages.

The vertices move as in `methods.silhouette.refine` (Large Steps, uniform Adam, remeshing from coarse to fine), but the
colours inside the masks pull as well, and bend the normals until the shading agrees. Colours tell what silhouettes
cannot, such as hollows, so the membrane is weak here. A stage is one or more phases of the loop: where shadows are
traced, each begins with new ones.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch

from invrender.kernels import Backend
from invrender.methods.photometric.alternate import Alternate
from invrender.methods.photometric.appearance import Appearance, carried
from invrender.methods.photometric.objective import ALBEDO, LIGHT, Objective, Pictures, Stage, Unknowns, objective
from invrender.methods.photometric.occlusion import traced_occlusion
from invrender.methods.silhouette import refine as silhouettes
from invrender.methods.silhouette.refine import ADVICE, DIFFUSED, as_params, moving, shape_of
from invrender.methods.silhouette.target import Shape
from invrender.solve.adam_uniform import UniformAdam
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.protocol import Params
from invrender.solve.rates import exponential_decay

RATE_DECAY = 0.3  # of the step length over a stage
FIRST, LAST = 8, 5  # closed forms before the first step and after the last one of a phase
FIRST_PLAIN, LAST_PLAIN = 3, 1  # the same where all vertices share one albedo: then the light is one linear fit
CHUNKS = 4  # phases of a stage where shadows are traced
DIFFUSION = 6.0
STAGES = (
    Stage(200, 0.045, 0.010, 0.10, 0.3, 2.0, 0.20),
    Stage(150, 0.028, 0.004, 0.05, 0.2, 4.0, 0.10),
    Stage(100, None, 0.002, 0.01, 0.1, 4.0, 0.03),
)


SHADOWED_STAGES = (
    Stage(320, 0.045, 0.010, 0.10, 0.3, 1.0, 0.20),
    Stage(240, 0.028, 0.004, 0.05, 0.2, 2.0, 0.10),
    Stage(160, None, 0.002, 0.01, 0.1, 2.0, 0.03),
)
"""Where shadows are traced: they follow the shape, and the shape them."""


@dataclass(frozen=True)
class Shading:
    """The schedule; `Shading(...).following` is what the loop takes.

    Attributes:
        shape: what to start from, such as a visual hull or the result of silhouettes.
        look: the appearance of its vertices to start from; what is known of it stays.
        pictures: to compare with.
        unknowns: what is to be found beside the shape.
        backend: what draws.
        shadows: whether the shape's own shadows are traced.
        stages: coarse to fine.
    """

    shape: Shape
    look: Appearance
    pictures: Pictures
    unknowns: Unknowns
    backend: Backend
    shadows: bool = False
    stages: Sequence[Stage] = STAGES

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The phase after those that are finished, or None."""
        parts = CHUNKS if self.shadows else 1
        number, part = divmod(len(finished), parts)
        if number == len(self.stages):
            return None
        shape, look = self.result(finished) if finished else (self.shape, self.look)
        stage = self.stages[number]
        if part == 0 and stage.edge_length is not None:
            shape, look = remeshed(shape, look, stage.edge_length)
        if self.shadows:
            look = dataclasses.replace(look, occlusion=traced_occlusion(shape, look.light, self.backend))
        steps = [stage.iterations * (k + 1) // parts - stage.iterations * k // parts for k in range(parts)]
        shorter = dataclasses.replace(stage, iterations=steps[part], rate=stage.rate * RATE_DECAY ** (part / parts))
        phase = shaded_phase(
            shape, self.pictures, look, shorter, self.unknowns, self.backend, RATE_DECAY ** (1 / parts)
        )
        before = sum(s.iterations for s in self.stages[:number]) + sum(steps[:part])
        return dataclasses.replace(phase, first=before, total=sum(s.iterations for s in self.stages))

    def result(self, finished: tuple[Finished, ...]) -> tuple[Shape, Appearance]:
        """The shape and its appearance."""
        return shape_of(finished[-1].result), look_of(finished[-1].result)

    def unmoved(self) -> tuple[Shape, Appearance]:
        """The shape to start from, with the albedo and light that pictures ask of it as it is."""
        phase = shaded_phase(self.shape, self.pictures, self.look, self.stages[-1], self.unknowns, self.backend)
        return self.shape, look_of(phase.start().params)


def look_of(result: Params) -> Appearance:
    """The appearance that a phase ended with; its shadows are not kept."""
    return Appearance(result[ALBEDO].cpu(), result[LIGHT].cpu())


def remeshed(shape: Shape, look: Appearance, edge_length: float) -> tuple[Shape, Appearance]:
    """Triangles of another size, and the same albedo on them."""
    new = silhouettes.remeshed(shape, edge_length)
    return new, carried(look, shape, new)


def shaded_phase(
    begin: Shape, pictures: Pictures, look: Appearance, stage: Stage, unknowns: Unknowns, backend: Backend,
    decay: float = RATE_DECAY,
) -> Phase:  # fmt: skip
    """The phase of a stage, without its position among others; its estimates are shapes."""
    loss = objective(begin, pictures, look, stage, unknowns, backend, DIFFUSION)

    decode, settle = moving(begin, loss.map)
    before, after = (FIRST, LAST) if unknowns.albedo == "free" else (FIRST_PLAIN, LAST_PLAIN)

    def result(params: Params, state: Any) -> Params:
        del state
        last = _settled(loss, params, after, False)
        return {**as_params(settle(decode(params))), ALBEDO: last[ALBEDO], LIGHT: last[LIGHT]}

    def start() -> Start:
        coordinates = loss.map.encode(torch.from_numpy(begin.vertices))
        return Start(_settled(loss, {DIFFUSED: coordinates, ALBEDO: look.albedo, LIGHT: look.light}, before, True))

    return Phase(
        name="shade", title="shade", steps=stage.iterations, start=start, objective=loss,
        solver=Alternate(UniformAdam(exponential_decay(stage.rate, decay, stage.iterations))),
        decode=decode, settle=settle, result=result, keeps=1, advice=ADVICE,
    )  # fmt: skip


def _settled(loss: Objective, params: Params, rounds: int, separate: bool) -> Params:
    """The parameters with albedo and light fitted again and again."""
    for _ in range(rounds):
        params = loss.refitted(params, separate)
    return params
