"""Independence Metropolis-Hastings: all proposals come from one Student t around the optimum (Tierney 1994).

Where the Laplace approximation is nearly right, most proposals are accepted and draws are nearly independent. The tails
of the t with few degrees of freedom are heavier than those of the target, so that no chain stays long where proposals
are rare. It takes no gradients, and the densities of a step could be computed in any order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from invrender.solve.flat import unflatten
from invrender.solve.protocol import LogDensity, Params, Terms

Array = NDArray[np.float64]


@dataclass(frozen=True)
class MetropolisState:
    """What was drawn so far, by chain.

    Attributes:
        draws: [C,N,P].
        density: [C,N], the logarithm of the density at the draws.
        weights: [C,N], the logarithm of density over proposal density at what was proposed, accepted or not.
        place, level: [C,P] and [C], where the chains stand, and the logarithm of the density there.
        accepted: how many proposals.
        converged: whether it has ended before its time, because next to nothing is accepted.
    """

    draws: Tensor
    density: Tensor
    weights: Tensor
    place: Tensor
    level: Tensor
    accepted: int = 0
    converged: bool = False

    @property
    def acceptance(self) -> float:
        """The share of the proposals that was accepted."""
        return self.accepted / max(self.density.numel(), 1)


@dataclass(frozen=True)
class IndependenceMetropolis:
    """Settings; one step draws `batch` times for each chain.

    Attributes:
        mean, covariance: [P] and [P,P] of the Laplace approximation, in the order of `solve.flat`.
        freedom: degrees of freedom of the t.
        chains, batch: how many.
        least_accepted: share of the proposals; if fewer are accepted after `patience` of them, more would not help.
        scale: factor on the width of the proposals.
    """

    samples: ClassVar[bool] = True

    mean: Tensor
    covariance: Tensor
    freedom: float = 5.0
    chains: int = 4
    batch: int = 25
    least_accepted: float = 0.08
    patience: int = 400
    scale: float = 1.0

    def init(self, objective: LogDensity, params: Params) -> MetropolisState:
        """Chains before their first draw, which is the first proposal with a density."""
        del objective, params
        c, p = self.chains, len(self.mean)
        none = self.mean.new_zeros(c, 0)
        place = self.mean.expand(c, p).clone()
        return MetropolisState(self.mean.new_zeros(c, 0, p), none, none, place, torch.full_like(place[:, 0], -math.inf))

    def step(
        self, objective: LogDensity, params: Params, state: MetropolisState, random: torch.Generator
    ) -> tuple[Params, MetropolisState, Terms]:
        """Draws for each chain; the parameters are the first chain's last draw."""
        numbers = numpy_generator(random)
        proposal = StudentT(self.mean.numpy(), self.scale**2 * self.covariance.numpy(), self.freedom)
        proposed = proposal.draw(self.chains * self.batch, numbers)
        density = np.array([level_at(objective, row, params) for row in proposed])
        weight = (density - proposal.log_density(proposed)).reshape(self.chains, self.batch)
        chances = np.log(numbers.random(weight.shape))
        before = state.level.numpy() - proposal.log_density(state.place.numpy())
        taken = np.stack([_taken(*each) for each in zip(before, weight, chances, strict=True)])
        moved = _appended(state, proposed.reshape(*weight.shape, -1), density.reshape(weight.shape), weight, taken)
        hopeless = moved.density.numel() >= self.patience and moved.acceptance < self.least_accepted
        moved = replace(moved, converged=hopeless)
        terms = {"rejected": 1 - moved.acceptance, "draws": float(moved.density.numel())}
        return unflatten(moved.place[0], params), moved, terms


def _taken(before: float, weights: Array, chances: Array) -> NDArray[np.int64]:
    """Which proposal one chain stands at after each: its number, or -1 for where the chain began."""
    at, weight, places = -1, before, []
    for number, (proposed, chance) in enumerate(zip(weights.tolist(), chances.tolist(), strict=True)):
        if proposed > -math.inf and chance < proposed - weight:
            at, weight = number, proposed
        places.append(at)
    return np.array(places, np.int64)


def _appended(
    state: MetropolisState, proposed: Array, density: Array, weight: Array, taken: NDArray[np.int64]
) -> MetropolisState:
    """The state after a batch of proposals [C,B,P] of which the chains stand at `taken` [C,B]."""
    rows = np.arange(len(taken))[:, None]
    stay = taken < 0
    draws = np.where(stay[..., None], state.place.numpy()[:, None], proposed[rows, taken])
    level = np.where(stay, state.level.numpy()[:, None], density[rows, taken])
    fresh = np.diff(taken, axis=1, prepend=-1) != 0
    more = [torch.from_numpy(part) for part in (draws, level, weight)]
    return MetropolisState(
        torch.cat([state.draws, more[0]], 1), torch.cat([state.density, more[1]], 1),
        torch.cat([state.weights, more[2]], 1), more[0][:, -1].clone(), more[1][:, -1].clone(),
        state.accepted + int(fresh.sum()),
    )  # fmt: skip


@dataclass(frozen=True)
class StudentT:
    """A multivariate t distribution with a center [P] and a scatter matrix [P,P]."""

    centre: Array
    scatter: Array
    freedom: float

    def draw(self, count: int, random: np.random.Generator) -> Array:
        """[count,P]."""
        normal = random.standard_normal((count, len(self.centre)))
        stretched = normal * np.sqrt(self.freedom / random.chisquare(self.freedom, (count, 1)))
        return self.centre + stretched @ self._root.T

    def log_density(self, at: Array) -> Array:
        """[N] at [N,P], up to a constant that does not depend on the scatter."""
        from scipy.linalg import solve_triangular

        off = solve_triangular(self._root, (at - self.centre).T, lower=True)
        power = (self.freedom + len(self.centre)) / 2
        fallen: Array = -power * np.log1p((off**2).sum(0) / self.freedom) - np.log(np.diag(self._root)).sum()
        return fallen

    @property
    def _root(self) -> Array:
        return np.asarray(np.linalg.cholesky(self.scatter), np.float64)


def numpy_generator(random: torch.Generator) -> np.random.Generator:
    """NumPy's random numbers, which are faster for few numbers at a time, from a seed that torch's give."""
    return np.random.default_rng(int(torch.randint(2**62, (), generator=random)))


def level_at(objective: LogDensity, place: Array, like: Params) -> float:
    """The logarithm of the density at a vector [P]; -inf where it is not a number or infinite."""
    level = objective.log_density(unflatten(torch.from_numpy(place), like))
    return level if math.isfinite(level) else -math.inf
