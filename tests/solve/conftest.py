"""Objectives with known answers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest
import torch

from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor


@dataclass(frozen=True)
class Linear:
    """1/2 sum w (A x - b)^2 with a dense matrix [R,C]; the one parameter `x` may have any shape of C entries."""

    matrix: Tensor
    target: Tensor
    weight: Tensor
    shape: tuple[int, ...]

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        residual = self.residual(params)
        return {"misfit": float((self.weight * residual.square()).sum()) / 2}, self.vjp(self.weight * residual)

    def residual(self, params: Params) -> Tensor:
        return self.jvp(params) - self.target

    def jvp(self, tangent: Params) -> Tensor:
        return self.matrix @ tangent["x"].reshape(-1)

    def vjp(self, cotangent: Tensor) -> Params:
        return {"x": (self.matrix.T @ cotangent).reshape(self.shape)}


@pytest.fixture
def linear() -> Callable[..., Linear]:
    """A `Linear` from matrix and target, and weights where they are not 1."""

    def make(matrix: Tensor, target: Tensor, weight: Tensor | None = None, shape: tuple[int, ...] = ()) -> Linear:
        weight = torch.ones_like(target) if weight is None else weight
        return Linear(matrix, target, weight, shape or (matrix.shape[1],))

    return make


@pytest.fixture
def run() -> Callable[..., tuple[Params, list[Terms]]]:
    """Take some steps: the parameters in the end, and the terms of every step."""

    def steps(solver, objective, params: Params, count: int) -> tuple[Params, list[Terms]]:
        state, told, random = solver.init(objective, params), [], torch.Generator()
        for _ in range(count):
            params, state, terms = solver.step(objective, params, state, random)
            told.append(terms)
        return params, told

    return steps
