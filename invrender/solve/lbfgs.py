"""L-BFGS with a line search for the strong Wolfe conditions (Nocedal and Wright 2006, algorithms 7.4, 7.5, 3.5, 3.6).

For smooth objectives: those that draw random numbers are given the same ones in all steps. Parameters have no bounds
here: logarithms and logits keep those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from invrender.solve.flat import flatten, unflatten
from invrender.solve.line_search import Line, Probe, search
from invrender.solve.protocol import FLAT, SMALL, STUCK, Params, Terms, ValueAndGrad


@dataclass(frozen=True)
class LbfgsState:
    """Where the method stands.

    Attributes:
        gradient: [P] at the parameters.
        moves, turns: [M,P], the last steps, and how the gradient changed over them; the newest last.
        values: the objective's terms at the parameters; empty before the first step.
        evaluations: calls of `value_and_grad` so far.
        converged: whether there is nothing more to gain; `reason` says why.
    """

    gradient: Tensor
    moves: Tensor
    turns: Tensor
    values: Terms = field(default_factory=dict)
    evaluations: int = 0
    converged: bool = False
    reason: str = ""

    @property
    def level(self) -> float:
        """The loss at the parameters."""
        return next(iter(self.values.values()), math.nan)

    @property
    def is_finite(self) -> bool:
        """Whether loss and gradient are known and numbers."""
        return math.isfinite(self.level) and bool(self.gradient.isfinite().all())

    @property
    def terms(self) -> Terms:
        """What a step reports."""
        return {**self.values, "evaluations": float(self.evaluations)}

    def ended(self, reason: str) -> LbfgsState:
        """The same, converged."""
        return replace(self, converged=True, reason=reason)


@dataclass(frozen=True)
class Lbfgs:
    """Settings.

    Attributes:
        memory: of how many steps the curvature is kept.
        first: length of the first step, along the gradient, in units of the parameters.
        longest: no parameter moves farther in one step.
        tolerance: converged when a step gains less than this share of the loss and moves each parameter by less than
            the root of it, as a share of 1 + its size.
        probes: the most evaluations of one line search.
        scale: factor on the length with which a line search begins.
    """

    memory: int = 10
    first: float = 0.1
    longest: float = math.inf
    tolerance: float = 1e-12
    probes: int = 20
    scale: float = 1.0

    def init(self, objective: ValueAndGrad, params: Params) -> LbfgsState:
        """The state before the first step."""
        del objective
        flat = flatten(params)
        return LbfgsState(torch.full_like(flat, math.nan), flat.new_zeros(0, len(flat)), flat.new_zeros(0, len(flat)))

    def step(
        self, objective: ValueAndGrad, params: Params, state: LbfgsState, random: torch.Generator
    ) -> tuple[Params, LbfgsState, Terms]:
        """One step that improves, and the terms after it, with the evaluations so far."""
        line = _Line(objective, params, flatten(params), random.get_state())
        if not (state.converged or state.is_finite):
            terms, gradient = line.look(line.at)
            state = replace(state, gradient=gradient, values=terms, evaluations=state.evaluations + 1)
        if state.is_finite and not state.converged:
            params, state = self._improved(line, params, state)
        return params, state, state.terms

    def _improved(self, line: _Line, params: Params, state: LbfgsState) -> tuple[Params, LbfgsState]:
        """The end of a line search along the quasi-Newton direction, or along the gradient where that one fails."""
        if not bool(state.gradient.any()):
            return params, state.ended(FLAT)
        for kept in sorted({len(state.moves), 0}, reverse=True):
            state = replace(state, moves=state.moves[:kept], turns=state.turns[:kept])
            direction = -two_loops(state.gradient, state.moves, state.turns)
            start = Probe(0.0, state.level, float(state.gradient @ direction))
            reach = float(direction.abs().max())
            length = self.scale * (1.0 if kept else self.first / reach)
            found, count = search(line.along(direction), start, length, self.longest / reach, self.probes)
            state = replace(state, evaluations=state.evaluations + count)
            if found is not None:
                at = line.at + found.length * direction
                return unflatten(at, params), self._moved(state, at - line.at, at, *line.seen[found.length])
        return params, state.ended(STUCK)

    def _moved(self, state: LbfgsState, move: Tensor, at: Tensor, terms: Terms, gradient: Tensor) -> LbfgsState:
        """The state after a move [P] to a place [P]; moves along which the gradient does not rise teach nothing."""
        turn, moves, turns = gradient - state.gradient, state.moves, state.turns
        if float(move @ turn) > 1e-10 * float(move.norm() * turn.norm()):
            full = len(moves) == self.memory
            moves, turns = torch.cat([moves[full:], move[None]]), torch.cat([turns[full:], turn[None]])
        new = replace(state, gradient=gradient, moves=moves, turns=turns, values=terms)
        still = bool((move.abs() <= self.tolerance**0.5 * (1 + at.abs())).all())
        done = still and state.level - new.level <= self.tolerance * max(abs(state.level), abs(new.level))
        return new.ended(SMALL) if done else new


def two_loops(gradient: Tensor, moves: Tensor, turns: Tensor) -> Tensor:
    """The inverse Hessian's approximation by the last moves [M,P], applied to a gradient [P]: algorithm 7.4."""
    q, shares = gradient.clone(), []
    curvatures = (moves * turns).sum(1)
    for s, y, curvature in zip(moves.flip(0), turns.flip(0), curvatures.flip(0), strict=True):
        share = (s @ q) / curvature
        shares.append(share)
        q -= share * y
    if len(moves):
        q *= curvatures[-1] / turns[-1].square().sum()
    for s, y, curvature, share in zip(moves, turns, curvatures, reversed(shares), strict=True):
        q += s * (share - (y @ q) / curvature)
    return q


@dataclass(frozen=True)
class _Line:
    """The objective along lines from a point [P], with the same random numbers everywhere.

    Attributes:
        seen: terms and gradient by the length along the line.
    """

    objective: ValueAndGrad
    params: Params
    at: Tensor
    random: Tensor
    seen: dict[float, tuple[Terms, Tensor]] = field(default_factory=dict)

    def look(self, at: Tensor) -> tuple[Terms, Tensor]:
        """Terms and gradient [P] at a place [P]."""
        random = torch.Generator()
        random.set_state(self.random)
        terms, gradient = self.objective.value_and_grad(unflatten(at, self.params), random)
        return terms, flatten(gradient)

    def along(self, direction: Tensor) -> Line:
        """What the line search asks."""
        self.seen.clear()

        def probe(length: float) -> Probe:
            terms, gradient = self.seen[length] = self.look(self.at + length * direction)
            return Probe(length, next(iter(terms.values())), float(gradient @ direction))

        return probe
