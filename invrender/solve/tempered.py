"""Tempered sequential Monte Carlo: from the prior to the posterior through powers of the likelihood.

Del Moral, Doucet and Jasra 2006, in the form that wastes nothing (Dau and Chopin 2022). A population of particles is
drawn from the prior; each stage raises the power of the likelihood as far as half of the particles still count (by
their effective number), draws a few among them by their weights (systematic resampling), and lets each be the start of
a chain of Metropolis moves whose places are the next population. It needs neither gradients nor one mode: it stands
steps in the likelihood, such as those of hard shadows, and modes far apart, which share the particles by their
evidence. Several populations that know nothing of each other show whether the answer can be trusted: they are the
chains of `solve.diagnostics`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from invrender.errors import DivergedError
from invrender.solve.diagnostics import diagnose
from invrender.solve.flat import flatten, unflatten
from invrender.solve.metropolis import numpy_generator
from invrender.solve.particles import AFRESH, Array, Particles, effective_number, level_of, moved, reweighted
from invrender.solve.protocol import Params, Posterior, Terms


@dataclass(frozen=True)
class TemperedState:
    """Where K populations of N particles stand.

    Attributes:
        place: [K,N,P].
        likelihood, prior: [K,N], logarithms at the particles.
        power: [K], of the likelihood; 1 is the posterior.
        reach: [K,4], lengths of the kinds of moves (`solve.particles`), which follow how many are accepted.
        evidence: [K], the logarithm of the evidence, complete when the power is 1.
        stored: [K,T,N,P], particles of the posterior after each round that moved them there.
        stored_density: [K,T,N], logarithms of likelihood times prior.
        length: of the chains of moves.
        evaluations: of the likelihood.
        acceptance: share of the moves of the last step that were accepted.
        converged: whether all rounds are done.
    """

    place: Tensor
    likelihood: Tensor
    prior: Tensor
    power: Tensor
    reach: Tensor
    evidence: Tensor
    stored: Tensor
    stored_density: Tensor
    length: int
    evaluations: int = 0
    acceptance: float = 0.0
    converged: bool = False

    @property
    def draws(self) -> Tensor:
        """[K,NT,P], chain by chain through all rounds, and chains of one ancestor side by side."""
        return _by_chain(self.stored, self.length).reshape(len(self.stored), -1, self.stored.shape[3])

    @property
    def density(self) -> Tensor:
        """[K,NT], the logarithm of the posterior's density at the draws, up to a constant."""
        return _by_chain(self.stored_density, self.length).reshape(len(self.stored), -1)


@dataclass(frozen=True)
class TemperedMonteCarlo:
    """Settings; one step is one stage of every population, or one of the last rounds.

    Attributes:
        populations, chains, length: how many populations, of how many chains of moves, each how long: a population has
            chains times length particles.
        keep: the share of the particles that counts after a rise of the power.
        rounds, most_rounds: in the posterior; after each the particles are kept as draws. More follow as long as
            `solve.diagnostics` finds fault with the draws.
        scale: factor on the lengths of moves.
    """

    samples: ClassVar[bool] = True

    populations: int = 2
    chains: int = 16
    length: int = 16
    keep: float = 0.5
    rounds: int = 2
    most_rounds: int = 8
    scale: float = 1.0

    def init(self, objective: Posterior, params: Params) -> TemperedState:
        """Empty populations: the first step draws them."""
        del objective
        k, p = self.populations, len(flatten(params))
        none = torch.zeros(k, 0, dtype=torch.float64)
        kept = torch.zeros(k, 0, self.chains * self.length, p, dtype=torch.float64)
        power = torch.zeros(k, dtype=torch.float64)
        reach = torch.ones(k, AFRESH + 1, dtype=torch.float64)
        return TemperedState(kept[:, 0:0, 0], none, none, power, reach, power, kept, kept[..., 0], self.length)

    def step(
        self, objective: Posterior, params: Params, state: TemperedState, random: torch.Generator
    ) -> tuple[Params, TemperedState, Terms]:
        """One stage or round; the parameters are those of the particle with the highest density.

        Raises:
            DivergedError: the likelihood is 0 at all that the prior gave.
        """
        if state.converged:
            return params, state, _terms(state)
        if not state.place.shape[1]:
            state = self._drawn(objective, params, state, random)
        aim = _Aim(objective, params)
        ready = bool((state.power == 1).all())
        populations = [self._advanced(aim, population, ready, random) for population in _split(state)]
        state = replace(_joined(populations, state), evaluations=state.evaluations + aim.count)
        if ready:
            state = self._stored(state)
        best = (state.likelihood + state.prior).reshape(-1).argmax()
        return unflatten(state.place.reshape(-1, state.place.shape[2])[best], params), state, _terms(state)

    def _drawn(
        self, objective: Posterior, params: Params, state: TemperedState, random: torch.Generator
    ) -> TemperedState:
        """Populations from the prior."""
        drawn = [objective.draw(random) for _ in range(self.populations * self.chains * self.length)]
        prior = [level_of(objective.log_prior, each) for each in drawn]
        likelihood = [level_of(objective.log_likelihood, each) for each in drawn]
        if max(likelihood, default=-math.inf) == -math.inf:
            raise DivergedError(
                f"the likelihood is 0 at all {len(drawn)} places that were drawn from the prior",
                "begin nearer to the answer, or check that the images show this scene",
            )
        shape = (self.populations, self.chains * self.length)
        return replace(
            state, place=torch.stack([flatten(each) for each in drawn]).reshape(*shape, -1),
            prior=torch.tensor(prior, dtype=torch.float64).reshape(shape),
            likelihood=torch.tensor(likelihood, dtype=torch.float64).reshape(shape),
            evaluations=len(drawn),
        )  # fmt: skip

    def _advanced(self, aim: _Aim, now: Particles, ready: bool, random: torch.Generator) -> Particles:
        """One population after its next stage; those that are in the posterior wait for the others."""
        if now.power == 1 and not ready:
            return now
        now, weight = reweighted(now, _raised(now.likelihood, now.power, self.keep))
        return moved(aim, now, weight, self.length, self.scale, numpy_generator(random))

    def _stored(self, state: TemperedState) -> TemperedState:
        stored = torch.cat([state.stored, state.place[:, None]], 1)
        density = torch.cat([state.stored_density, (state.likelihood + state.prior)[:, None]], 1)
        state, count = replace(state, stored=stored, stored_density=density), stored.shape[1]
        names = [str(number) for number in range(stored.shape[3])]
        done = count >= self.rounds and (count >= self.most_rounds or not diagnose(state.draws, names).trouble())
        return replace(state, converged=done)


def _by_chain(stored: Tensor, length: int) -> Tensor:
    """[K,N/length,T,length,...] of [K,T,N,...]: each round goes on where a chain of the round before was."""
    k, rounds, count = stored.shape[:3]
    return stored.reshape(k, rounds, count // length, length, *stored.shape[3:]).transpose(1, 2)


class _Aim:
    """Prior and likelihood at vectors [P]; counts how often the likelihood is asked."""

    def __init__(self, objective: Posterior, like: Params) -> None:
        self.objective, self.like, self.count = objective, like, 0

    def __call__(self, place: Array) -> tuple[float, float]:
        """Logarithms of likelihood and prior; where the prior is 0 the likelihood is not asked."""
        params = unflatten(torch.from_numpy(place), self.like)
        prior = level_of(self.objective.log_prior, params)
        if prior == -math.inf:
            return -math.inf, prior
        self.count += 1
        return level_of(self.objective.log_likelihood, params), prior


def _raised(likelihood: Array, power: float, keep: float) -> float:
    """The highest power, up to 1, after which the given share of the particles still counts."""

    def share(higher: float) -> float:
        return effective_number((higher - power) * likelihood) / len(likelihood)

    if share(1.0) >= keep:
        return 1.0
    low, high = math.log(1e-12), math.log(1 - power)
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if share(power + math.exp(middle)) >= keep else (low, middle)
    return min(power + math.exp(low), 1.0)


def _split(state: TemperedState) -> list[Particles]:
    return [
        Particles(
            state.place[k].numpy(), state.likelihood[k].numpy(), state.prior[k].numpy(), state.reach[k].numpy(),
            float(state.power[k]), float(state.evidence[k]),
        )
        for k in range(len(state.power))
    ]  # fmt: skip


def _joined(populations: Sequence[Particles], state: TemperedState) -> TemperedState:
    def stack(values: Sequence[Array | float]) -> Tensor:
        return torch.tensor(np.stack(values), dtype=torch.float64)

    moves = [each.acceptance for each in populations if not math.isnan(each.acceptance)]
    return replace(
        state,
        place=stack([each.place for each in populations]),
        likelihood=stack([each.likelihood for each in populations]),
        prior=stack([each.prior for each in populations]),
        power=stack([each.power for each in populations]),
        reach=stack([each.reach for each in populations]),
        evidence=stack([each.evidence for each in populations]),
        acceptance=sum(moves) / max(len(moves), 1),
    )


def _terms(state: TemperedState) -> Terms:
    """The share of the way that is left comes first."""
    return {
        "left": 1 - float(state.power.mean()), "accepted": state.acceptance,
        "evidence": float(torch.logsumexp(state.evidence, 0)) - math.log(len(state.evidence)),
        "evaluations": float(state.evaluations),
    }  # fmt: skip
