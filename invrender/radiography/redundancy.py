"""How much each view, and each ray of it, counts where rays are measured once, twice, or not at all."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

Tensor = torch.Tensor

WEDGE = 4.0  # times the mean of the other gaps: from there on a gap between angles is one where nothing was measured


@dataclass(frozen=True)
class Arc:
    """What part of a turn views cover.

    Attributes:
        share: [N] float64 radians that each view stands for: half the gaps on both sides of it.
        along: [N] float64 radians from the beginning of the arc.
        length: of the arc in radians; the whole period where there is no wedge without views.
        whole: whether there is none.
    """

    share: Tensor
    along: Tensor
    length: float
    whole: bool


def arc_of(angles: Tensor, period: float) -> Arc:
    """The arc that angles [N] in radians cover of a period, at which they begin anew."""
    at = angles % period
    order = at.argsort()
    gaps = torch.cat([at[order].diff(), at[order][:1] + period - at[order][-1:]])
    widest = int(gaps.argmax())
    usual = float((period - gaps[widest]) / max(len(gaps) - 1, 1))
    whole = float(gaps[widest]) <= WEDGE * usual
    if not whole:
        gaps[widest] = usual
    share = torch.empty_like(gaps)
    share[order] = (gaps + gaps.roll(1)) / 2
    begin = 0.0 if whole else float(at[order][(widest + 1) % len(order)]) - usual / 2
    return Arc(share, (at - begin) % period, float(gaps.sum()), whole)


def parker(arc: Arc, fan: Tensor) -> Tensor:
    """[N,W]: weights of rays of a short scan, which for a ray and its opposite add up to 1.

    Parker 1982, for an arc of any length between half a turn plus the fan's angle and a whole turn (Silver 2000).

    Args:
        arc: of the sources.
        fan: [W] radians between the ray to the axis and a column's, positive towards where the source comes from when
            it turns counterclockwise.
    """
    spare = max((arc.length - math.pi) / 2, 1e-3)
    gamma = fan.clamp(-0.999 * spare, 0.999 * spare)[None]
    beta = arc.along[:, None]
    rising = (math.pi / 4 * beta / (spare - gamma)).sin().square()
    falling = (math.pi / 4 * (math.pi + 2 * spare - beta) / (spare + gamma)).sin().square()
    weights = torch.where(beta < 2 * (spare - gamma), rising, torch.ones_like(rising))
    return torch.where(beta > math.pi - 2 * gamma, falling, weights)


def displaced(columns: Tensor, radius: float) -> Tensor:
    """[W]: weights of columns of a detector that reaches further on one side of the axis, in a whole turn.

    Wang 2002: 1/2 (1 + sin(pi/2 atan(u/R) / atan(T/R))) within the distance T that both sides reach, 1 beyond.

    Args:
        columns: [W] float64, where columns lie at the axis, from it.
        radius: R of the sources' circle; inf: parallel rays.
    """
    low, high = float(columns.min()), float(columns.max())
    reach = max(min(-low, high), 1e-12)
    side = 1.0 if high > -low else -1.0
    if math.isinf(radius):
        ratio = columns / reach
    else:
        ratio = (columns / radius).atan() / math.atan(reach / radius)
    return 0.5 + 0.5 * (math.pi / 2 * (side * ratio).clamp(-1, 1)).sin()
