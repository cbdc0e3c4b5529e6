"""A population of particles: weights, resampling, and Metropolis moves that leave a tempered density unchanged."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from invrender.solve.metropolis import StudentT
from invrender.solve.protocol import Params

Array = NDArray[np.float64]
Levels = Callable[[Array], tuple[float, float]]
"""From a place [P] to the logarithms of likelihood and prior there."""

WANTED = 0.25  # share of the moves that should be accepted (Roberts, Gelman and Gilks 1997)

BY_COVARIANCE, BY_DIFFERENCE, JUMP, AFRESH = range(4)  # kinds of moves; see `moved`
WALKS = (BY_COVARIANCE, BY_DIFFERENCE, JUMP)
WORTHWHILE = 0.15  # share of accepted moves from which on those that begin afresh are better than walks
FREEDOM = 5.0  # degrees of freedom of the t distribution that they come from


@dataclass(frozen=True)
class Particles:
    """N particles.

    Attributes:
        place: [N,P].
        likelihood, prior: [N], logarithms.
        reach: [4], lengths of walks by covariance, difference and jump, and the share of fresh starts that is accepted.
        power: of the likelihood in the density that they follow.
        evidence: the logarithm of the evidence of that density.
        acceptance: share of the last moves that were accepted; NaN if there were none.
    """

    place: Array
    likelihood: Array
    prior: Array
    reach: Array
    power: float
    evidence: float
    acceptance: float = math.nan

    def at(self, numbers: NDArray[np.int64]) -> Particles:
        """Some of them."""
        return replace(self, place=self.place[numbers], likelihood=self.likelihood[numbers], prior=self.prior[numbers])

    def spread(self, weight: Array) -> Array:
        """A root [P,P] of the covariance under weights, which are given by their logarithms [N]."""
        share = normalised(weight)
        centred = self.place - share @ self.place
        covariance = (centred * share[:, None]).T @ centred
        floor = 1e-12 * np.diag(covariance) + 1e-300
        return np.asarray(np.linalg.cholesky(covariance + np.diag(floor)), np.float64)


def normalised(weight: Array) -> Array:
    """Weights [N] that sum up to 1, from their logarithms; those of NaN, and all if no one counts, are as if equal."""
    highest = weight.max()
    if not math.isfinite(highest):
        return np.full(len(weight), 1 / len(weight))
    plain = np.exp(weight - highest)
    return np.asarray(plain / plain.sum(), np.float64)


def effective_number(weight: Array) -> float:
    """Kish's effective number of particles, from the logarithms [N] of their weights."""
    return 1 / float((normalised(weight) ** 2).sum())


def reweighted(particles: Particles, power: float) -> tuple[Particles, Array]:
    """The particles with a higher power, whose evidence has grown by the mean weight; and the weights' logarithms."""
    weight = (power - particles.power) * particles.likelihood
    highest = float(weight.max())
    gained = highest + math.log(float(np.exp(weight - highest).mean())) if math.isfinite(highest) else -math.inf
    return replace(particles, power=power, evidence=particles.evidence + gained), weight


def drawn(weight: Array, count: int, random: np.random.Generator) -> NDArray[np.int64]:
    """Numbers of particles [count] by weights (their logarithms, [N]): systematic resampling (Kitagawa 1996)."""
    edges = np.cumsum(normalised(weight))
    places = (random.random() + np.arange(count)) / count * edges[-1]
    return np.asarray(np.minimum(np.searchsorted(edges, places), len(weight) - 1), np.int64)


def moved(
    levels: Levels, particles: Particles, weight: Array, length: int, scale: float, random: np.random.Generator
) -> Particles:
    """As many particles that follow the density: chains of Metropolis moves, of which every place is kept.

    Each chain begins at a particle that is drawn by weight. It walks by the population's covariance and by the
    difference of two of its particles, which has the shape of one mode where there are several, and leads from one to
    the other if it is taken whole (ter Braak 2006). Every other move begins afresh, from a t distribution about all of
    the population, as long as enough of these are accepted.

    Args:
        levels: evaluates.
        particles: N of them.
        weight: [N], logarithms of their weights in the density.
        length: of the chains, which divides N.
        scale: factor on the lengths of moves.
        random: numbers.
    """
    spread, others = particles.spread(weight), particles.place[drawn(weight, len(weight), random)]
    whole = StudentT(normalised(weight) @ particles.place, spread @ spread.T, FREEDOM)
    at, kept, accepted = particles.at(drawn(weight, len(weight) // length, random)), [], 0.0
    for number in range(length):
        if number:
            fresh = number % 2 and (number == 1 or at.reach[AFRESH] >= WORTHWHILE)
            kind = AFRESH if fresh else WALKS[number // 2 % len(WALKS)]
            proposed, favour = _proposed(kind, at, others, spread, whole, scale, random)
            at, share = _tried(levels, at, proposed, favour, random)
            at = replace(at, reach=_adapted(at.reach, kind, share))
            accepted += share / (length - 1)
        kept.append(at)
    return replace(
        at,
        place=np.stack([each.place for each in kept], 1).reshape(len(weight), -1),
        likelihood=np.stack([each.likelihood for each in kept], 1).reshape(-1),
        prior=np.stack([each.prior for each in kept], 1).reshape(-1),
        acceptance=accepted,
    )


def _proposed(
    kind: int, at: Particles, others: Array, spread: Array, whole: StudentT, scale: float, random: np.random.Generator
) -> tuple[Array, Array]:
    """Where particles may move [N,P], and by how much likelier the way back is, as logarithms [N]."""
    count = len(at.place)
    if kind == AFRESH:
        proposed = whole.draw(count, random)
        return proposed, whole.log_density(at.place) - whole.log_density(proposed)
    step = _normal(spread, count, random) if kind == BY_COVARIANCE else _differences(others, count, random)
    return at.place + scale * at.reach[kind] * step, np.zeros(count)


def _adapted(reach: Array, kind: int, share: float) -> Array:
    """Lengths of walks after a share of the moves of a kind was accepted; jumps between modes have to keep theirs."""
    changed = reach.copy()
    if kind == AFRESH:
        changed[kind] = share
    elif kind != JUMP:
        changed[kind] = np.clip(reach[kind] * math.exp(share - WANTED), 1e-4, 2.0)
    return changed


def _normal(spread: Array, count: int, random: np.random.Generator) -> Array:
    """[count,P]."""
    drawn: Array = random.standard_normal((count, len(spread))) @ spread.T
    return drawn


def _differences(others: Array, count: int, random: np.random.Generator) -> Array:
    """Differences of two of the population [count,P]."""
    first = random.integers(len(others), size=count)
    second = (first + random.integers(1, len(others), size=count)) % len(others)
    between: Array = others[first] - others[second]
    return between


def _tried(
    levels: Levels, now: Particles, proposed: Array, favour: Array, random: np.random.Generator
) -> tuple[Particles, float]:
    """The particles after one proposal for each (`_proposed`), and the share of these that was accepted."""
    likelihood, prior = np.array([levels(place) for place in proposed]).T
    before = _tempered(now.likelihood, now.prior, now.power)
    after = _tempered(likelihood, prior, now.power)
    with np.errstate(invalid="ignore"):  # from nowhere to nowhere: not taken
        taken = np.log(random.random(len(proposed))) < after - before + favour
    taken |= (before == -math.inf) & (after > -math.inf)
    moved = replace(
        now,
        place=np.where(taken[:, None], proposed, now.place),
        likelihood=np.where(taken, likelihood, now.likelihood),
        prior=np.where(taken, prior, now.prior),
    )
    return moved, float(taken.mean())


def _tempered(likelihood: Array, prior: Array, power: float) -> Array:
    """The logarithm of likelihood^power times prior."""
    known = likelihood > -math.inf
    return np.where(known, power * np.where(known, likelihood, 0.0) + prior, -math.inf)


def level_of(function: Callable[[Params], float], params: Params) -> float:
    """What a function says, or -inf where that is no number or infinite."""
    level = function(params)
    return level if math.isfinite(level) else -math.inf
