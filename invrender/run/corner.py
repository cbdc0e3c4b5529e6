"""Samples of a posterior as files: a corner plot (.png), and the numbers themselves (.npz).

A corner plot shows each number's histogram on the diagonal, and each pair of numbers below it, as Foreman-Mackey's
`corner` made usual. Vertical bands and the numbers above the histograms are intervals with equal tails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.files.atomic import atomic_path

Array = NDArray[np.float64]

MOST = 12  # numbers that are drawn; more cannot be read
BINS, FINE = 28, 40  # of histograms in one and two dimensions
MOST_DOTS = 1500
CONFOUNDED = 0.95
BLUE, RED, GREEN = "#2f6db3", "#c8372d", "#2b8a3e"
MARKS = ((RED, "red:", "estimate"), (GREEN, "green:", "truth"))


def write_samples(path: Path, names: Sequence[str], draws: Array, density: Array) -> None:
    """Write `names` [P], `draws` [C,N,P] by chain, and `log_density` [C,N], as .npz.

    Raises:
        UsageError: the place cannot be written to.
    """
    with atomic_path(path) as place:
        np.savez_compressed(place, names=np.array(list(names)), draws=draws, log_density=density)


def write_corner(
    path: Path,
    names: Sequence[str],
    samples: Array,
    truth: Sequence[float] | None = None,
    estimate: Sequence[float] | None = None,
    share: float = 0.9,
) -> None:
    """Write a corner plot as .png.

    Args:
        path: of the file.
        names: of the P numbers; the first twelve are drawn.
        samples: [S,P], finite.
        truth, estimate: [P], marked in green and red.
        share: of the samples inside the intervals and the outer contours; the inner contours hold half of them.

    Raises:
        UsageError: the place cannot be written to.
    """
    from matplotlib.figure import Figure

    shown = min(len(names), MOST)
    marks = {colour: tuple(values) for colour, values in ((GREEN, truth), (RED, estimate)) if values is not None}
    axes = [_axis(names[i], samples[:, i], {colour: mark[i] for colour, mark in marks.items()}) for i in range(shown)]
    side = 1.2 + shown * max(1.05, 2.2 - 0.13 * shown)  # inches
    figure = Figure(figsize=(side, side))
    grid = figure.add_gridspec(shown, shown)
    for row, y in enumerate(axes):
        for column, x in enumerate(axes[:row]):
            panel = figure.add_subplot(grid[row, column])
            _draw_pair(panel, x, y, share)
            _label(panel, x, y, row == shown - 1, column == 0)
        panel = figure.add_subplot(grid[row, row])
        _draw_one(panel, y, share)
        _label(panel, y, None, row == shown - 1, False)
    place = figure.subplotpars
    figure.text(place.left, place.top + 0.5 / side, _caption(len(samples), len(names), marks, share), fontsize=8.5)
    with atomic_path(path) as temporary:
        figure.savefig(temporary, dpi=110, bbox_inches="tight", pad_inches=0.12)


def _caption(samples: int, count: int, marks: Mapping[str, Any], share: float) -> str:
    """What is drawn."""
    parts = [f"{samples} samples, median and {100 * share:g} % interval"]
    parts += [f"{word} {what}" for colour, word, what in MARKS if colour in marks]
    parts += [f"first {MOST} of {count}"] if count > MOST else []
    return "; ".join(parts)


@dataclass(frozen=True)
class _Axis:
    """One number: its name, its samples [S], the range that is drawn, and marks by their colour."""

    name: str
    values: Array
    low: float
    high: float
    marks: Mapping[str, float]

    def text(self, value: float, finer: int = 0) -> str:
        """With as many digits as the range can tell apart, or more."""
        decimals = max(0, 1 + finer - math.floor(math.log10(self.high - self.low)))
        plain = f"{value:.{decimals}f}" if abs(value) < 1e7 and decimals < 8 else f"{value:.3g}"
        return ("0" if float(plain) == 0 else plain).replace("-", "\N{MINUS SIGN}")


def _axis(name: str, values: Array, marks: Mapping[str, float]) -> _Axis:
    """From nearly the lowest sample to nearly the highest, and as far as the marks."""
    low, high = np.quantile(values, [0.002, 0.998])
    low, high = min(low, *marks.values(), math.inf), max(high, *marks.values(), -math.inf)
    margin = 0.06 * (high - low) or 0.01 * abs(high) or 1.0
    return _Axis(name, values, float(low - margin), float(high + margin), marks)


def _draw_one(panel: Any, axis: _Axis, share: float) -> None:
    """The histogram, with the interval as a band, and the median and the ends as text."""
    panel.hist(axis.values, bins=np.linspace(axis.low, axis.high, BINS + 1), color=BLUE, alpha=0.75)
    low, median, high = np.quantile(axis.values, [(1 - share) / 2, 0.5, (1 + share) / 2])
    panel.axvspan(low, high, color=BLUE, alpha=0.15, linewidth=0)
    panel.axvline(median, color=BLUE, linewidth=1)
    for colour, at in axis.marks.items():
        panel.axvline(at, color=colour, linewidth=1.3)
    panel.set_title(f"{axis.text(median, 1)}\n[{axis.text(low, 1)}, {axis.text(high, 1)}]", fontsize=7, pad=3)


def _draw_pair(panel: Any, x: _Axis, y: _Axis, share: float) -> None:
    """Dots, contours around half and most of the samples, and the correlation."""
    some = slice(None, None, max(1, len(x.values) // MOST_DOTS))
    panel.plot(x.values[some], y.values[some], ".", color=BLUE, alpha=0.25, markersize=2, markeredgewidth=0)
    density, levels = _contours(x, y, share)
    if levels:
        across, up = (axis.low + (np.arange(FINE) + 0.5) / FINE * (axis.high - axis.low) for axis in (x, y))
        panel.contour(across, up, density.T, levels, colors=BLUE, linewidths=0.9)
    for colour, at in x.marks.items():
        panel.axvline(at, color=colour, linewidth=0.8)
        panel.axhline(y.marks[colour], color=colour, linewidth=0.8)
    if np.ptp(x.values) > 0 and np.ptp(y.values) > 0:
        strength = float(np.corrcoef(x.values, y.values)[0, 1])
        bold = abs(strength) >= CONFOUNDED
        panel.text(
            0.96, 0.96, f"{strength:.2f}".replace("-", "\N{MINUS SIGN}"), transform=panel.transAxes, ha="right",
            va="top", fontsize=6.5, color=RED if bold else "0.35", fontweight="bold" if bold else "normal",
        )  # fmt: skip


def _contours(x: _Axis, y: _Axis, share: float) -> tuple[Array, list[float]]:
    """The smoothed density [FINE,FINE], and its levels around the share and half of the samples, rising."""
    from scipy.ndimage import gaussian_filter

    limits = [[axis.low, axis.high] for axis in (x, y)]
    counts = np.histogram2d(x.values, y.values, FINE, limits)[0]
    density = np.asarray(gaussian_filter(counts, 1.2), np.float64)
    falling = np.sort(density.reshape(-1))[::-1]
    inside = np.cumsum(falling) / max(falling.sum(), 1e-300)
    levels = [float(falling[np.searchsorted(inside, part)]) for part in (share, 0.5)]
    return density, levels if 0 < levels[0] < levels[1] < falling[0] else []


def _label(panel: Any, x: _Axis, y: _Axis | None, is_last: bool, is_first: bool) -> None:
    """Few ticks, and names along the left and the lower border; histograms have no scale."""
    panel.tick_params(labelsize=6.5, length=2, labelbottom=is_last, labelleft=is_first)
    panel.tick_params(axis="x", rotation=45)
    panel.set_xlim(x.low, x.high)
    _tick(panel.xaxis, x)
    if y is None:
        panel.set_yticks([])
    else:
        panel.set_ylim(y.low, y.high)
        _tick(panel.yaxis, y)
    if is_last:
        panel.set_xlabel(_broken(x.name), fontsize=7.5)
    if is_first and y is not None:
        panel.set_ylabel(_broken(y.name), fontsize=7.5)


def _tick(side: Any, axis: _Axis) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    side.set_major_locator(MaxNLocator(3, prune="both"))
    side.set_major_formatter(FuncFormatter(lambda value, _: axis.text(value)))


def _broken(name: str, most: int = 15) -> str:
    """A name in lines, broken at dots where it is long."""
    lines = [""]
    for number, part in enumerate(name.split(".")):
        piece = part if number == 0 else f".{part}"
        if lines[-1] and len(lines[-1]) + len(piece) > most:
            lines.append(piece)
        else:
            lines[-1] += piece
    return "\n".join(lines)
