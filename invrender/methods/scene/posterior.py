"""The posterior of a scene's values: what pictures with noise leave possible, as draws.

Around the optimum proposals of a Laplace approximation are nearly always right; where they are not (steps of hard
shadows, cameras that see the same from several sides) populations are led from the prior to the posterior instead.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.methods.scene.misfit import Misfit
from invrender.parameters.scene_values import SceneValues
from invrender.solve.diagnostics import Diagnosis, diagnose
from invrender.solve.protocol import Params

Tensor = torch.Tensor

METROPOLIS, TEMPERED = "independence Metropolis-Hastings", "tempered sequential Monte Carlo"


@dataclass(frozen=True)
class ScenePosterior:
    """A `Posterior` of free numbers: independent normal priors about the start, and normal noise of the targets.

    Attributes:
        misfit: without a prior of its own, of pictures that are not blurred.
        sigma: of the noise, in units of the residuals.
        width: factor on the standard deviations of the priors.
    """

    misfit: Misfit
    sigma: float
    width: float = 1.0

    @cached_property
    def centre(self) -> Tensor:
        """[n] of the priors."""
        return self.misfit.values.joined(self.misfit.values.encode())

    @cached_property
    def deviation(self) -> Tensor:
        """[n] standard deviations of the priors."""
        return self.width * self.misfit.values.spreads()

    @property
    def precision(self) -> Tensor:
        """[n] of the priors."""
        return self.deviation**-2

    def draw(self, random: torch.Generator) -> Params:
        """From the prior."""
        off = torch.randn(len(self.centre), generator=random, dtype=torch.float64)
        return self.misfit.values.split(self.centre + self.deviation * off)

    def log_prior(self, params: Params) -> float:
        """Its logarithm, up to a constant."""
        off = (self.misfit.values.joined(params) - self.centre) / self.deviation
        return -float(off @ off) / 2

    def log_likelihood(self, params: Params) -> float:
        """Of the targets, up to a constant, by the kernels."""
        residual = self.misfit.residual(params)
        return -float(residual @ residual) / (2 * self.sigma**2)

    def log_density(self, params: Params) -> float:
        """Of the posterior, up to a constant."""
        return self.log_prior(params) + self.log_likelihood(params)


@dataclass(frozen=True)
class Sampled:
    """Draws from the posterior.

    Attributes:
        method: how they were drawn.
        distrusted: why the first method was not enough; empty where it was.
        numbers: [C,N,n], the free numbers of C chains; `density`: [C,N], the logarithm of the posterior there.
        shown: [C,N,K], the readable values.
        names: of the readable values, [K].
        diagnosis: of the free numbers, by which draws are judged; `summary`: of the readable values, for people.
        sigma: of the targets' noise that was taken, linear.
    """

    method: str
    distrusted: str
    numbers: NDArray[np.float64]
    density: NDArray[np.float64]
    shown: NDArray[np.float64]
    names: tuple[str, ...]
    diagnosis: Diagnosis
    summary: Diagnosis
    sigma: float

    @property
    def trouble(self) -> str:
        """Why the draws cannot be trusted; empty where they can be."""
        return self.diagnosis.trouble()

    def table(self) -> dict[str, dict[str, Any]]:
        """Median and 90 % interval of each readable value, R-hat and effective numbers of draws."""
        s = self.summary
        columns = {
            "median": s.median, "lower": s.lower, "upper": s.upper, "mean": s.mean, "deviation": s.deviation,
            "rhat": s.rhat, "ess": s.ess, "ess_square": s.ess_square,
        }  # fmt: skip
        return {
            name: {key: _finite(float(values[i])) for key, values in columns.items()}
            for i, name in enumerate(self.names)
        }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def sampled(values: SceneValues, draws: Tensor, density: Tensor, method: str, distrusted: str, sigma: float) -> Sampled:
    """Draws [C,N,n] with what they say of the readable values."""

    def shown(numbers: Tensor) -> Tensor:
        return torch.cat(list(values.readable(values.split(numbers)).values()))

    flat = draws.reshape(-1, draws.shape[2])
    readable = torch.func.vmap(shown)(flat).reshape(*draws.shape[:2], -1)
    names = tuple(values.names())
    return Sampled(
        method, distrusted, draws.numpy(), density.numpy(), readable.numpy(), names,
        diagnose(draws, values.free_names()), diagnose(readable, names), sigma,
    )  # fmt: skip
