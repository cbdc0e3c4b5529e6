"""What comes before paths of light are followed: a first shape, and how dense the medium is on the whole."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from invrender.methods.scattering.glow import Glow
from invrender.methods.scattering.haze import fits, foreseen, trusted
from invrender.methods.scattering.objective import Misfit
from invrender.methods.scattering.renderer import Renderer
from invrender.methods.scattering.settings import ScatteringSettings
from invrender.methods.scattering.task import BARE_SPP, Task
from invrender.parameters.medium_values import ENVIRONMENT, EXTINCTION, LEAST, values_of
from invrender.solve.adam import Adam
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.protocol import Params
from invrender.solve.rates import Rate, exponential_decay

Tensor = torch.Tensor

GLOWING, GLOW_RATE, GLOW_COOLED = 60, 0.4, 0.1  # steps of the first shape, Adam's rate, and what of that is left
DEPTHS = tuple(0.125 * 2**k for k in range(10))  # optical depths of the longest side that are tried as a whole
FACTORS = tuple(2.0**k for k in range(-2, 3))  # tried with a first shape, of the depth that is best as a whole
PEAK, FIRST = 3.0, 0.3  # of the density on the whole: that of the densest places, about, and what the start has of it
BETAS = (0.9, 0.99)
LAST = 0.05  # of the rate, at a phase's end
LEVEL, HAZY = "level", "hazy"
ADVICE = "lower the rate (--fresh --set rate=0.05)"


@dataclass(frozen=True)
class Beginning:
    """The first phases of a run.

    Attributes:
        task, settings: of the run.
        renderer: what sees the medium from the views.
        misfit: the objective on the result's grid, without total variation.
    """

    task: Task
    settings: ScatteringSettings
    renderer: Renderer
    misfit: Misfit

    def glowing(self) -> Phase:
        """A first shape; without steps where nobody knows what is behind the medium."""
        bare = self.renderer.drawn(BARE_SPP, self.settings.seed)
        glow = Glow(self.task, bare, self.renderer.backend)
        known = ENVIRONMENT not in self.task.free and glow.tells
        return Phase(
            name="glow",
            title="begin",
            steps=GLOWING if known else 0,
            start=lambda: Start(glow.initial()),
            objective=glow,
            solver=Adam(exponential_decay(GLOW_RATE, GLOW_COOLED, GLOWING), BETAS),
            decode=lambda params: self._unlit(glow.extinction(params)),
            result=lambda params, state: {EXTINCTION: glow.extinction(params)} if known else {},
            keeps=1,
            seed=self.settings.seed,
            advice=ADVICE,
        )

    def _unlit(self, extinction: Tensor) -> dict[str, Tensor]:
        """What the film shows of a first shape."""
        values = self.misfit.values
        return values.readable(values.initial(extinction.to(values.support), values_of(values.base)))

    def whole(self, glowing: Finished) -> Phase:
        """No steps: how dense the medium is on the whole, as if it were so everywhere that it can be, or in a shape."""
        values, base = self.misfit.values, values_of(self.misfit.values.base)
        shape = glowing.result.get(EXTINCTION)

        def start() -> Start:
            alike = torch.ones_like(values.support)
            depth, least = self._densest(alike, DEPTHS)
            begun = FIRST * depth * alike
            if shape is not None:
                shaped = shape.to(alike)
                factor, found = self._densest(shaped, [depth * each for each in FACTORS])
                begun = factor * shaped if found < least else begun
            params = values.initial(begun.clamp(min=LEAST), base)
            told = {LEVEL: torch.tensor(PEAK * depth), HAZY: torch.tensor(self._hazy(params))}
            return Start({**params, **told})

        return Phase(
            name="whole",
            title="begin",
            steps=0,
            start=start,
            objective=self.misfit,
            solver=Adam(cosine(0.0, 1)),
            decode=values.readable,
            result=lambda params, state: {name: params[name] for name in params if name not in (LEVEL, HAZY)},
            measures=lambda params, state: {name: float(params[name]) for name in (LEVEL, HAZY)},
        )

    def _hazy(self, params: Params) -> float:
        """How much the model of a thin medium counts."""
        if not fits(self.renderer):
            return 0.0
        return trusted(foreseen(self.renderer, self.misfit.values.arrays(params), self.settings.seed))

    @torch.no_grad()
    def _densest(self, shape: Tensor, tried: Sequence[float]) -> tuple[float, float]:
        """The factor of a shape [D,H,W] that explains the views best, and the mean squared difference nearby.

        Args:
            shape: to try.
            tried: factors, each twice the one before.
        """
        values, found = self.misfit.values, []
        for factor in tried:
            random = torch.Generator().manual_seed(self.settings.seed)  # the same views and paths for all
            params = values.initial(factor * shape, values_of(values.base))
            found.append(float(self.misfit.difference(params, random)))
        return tried[0] * 2 ** lowest(found), min(found)


def lowest(found: list[float]) -> float:
    """Where the parabola through the least of some values and those beside it is lowest, in places of the list."""
    k = min(range(len(found)), key=found.__getitem__)
    if k in (0, len(found) - 1):
        return float(k)
    before, least, after = found[k - 1 : k + 2]
    bend = before - 2 * least + after
    return k + (0.5 * (before - after) / bend if bend > 0 else 0.0)


def cosine(first: float, steps: int, last: float = LAST) -> Rate:
    """From `first` along half a cosine to a small share of it."""
    return lambda count: first * (last + (1 - last) * (1 + math.cos(math.pi * count / max(steps, 1))) / 2)
