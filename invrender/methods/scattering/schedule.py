"""From views to a medium: how dense it is on the whole, then where, from coarse grids to the fine one."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch

from invrender.kernels import Backend
from invrender.kernels.radiance import SceneArrays
from invrender.methods.scattering.beginning import ADVICE, BETAS, HAZY, LEVEL, Beginning, cosine
from invrender.methods.scattering.haze import fitted, hidden
from invrender.methods.scattering.objective import SEEN, Misfit, Pixels
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.methods.scattering.support import coarse
from invrender.methods.scattering.task import Task
from invrender.parameters.medium_values import (
    EXTINCTION,
    LEAST,
    MediumValues,
    encodings,
    resampled,
)
from invrender.parameters.neural_field import FieldSettings, NeuralField
from invrender.solve.adam import Adam
from invrender.solve.averaged import Averaged
from invrender.solve.groups import Groups
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.protocol import Params, Solver
from invrender.solve.running import Running

Tensor = torch.Tensor

LEVELS = ((4, 0.2), (2, 0.35), (1, 0.45))  # how much coarser than the result, and the share of the steps
COARSEST = 4  # cells along the longest axis
NEWEST, OLDER = 0.2, 0.25  # share of the newest picture in the running mean at first, and what of that is left
FIRST_SPP = 4  # rays a pixel of the picture that the running mean begins with
OPAQUE = 4.0  # optical depth beyond which more hides no more: steps are no longer than that makes them
TAIL = 0.3  # share of a phase's last steps whose iterates are averaged
SMOOTHING, USUAL = 0.12, 270  # total variation's share of the gradients' noise, after so many steps: more leave less
OUTWEIGHED = 0.8  # the same share of what noise pictures have, where a model without noise tells the gradients
ALONE, ALONE_SPP = 2, 8  # where it tells them alone: how many times as many rays a step has, and rays at first at least
FINER = 1 / 3  # power of the number of vertices by which coarse grids are smoothed less
RELATIVE = 0.02  # of the root mean square: radiance below counts as that in relative differences
NOISE_SEED = 1000
LEARNED = 0.5  # weight of a network's total variation: it is smooth by itself
TRAINING_RATE = 0.02  # of a network's weights


@dataclass(frozen=True)
class Plan:
    """The schedule of a run.

    Attributes:
        task, settings, backend: of the run.
    """

    task: Task
    settings: ScatteringSettings
    backend: Backend

    @cached_property
    def renderer(self) -> Renderer:
        """What sees the medium from the views."""
        return Renderer.of(self.task.scene, self.task.cameras, self.backend)

    @cached_property
    def beginning(self) -> Beginning:
        """What comes before paths of light are followed."""
        values = self.values(self.task.shape)
        return Beginning(self.task, self.settings, self.renderer, self.misfit(values, 1.0))

    @cached_property
    def shapes(self) -> list[tuple[tuple[int, int, int], int]]:
        """The grids from coarse to fine, with the steps on each."""
        sizes = [coarser(self.task.shape, factor) for factor, _ in LEVELS]
        counts = [max(1, round(share * self.settings.iterations)) for _, share in LEVELS]
        kept = [k for k in range(len(sizes)) if k + 1 == len(sizes) or sizes[k] != sizes[k + 1]]
        counts[-1] = max(1, self.settings.iterations - sum(counts[k] for k in kept[:-1]))
        return [(sizes[k], counts[k]) for k in kept]

    @cached_property
    def tables(self) -> tuple[Tensor, Tensor]:
        """Target and weight [P,3] of all pixels, on the backend's device."""
        target = self.task.images.reshape(-1, 3).float().to(self.backend.device)
        weight = self.task.weight.reshape(-1, 1).expand(-1, 3).to(target)
        if self.settings.loss == "relative":
            least = RELATIVE * float(target.square().mean().sqrt())
            weight = weight / (target.abs() + least).square()
        return target, weight

    def values(self, shape: tuple[int, int, int]) -> MediumValues:
        """What is free, on a grid."""
        support = coarse(self.task.support, shape).to(self.backend.device)
        return MediumValues(self.renderer.base, support, encodings(self.renderer.base, self.task.free))

    def smoothed(self, plain: Misfit, begun: Params) -> Misfit:
        """The objective with a total variation that outweighs the noise of gradients.

        Paths are random, and so are gradients; Adam follows their noise where pictures say little, as they do of the
        depth of an opaque medium. How large it is depends on the medium: it is measured where the descent begins. A
        model without noise leaves that of the pictures, and that does not fall with the number of steps.
        """
        support, share = plain.values.support, 0.0 if plain.haze is None else plain.haze.share
        random = torch.Generator().manual_seed(self.settings.seed + NOISE_SEED)
        count, noise = float(support.sum()), 0.0
        if share < 1:
            one, other = (plain.value_and_grad(begun, random)[1][EXTINCTION] * support for _ in range(2))
            noise += (1 - share) * SMOOTHING * self._fewer * float((one - other).abs().sum() / count)
        if plain.haze is not None:
            noise += share * OUTWEIGHED * float((plain.noise(begun, random) * support).abs().sum() / count)
        fewer = support.numel() / math.prod(self.task.shape)  # and steps between vertices are larger
        smoothing = self.settings.smoothing * fewer**FINER * plain.level * noise * count
        return replace(plain, smoothing=smoothing)

    @property
    def _fewer(self) -> float:
        """More steps leave less noise of paths."""
        return math.sqrt(USUAL / self.settings.iterations)

    @torch.no_grad()
    def begun(self, values: MediumValues, whole: Finished, params: Params, count: int) -> tuple[Misfit, Params]:
        """The objective on a grid, without total variation, and the parameters with what the running mean begins at."""
        plain, arrays = self.misfit(values, whole.measures[LEVEL]), values.arrays(params)
        share = whole.measures.get(HAZY, 0.0)  # runs that began before it was measured go on without
        if share == 0:
            return plain, {**params, SEEN: self.seen(arrays, FIRST_SPP)[:, :3]}
        alone = share == 1 and not values.encoded
        layers = self.seen(arrays, max(ALONE_SPP, count // 4) if alone else FIRST_SPP)
        haze = fitted(self.renderer, arrays, layers, share, self.settings.seed)
        rest = haze.rest(layers)
        off = rest + haze.gain(hidden(self.renderer, arrays, self.renderer.middles())) - plain.pixels.target
        pixels, spp = plain.pixels.evened(off, share), plain.spp * (ALONE if alone else 1)
        return replace(plain, haze=haze, pixels=pixels, spp=spp), {**params, SEEN: rest}

    def seen(self, arrays: SceneArrays, spp: int) -> Tensor:
        """What all pixels show, and alpha, [P,4]."""
        return self.renderer.layers(arrays, spp, self.settings.seed).to(self.backend.device)

    def misfit(self, values: MediumValues, level: float) -> Misfit:
        """The objective on a grid, without total variation."""
        target, weight = self.tables
        seen = self.renderer.meeting(values.support).reshape(len(self.task.cameras), -1)
        each = seen.shape[1]
        active = tuple((torch.nonzero(row)[:, 0] + k * each).to(target.device) for k, row in enumerate(seen))
        active = tuple(numbers for numbers in active if len(numbers))
        every = torch.cat(active)
        energy = (weight[every] * target[every].square()).mean().clamp(min=1e-12)
        return Misfit(values, self.renderer, Pixels(target, weight / energy, active), self.settings.views_a_step,
                      self.settings.spp, 0.0, level)  # fmt: skip

    def following(self, finished: tuple[Finished, ...]) -> Phase | None:
        """The next phase."""
        if not finished:
            return self.beginning.glowing()
        if len(finished) == 1:
            return self.beginning.whole(finished[0])
        if self.settings.field == "neural":
            return self._training(finished[1]) if len(finished) == 2 else None
        number = len(finished) - 2
        return self._descent(number, finished) if number < len(self.shapes) else None

    def _descent(self, number: int, finished: tuple[Finished, ...]) -> Phase:
        """The phase on one of the grids."""
        shape, count = self.shapes[number]
        level, before = finished[1].measures[LEVEL], finished[-1].result
        values = self.values(shape)
        begun = {**before, EXTINCTION: resampled(before[EXTINCTION], shape).clamp(min=LEAST)}
        plain, started = self.begun(values, finished[1], begun, count)

        def result(params: Params, state: Any) -> Params:
            del params
            mean: Params = state.mean
            return {**unseen(mean), EXTINCTION: mean[EXTINCTION] * values.support}

        return Phase(
            name=f"{'x'.join(map(str, shape[::-1]))}",
            title="descend",
            steps=count,
            start=lambda: Start(started),
            objective=self.smoothed(plain, started),
            solver=self._solver(values, level, count),
            decode=values.readable,
            result=result,
            first=sum(steps for _, steps in self.shapes[:number]),
            total=sum(steps for _, steps in self.shapes),
            keeps=1,
            seed=self.settings.seed + number,
            advice=ADVICE,
        )

    def learned(self, level: float) -> NeuralField:
        """The network of a run; `level`: optical depth of the longest side that it reaches easily."""
        shape = self.task.shape
        settings = FieldSettings.of_kind("latents", self.settings.seed)
        return NeuralField(shape, self.task.bounds, level / self._side, self.task.support > 0, settings)

    @property
    def _side(self) -> float:
        """The box's longest side in the world."""
        return float((self.task.bounds[1] - self.task.bounds[0]).max())

    def _training(self, whole: Finished) -> Phase:
        """The one phase that trains a network."""
        level, count = whole.measures[LEVEL], self.settings.iterations
        field = self.learned(level)
        values = replace(self.values(self.task.shape), field=field, side=self._side)
        rates = cosine(TRAINING_RATE, count)

        def start() -> Start:
            others = {name: value for name, value in whole.result.items() if name != EXTINCTION}
            begun = {name: value.to(self.backend.device) for name, value in field.initial().items()} | others
            return Start({**begun, SEEN: self.seen(values.arrays(begun), FIRST_SPP)[:, :3]})

        return Phase(
            name="train",
            title="train",
            steps=count,
            start=start,
            objective=replace(self.misfit(values, level), smoothing=LEARNED * self._fewer * self.settings.smoothing),
            solver=self._averaged(dict.fromkeys([*field.sizes, *values.encoded], Adam(rates, BETAS)), count),
            decode=values.readable,
            result=lambda params, state: {**unseen(state.mean), EXTINCTION: values.readable(state.mean)[EXTINCTION]},
            keeps=1,
            seed=self.settings.seed,
            advice=ADVICE,
        )

    def _solver(self, values: MediumValues, level: float, count: int) -> Averaged:
        extinction = Adam(cosine(self.settings.rate * min(level, OPAQUE), count), BETAS, lowest=LEAST)
        others = Adam(cosine(self.settings.values_rate, count), BETAS)
        solvers: dict[str, Solver[Any, Any]] = {EXTINCTION: extinction, **dict.fromkeys(values.encoded, others)}
        return self._averaged(solvers, count)

    def _averaged(self, solvers: dict[str, Solver[Any, Any]], count: int) -> Averaged:
        """With the running mean of what is seen, and a mean of the last iterates."""
        seen = Running(cosine(NEWEST, count, OLDER))
        return Averaged(Groups({**solvers, SEEN: seen}), round((1 - TAIL) * count))


def coarser(shape: tuple[int, int, int], factor: int) -> tuple[int, int, int]:
    """Samples of a grid whose cells are about so many times larger, but not too few."""
    factor = max(1, min(factor, (max(shape) - 1) // COARSEST))
    depth, height, width = (max(2, (n - 1) // factor + 1) for n in shape)
    return depth, height, width


def unseen(params: Params) -> Params:
    """Without the running mean."""
    return {name: value for name, value in params.items() if name != SEEN}
