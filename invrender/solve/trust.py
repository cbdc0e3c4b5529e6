"""Whether independence Metropolis-Hastings has seen all of the posterior, or tempered Monte Carlo should take over.

The Laplace approximation that proposals come from fails where the posterior has steps (hard shadows), several modes
(symmetric poses), or tails that are heavier than the proposals'. The signs: few proposals are accepted, a few of them
carry most of the weight (the Pareto k of Vehtari, Simpson, Gelman, Yao and Gabry 2024), chains disagree, or draws are
better than what was taken for the optimum.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from invrender.solve.diagnostics import diagnose
from invrender.solve.metropolis import MetropolisState

Array = NDArray[np.float64]

LEAST_ACCEPTED = 0.15
MOST_PARETO = 0.7


def distrust(state: MetropolisState, optimum: float, names: tuple[str, ...]) -> str:
    """Why the draws should not be trusted; an empty text if they can be.

    Args:
        state: after all draws.
        optimum: the logarithm of the density at the mean of the proposals.
        names: of the numbers.
    """
    count = state.draws.shape[2]
    if state.acceptance < LEAST_ACCEPTED:
        return f"{100 * state.acceptance:.0f} % of the proposals around the optimum were accepted"
    better = float(state.density.max()) - optimum
    if better > 2 + count / 2:
        return f"a draw is better than the optimum by {better:.1f} in the logarithm of the density"
    heavy = pareto_shape(state.weights)
    if heavy > MOST_PARETO:
        return f"few proposals carry most of the weight: Pareto k is {heavy:.2f}, above {MOST_PARETO:g}"
    return diagnose(state.draws, names).trouble()


def pareto_shape(weights: Tensor) -> float:
    """The shape k of the generalised Pareto distribution in the tail of weights, from their logarithms, any shape.

    Zhang and Stephens 2009, with the weak prior of Vehtari et al. Above .7 means of the weights are not to be trusted.
    Infinite if one weight is more than half of all, or none is finite; minus infinite if the tail has fewer than five
    weights or is flat.
    """
    ordered = np.sort(weights.reshape(-1).cpu().numpy())
    if not len(ordered) or ordered[-1] == -math.inf:
        return math.inf
    plain = np.exp(ordered - ordered[-1])
    if len(plain) > 1 and plain.sum() < 2:
        return math.inf
    tail = min(len(plain) // 5, int(3 * math.sqrt(len(plain))))
    excess = plain[len(plain) - tail :] - plain[len(plain) - tail - 1] if tail else plain[:0]
    if tail < 5 or excess[-1] <= 1e-12:
        return -math.inf
    shape = _generalised_pareto(excess)
    return (tail * shape + 10 * 0.5) / (tail + 10)


def _generalised_pareto(excess: Array) -> float:
    """The shape of the distribution of sorted excesses."""
    count = len(excess)
    grid = np.arange(1, 31 + int(math.sqrt(count)))
    quartile = max(float(excess[int(count / 4 + 0.5) - 1]), 1e-12 * float(excess[-1]))
    theta = 1 / excess[-1] + (1 - np.sqrt(len(grid) / (grid - 0.5))) / (3 * quartile)
    shapes = np.log1p(-theta[:, None] * excess).mean(1)
    with np.errstate(divide="ignore", invalid="ignore"):
        profile = count * (np.log(-theta / shapes) - shapes - 1)
    profile = np.where(np.isfinite(profile), profile, -math.inf)
    share = np.exp(profile - profile.max())
    best = float((theta * share).sum() / share.sum())
    return float(np.log1p(-best * excess).mean())
