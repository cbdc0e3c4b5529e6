"""Levenberg-Marquardt: damped Gauss-Newton steps for few parameters and many residuals.

Marquardt 1963 for the damping in units of the columns, so that the units of the parameters do not matter; Nielsen 1999
("Damping parameter in Marquardt's method") for how it follows the gain ratio. A step that does not improve, or ends
where a residual is not a number, is tried again with more damping, within the same step of the solver. Parameters have
no bounds here: logarithms and logits keep those.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from invrender.solve.flat import flatten, unflatten
from invrender.solve.protocol import FLAT, SMALL, STUCK, NonlinearLeastSquares, Params, Terms

LEAST_DAMPING = 1e-15


@dataclass(frozen=True)
class MarquardtState:
    """Where the method stands.

    Attributes:
        damping: of the next step, in units of the squared column norms.
        growth: what the damping is multiplied by if that step fails.
        evaluations: calls of `residual` and of `linearised` so far.
        loss, first: 1/2 sum r^2 at the parameters, and at the first ones; None before the first step.
        converged: whether there is nothing more to gain; `reason` says why.
    """

    damping: float
    growth: float = 2.0
    evaluations: int = 0
    loss: float | None = None
    first: float | None = None
    converged: bool = False
    reason: str = ""

    @property
    def terms(self) -> Terms:
        """What a step reports."""
        loss = math.nan if self.loss is None else self.loss
        return {"loss": loss, "damping": self.damping, "evaluations": float(self.evaluations)}

    def ended(self, reason: str) -> MarquardtState:
        """The same, converged."""
        return replace(self, converged=True, reason=reason)


@dataclass(frozen=True)
class LevenbergMarquardt:
    """Settings.

    Attributes:
        damping: of the first step.
        tries: the most steps that are tried within one; if none of them improves, that is the end.
        longest: no parameter moves farther in one step.
        tolerance: converged when a step promises less than this share of the loss, or moves each parameter by less than
            this share of 1 + its size; when the cosine between the residual and each column is smaller; or when the
            loss is less than the square of this share of the first one.
        scale: factor on the step length.
    """

    damping: float = 1e-3
    tries: int = 12
    longest: float = math.inf
    tolerance: float = 1e-10
    scale: float = 1.0

    def init(self, objective: NonlinearLeastSquares, params: Params) -> MarquardtState:
        """The state before the first step."""
        del objective, params
        return MarquardtState(self.damping)

    def step(
        self, objective: NonlinearLeastSquares, params: Params, state: MarquardtState, random: torch.Generator
    ) -> tuple[Params, MarquardtState, Terms]:
        """One step that improves, and the terms after it: the loss, the damping, and the evaluations so far."""
        del random
        if not state.converged:
            residual, jacobian = objective.linearised(params)
            model = _model(residual, jacobian)
            first = model.loss if state.first is None else state.first
            state = replace(state, loss=model.loss, first=first, evaluations=state.evaluations + 1)
            if math.isfinite(model.loss):
                params, state = self._improved(objective, params, state, model)
        return params, state, state.terms

    def _improved(
        self, objective: NonlinearLeastSquares, params: Params, state: MarquardtState, model: _Model
    ) -> tuple[Params, MarquardtState]:
        """The first of the tried steps that lowers the loss, or an end."""
        if model.steepness <= self.tolerance:
            return params, state.ended(FLAT)
        at = flatten(params)
        for count in range(self.tries):
            move, promised = model.step(state.damping, self.scale, self.longest)
            still = bool((move.abs() <= self.tolerance * (1 + at.abs().cpu())).all())
            if still or promised <= self.tolerance * model.loss:
                return params, state.ended(STUCK if count else SMALL)
            trial = unflatten(at + move.to(at.device), params)
            loss = half_square(objective.residual(trial))
            state = replace(state, evaluations=state.evaluations + 1)
            if loss < model.loss:
                return trial, self._accepted(state, model.loss, loss, promised)
            state = replace(state, damping=state.damping * state.growth, growth=state.growth * 2)
        return params, state.ended(STUCK)

    def _accepted(self, state: MarquardtState, before: float, loss: float, promised: float) -> MarquardtState:
        gained = before - loss
        factor = max(1 / 3, 1 - (2 * gained / promised - 1) ** 3)
        damping = max(state.damping * factor, LEAST_DAMPING)
        state = replace(state, loss=loss, damping=damping, growth=2.0)
        done = max(gained, promised) <= self.tolerance * before or loss <= self.tolerance**2 * (state.first or 0.0)
        return state.ended(SMALL) if done else state


def half_square(residual: Tensor) -> float:
    """1/2 sum r^2."""
    return float(residual.detach().double().square().sum()) / 2


@dataclass(frozen=True)
class _Model:
    """The loss around a point, in parameters that are scaled so that each column of the derivatives has length 1.

    Attributes:
        loss: at the point.
        norms: [P], of the columns; 1 for columns of zeros, whose parameters stay.
        slope: [P], the gradient.
        curvature: [P,P], the Hessian's approximation J'J.
        steepness: the greatest cosine between the residual and a column.
    """

    loss: float
    norms: Tensor
    slope: Tensor
    curvature: Tensor
    steepness: float

    def step(self, damping: float, scale: float, longest: float) -> tuple[Tensor, float]:
        """The step [P], and by how much the loss falls if the model is right."""
        scaled = scale * self._within(damping, longest * self.norms)
        promised = -float(self.slope @ scaled) - float(scaled @ self.curvature @ scaled) / 2
        return scaled / self.norms, promised

    def _within(self, damping: float, longest: Tensor) -> Tensor:
        """The damped step [P] of which no part is longer than allowed [P].

        Parts that are too long are cut, and the others solved for again: what hardly matters, and would therefore go
        far, must not make the rest of the step short.
        """
        step = _damped(self.curvature, self.slope, damping)
        cut = torch.zeros(len(step), dtype=torch.bool)
        while bool((too_long := (step.abs() > longest) & ~cut).any()):
            cut |= too_long
            step = torch.where(cut, step.clamp(-longest, longest), step)
            free = ~cut
            slope = self.slope[free] + self.curvature[free][:, cut] @ step[cut]
            step[free] = _damped(self.curvature[free][:, free], slope, damping)
        return step


def _damped(curvature: Tensor, slope: Tensor, damping: float) -> Tensor:
    """-(curvature + damping)^-1 slope, also where the curvature is singular."""
    values, vectors = torch.linalg.eigh(curvature)
    step: Tensor = vectors @ ((vectors.T @ -slope) / (values.clamp(min=0) + damping))
    return step


def _model(residual: Tensor, jacobian: Tensor) -> _Model:
    """Derivatives that are not finite say nothing: they count as 0, and steps are judged by the loss anyway."""
    residual = residual.detach().double()
    loss = half_square(residual)
    columns, r = (torch.nan_to_num(part.detach().double(), 0.0, 0.0, 0.0) for part in (jacobian, residual))
    square, gradient = (columns.T @ columns).cpu(), (columns.T @ r).cpu()
    norms = square.diagonal().sqrt()
    norms = torch.where(norms > 0, norms, 1.0)
    slope = gradient / norms
    steepness = float(slope.abs().max()) / max(float(r.norm()), 1e-300) if len(slope) else 0.0
    return _Model(loss, norms, slope, square / (norms[:, None] * norms), steepness)
