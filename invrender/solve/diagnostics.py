"""Whether draws of several chains can be trusted: R-hat, effective sample sizes, and intervals.

Vehtari, Gelman, Simpson, Carpenter and Buerkner 2021 for the split R-hat of ranks; Geyer 1992 for the initial monotone
sequence by which the autocorrelation is summed up. A chain that never moved has an infinite R-hat and no effective
draw.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]

MOST_RHAT, LEAST_ESS = 1.05, 100.0


@dataclass(frozen=True)
class Diagnosis:
    """What draws say of each of P numbers; arrays are [P].

    Attributes:
        names: of the numbers.
        mean, deviation: of all draws.
        lower, median, upper: ends of the interval with equal tails, and the middle.
        rhat: 1 where chains agree.
        ess, ess_square: effective numbers of draws, for the mean and for the variance.
    """

    names: tuple[str, ...]
    mean: Array
    deviation: Array
    lower: Array
    median: Array
    upper: Array
    rhat: Array
    ess: Array
    ess_square: Array

    def trouble(self, most_rhat: float = MOST_RHAT, least_ess: float = LEAST_ESS) -> str:
        """Why the draws cannot be trusted, with the worst number by name; an empty text if they can."""
        if not self.names:
            return ""
        least, worst = np.minimum(self.ess, self.ess_square), int(np.argmax(self.rhat))
        if not self.rhat[worst] <= most_rhat:
            return f"R-hat of {self.names[worst]} is {self.rhat[worst]:.3f}, above {most_rhat:g}: the chains disagree"
        worst = int(np.argmin(least))
        if least[worst] < least_ess:
            return f"{self.names[worst]} has {least[worst]:.0f} effective draws, fewer than {least_ess:g}"
        return ""


def diagnose(draws: Tensor | Array, names: Sequence[str], share: float = 0.9) -> Diagnosis:
    """The diagnosis.

    Args:
        draws: [C,N,P] of C chains.
        names: of the P numbers.
        share: of the draws inside the intervals.
    """
    each = _float64(draws)
    flat = each.reshape(-1, each.shape[2])
    lower, median, upper = np.quantile(flat, [(1 - share) / 2, 0.5, (1 + share) / 2], axis=0)
    columns = [each[:, :, i] for i in range(each.shape[2])]
    return Diagnosis(
        tuple(names), flat.mean(0), flat.std(0), lower, median, upper,
        np.array([split_rhat(x) for x in columns]),
        np.array([effective_size(x) for x in columns]),
        np.array([effective_size((x - x.mean()) ** 2) for x in columns]),
    )  # fmt: skip


def split_rhat(draws: Tensor | Array) -> float:
    """R-hat of ranks: the greater of that of the draws [C,N] and that of their distances to the median."""
    each = _halves(_float64(draws))
    return max(_rhat(_normal_ranks(each)), _rhat(_normal_ranks(np.abs(each - np.median(each)))))


def effective_size(draws: Tensor | Array) -> float:
    """How many independent draws give the mean as well as these [C,N] do."""
    each = _halves(_float64(draws))
    chains, count = each.shape
    within, total = _variances(each)
    if count < 4 or not within > 1e-14 * total:
        return 0.0
    centred = each - each.mean(1, keepdims=True)
    spectrum = np.fft.rfft(centred, 2 * count)
    covariance = np.fft.irfft(spectrum * spectrum.conj())[:, :count].mean(0) / count
    correlation = 1 - (within - covariance * count / (count - 1)) / total
    correlation[0] = 1.0
    pairs = correlation[: count // 2 * 2].reshape(-1, 2).sum(1)  # positive and falling for a reversible chain
    negative = np.flatnonzero(pairs < 0)
    kept = np.minimum.accumulate(pairs[: negative[0] if len(negative) else len(pairs)])
    time = max(2 * float(kept.sum()) - 1, 1 / math.log10(chains * count))
    return float(chains * count / time)


def _float64(draws: Tensor | Array) -> Array:
    plain: Any = draws.detach().cpu().numpy() if isinstance(draws, Tensor) else draws
    return np.asarray(plain, np.float64)


def _halves(draws: Array) -> Array:
    """Both halves of every chain as chains [2C,N/2]: a drift shows between them."""
    half = draws.shape[1] // 2
    return np.concatenate([draws[:, :half], draws[:, draws.shape[1] - half :]])


def _normal_ranks(draws: Array) -> Array:
    """Normal scores of the ranks among all draws; equal draws share the mean of theirs."""
    from scipy.special import ndtri

    _, place, counts = np.unique(draws, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[place.reshape(draws.shape)]
    scores: Array = ndtri((ranks - 3 / 8) / (draws.size + 1 / 4))
    return scores


def _variances(draws: Array) -> tuple[float, float]:
    """The mean variance within chains, and the estimate of that of the target."""
    count = draws.shape[1]
    if count < 2:
        return 0.0, 0.0
    within = float(draws.var(1, ddof=1).mean())
    return within, within * (count - 1) / count + float(draws.mean(1).var(ddof=1))


def _rhat(draws: Array) -> float:
    within, total = _variances(draws)
    return math.sqrt(total / within) if within > 1e-14 * total else math.inf
