"""Small plots as SVG, drawn by hand: colours come from the page's style, and all text is escaped."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from html import escape

from invrender.report.curves import Curve, Piece
from invrender.report.measures import shown

SERIES = 8  # colours in the page's style: c0, c1, ...
WIDE = 4.0  # from this ratio of greatest to least on, positive numbers are plotted by their logarithm

Scale = Callable[[float], float]


def spark(curve: Curve, width: int = 120, height: int = 40) -> str:
    """The losses of a run in a cell: no axes, words for who points at it."""
    if len(curve.values) < 2:
        return ""
    return _svg(width, height, "spark", _told(curve), _lines(curve, (2, width - 2), (height - 3, 3)))


def losses(curve: Curve, width: int = 460, height: int = 190) -> str:
    """The losses of a run with axes."""
    if len(curve.values) < 2:
        return ""
    left, right, top, bottom = 64, width - 12, 10, height - 34
    y = _scale(curve.values, (bottom, top))
    parts = [_axis_y(y, _ticks(curve.values), left, right)]
    parts.append(_lines(curve, (left, right), (bottom, top)))
    terms = list(dict.fromkeys(piece.term for piece in curve.pieces))
    parts.append(_text(left, height - 8, ", ".join(terms), "start"))
    parts.append(_text(right, height - 8, f"step {curve.rows}", "end"))
    return _svg(width, height, "plot", _told(curve), "".join(parts))


def chart(
    series: Mapping[str, Sequence[tuple[float, float]]], across: str, up: str, width: int = 560, height: int = 300
) -> str:
    """Lines of a metric over a setting, one for each name, with a legend where there are several.

    Args:
        series: points (setting, metric) by name.
        across, up: what the axes are called.
        width, height: in pixels.
    """
    points = [point for line in series.values() for point in line]
    xs, ys = sorted({x for x, _ in points}), [y for _, y in points]
    legend = 150 if len(series) > 1 else 12
    left, right, top, bottom = 68, width - legend, 26, height - 44
    x, y = _scale(xs, (left + 14, right - 14)), _scale(ys, (bottom - 8, top + 8), logarithmic=False)
    parts = [_axis_y(y, _ticks(ys, logarithmic=False), left, right), _text(left, 14, up, "start")]
    parts += [_text(x(value), bottom + 16, f"{value:g}", "middle") for value in _apart(xs, x, 34)]
    parts.append(_text((left + right) / 2, height - 8, across, "middle"))
    for number, (name, line) in enumerate(series.items()):
        ink = f"c{number % SERIES}"
        path = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in sorted(line))
        parts.append(f'<polyline class="{ink}" points="{path}"/>')
        for a, b in line:
            said = escape(f"{name}{': ' if name else ''}{across} {shown(a)}, {up} {shown(b)}")
            parts.append(
                f'<circle class="{ink}" cx="{x(a):.1f}" cy="{y(b):.1f}" r="3.5"><title>{said}</title></circle>'
            )
        if len(series) > 1:
            at = top + 12 + number * 18
            parts.append(f'<circle class="{ink}" cx="{right + 14}" cy="{at - 4}" r="4"/>')
            parts.append(_text(right + 24, at, name if len(name) < 20 else f"{name[:18]}…", "start"))
    return _svg(width, height, "plot", f"{up} over {across}", "".join(parts))


def _svg(width: int, height: int, kind: str, title: str, inner: str) -> str:
    return (
        f'<svg class="{kind}" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">'
        f"<title>{escape(title)}</title>{inner}</svg>"
    )


def _told(curve: Curve) -> str:
    last = curve.pieces[-1]
    return f"{last.term} {shown(curve.values[0])} → {shown(last.points[-1][1])} in {curve.rows} steps"


def _lines(curve: Curve, across: tuple[float, float], up: tuple[float, float]) -> str:
    """A polyline for each phase, joined to the one before where both are about the same quantity."""
    y, last = _scale(curve.values, up), max(1, curve.rows - 1)
    parts: list[str] = []
    before: Piece | None = None
    for number, piece in enumerate(curve.pieces):
        joint = before.points[-1:] if before is not None and before.term == piece.term else ()
        points = " ".join(
            f"{across[0] + (across[1] - across[0]) * row / last:.1f},{y(value):.1f}"
            for row, value in (*joint, *piece.points)
        )
        title = f"<title>{escape(' '.join(filter(None, (piece.phase, piece.term))))}</title>"
        parts.append(f'<polyline class="c{number % 2}" points="{points}">{title}</polyline>')
        before = piece
    return "".join(parts)


def _by_logarithm(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) > WIDE * min(values)


def _scale(values: Sequence[float], ends: tuple[float, float], logarithmic: bool = True) -> Scale:
    """From values to pixels; by the logarithm where they are positive and spread wide."""
    way: Scale = math.log if logarithmic and _by_logarithm(values) else float
    low, high = way(min(values)), way(max(values))
    if high - low <= 1e-12 * max(1.0, abs(high)):
        return lambda _: (ends[0] + ends[1]) / 2
    return lambda value: ends[0] + (ends[1] - ends[0]) * (way(value) - low) / (high - low)


def _ticks(values: Sequence[float], logarithmic: bool = True) -> list[float]:
    """Round numbers among the values; without any, their ends."""
    low, high = min(values), max(values)
    if logarithmic and _by_logarithm(values):
        powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for steps in ((1,), (1, 3), (1, 2, 5)):
            every = [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]
            if len(every) >= 3:
                return every[:: max(1, len(every) // 4)]
        return [low, high]
    step = 10 ** math.floor(math.log10(max(high - low, 1e-300) / 2)) if high > low else 0.0
    for factor in (5, 2, 1, 0.5):
        first = math.ceil(low / (step * factor) - 1e-9) if step else 0
        count = math.floor(high / (step * factor) + 1e-9) - first + 1 if step else 0
        if 3 <= count <= 12:
            return [(first + k) * step * factor for k in range(count)]
    return list(dict.fromkeys((low, high)))


def _apart(values: Sequence[float], scale: Scale, room: float) -> list[float]:
    """Those of rising values whose labels do not touch."""
    kept: list[float] = []
    for value in values:
        if not kept or scale(value) - scale(kept[-1]) >= room:
            kept.append(value)
    return kept


def _axis_y(scale: Scale, ticks: Sequence[float], left: float, right: float) -> str:
    return "".join(
        f'<line x1="{left}" x2="{right}" y1="{scale(tick):.1f}" y2="{scale(tick):.1f}"/>'
        + _text(left - 6, scale(tick) + 4, f"{tick:.4g}", "end")
        for tick in ticks
    )


def _text(x: float, y: float, words: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
