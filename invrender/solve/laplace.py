"""The Laplace approximation: how sure a least-squares fit is, and what the data do not tell apart.

Around the bottom the posterior is taken as Gaussian with covariance (J'J / sigma^2 + prior precision)^-1, where J are
the derivatives of the residual (Bjoerck 1996, section 4.6; MacKay 2003, chapter 27). What no residual depends on, alone
or as a combination, comes out as a direction that is not determined and as standard errors that are infinite, never as
a number made up by regularisation.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

CONFOUNDED = 0.95  # |correlation| from which on two numbers are told as a pair
INVOLVED = 1e-10  # squared share in an undetermined direction that is more than rounding


@dataclass(frozen=True)
class Pair:
    """Two numbers that the data hardly tell apart, by name, and their correlation."""

    first: str
    second: str
    correlation: float


@dataclass(frozen=True)
class Laplace:
    """A Gaussian around the fitted numbers, all float64.

    Attributes:
        names: of the P numbers.
        mean: [P].
        covariance: [P,P]; infinite where the data do not determine.
        correlation: [P,P]; the limit where the covariance is infinite.
        sigma: of the noise; infinite if there are not more residuals than numbers and none was given.
        undetermined: [K,P], unit directions in the space of the numbers along which nothing changes.
    """

    names: tuple[str, ...]
    mean: Tensor
    covariance: Tensor
    correlation: Tensor
    sigma: float
    undetermined: Tensor

    @property
    def standard_error(self) -> Tensor:
        """[P]."""
        return self.covariance.diagonal().sqrt()

    @property
    def loose(self) -> tuple[str, ...]:
        """Numbers that the data do not determine, alone or together with others."""
        return tuple(
            name for name, error in zip(self.names, self.standard_error.tolist(), strict=True) if math.isinf(error)
        )

    def pairs(self, least: float = CONFOUNDED) -> tuple[Pair, ...]:
        """Pairs whose correlation is at least so strong, the strongest first."""
        count = len(self.names)
        found = [
            Pair(self.names[i], self.names[j], float(self.correlation[i, j]))
            for i in range(count)
            for j in range(i + 1, count)
            if abs(float(self.correlation[i, j])) >= least
        ]
        return tuple(sorted(found, key=lambda pair: -abs(pair.correlation)))


def laplace(
    names: Sequence[str],
    mean: Tensor,
    residual: Tensor,
    jacobian: Tensor,
    sigma: float | None = None,
    precision: Tensor | None = None,
    tolerance: float = 1e-8,
) -> Laplace:
    """The approximation at a fit.

    Args:
        names, mean: of the P numbers, in the order of `solve.flat`.
        residual, jacobian: [R] and [R,P] there; without rows of a prior. What is not finite counts as 0.
        sigma: standard deviation of the residuals' noise (1 if they are divided by it already); None: from the
            residuals, over as many degrees of freedom as rows that say anything exceed the numbers determined.
        precision: [P], inverse variances of a Gaussian prior; None: none.
        tolerance: a direction counts as undetermined where its singular value, columns scaled to length 1, is at most
            this share of the largest, unless the prior bounds all numbers.
    """
    r, columns = (torch.nan_to_num(part.detach().double().cpu(), 0.0, 0.0, 0.0) for part in (residual, jacobian))
    if sigma is None:
        sigma = _noise(r, columns, tolerance)
    rows = [columns / max(sigma, 1e-100)]
    if precision is not None:
        rows.append(precision.detach().double().cpu().sqrt().diag())
    norms, values, vectors = _scaled_svd(torch.cat(rows))
    proper = precision is not None and bool((precision > 0).all())  # then a prior bounds every direction
    lost = values <= (0.0 if proper or not len(values) else tolerance * float(values.max()))
    covariance, correlation = _limits(vectors[:, ~lost] / values[~lost], vectors[:, lost])
    undetermined = vectors[:, lost].T / norms
    undetermined = undetermined / undetermined.norm(dim=1, keepdim=True)
    at = mean.detach().double().cpu()
    return Laplace(tuple(names), at, covariance / norms[:, None] / norms, correlation, sigma, undetermined)


def _noise(residual: Tensor, columns: Tensor, tolerance: float) -> float:
    """Standard deviation of the residuals; rows of zeros (a background that is exact) say nothing about it."""
    telling = int(((residual != 0) | (columns != 0).any(1)).sum())
    values = _scaled_svd(columns)[1]
    spare = telling - int((values > tolerance * values.max()).sum()) if len(values) else telling
    return math.sqrt(float(residual.square().sum()) / spare) if spare > 0 else math.inf


def _scaled_svd(matrix: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Column norms [P] (1 for columns of zeros), singular values [P] and right vectors [P,P] of what is left."""
    norms = matrix.norm(dim=0)
    norms = torch.where(norms > 0, norms, 1.0)
    short = matrix.new_zeros(max(matrix.shape[1] - len(matrix), 0), matrix.shape[1])
    triangle = torch.linalg.qr(torch.cat([matrix / norms, short]), mode="r")[1]
    _, values, right = torch.linalg.svd(triangle)
    return norms, values, right.T


def _limits(root: Tensor, null: Tensor) -> tuple[Tensor, Tensor]:
    """Covariance and correlation [P,P] of root root' + t null null' as t goes to infinity."""
    finite, endless = root @ root.T, null @ null.T
    loose = endless.diagonal() > INVOLVED
    covariance = finite + torch.where(endless.abs() > INVOLVED, endless.sign() * math.inf, 0.0)
    correlation = torch.where(loose[:, None] & loose, _correlation(endless), 0.0)
    correlation = torch.where(loose[:, None] | loose, correlation, _correlation(finite))
    return covariance, correlation.fill_diagonal_(1.0)


def _correlation(covariance: Tensor) -> Tensor:
    deviation = covariance.diagonal().clamp(min=1e-300).sqrt()
    return (covariance / deviation[:, None] / deviation).clamp(-1, 1)
