"""How a run's losses went down: a plot with its phases, and the numbers where one points at it."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from invrender.report.curves import LABEL
from invrender.report.measures import shown

POINTS = 240  # steps that are kept
WIDTH, HEIGHT = 720, 260
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 30, 34
WIDE = 4.0  # greatest by least, from which on positive numbers are plotted by their logarithm
MOST_NAMES = 6  # phases that are named above the plot

Row = tuple[int, str, dict[str, float]]  # step within its phase, phase, terms


@dataclass(frozen=True)
class Course:
    """The steps of a run in order, thinned out. `rows`: of each step its number, phase and terms; `count`: of all."""

    rows: tuple[Row, ...] = ()
    count: int = 0


def read_course(path: Path) -> Course:
    """The steps of a losses.csv; none where it is missing, and of a damaged one those before the damage."""
    rows: list[Row] = []
    try:
        with path.open(newline="", encoding="utf-8") as file:
            for cells in csv.DictReader(file):
                terms = {name: float(text) for name, text in cells.items()
                         if text and name not in ("step", LABEL, None)}  # fmt: skip
                rows.append((int(cells["step"]), cells.get(LABEL) or "", terms))
    except (OSError, ValueError, KeyError, TypeError, csv.Error):
        pass
    stride = max(1, math.ceil(len(rows) / POINTS))
    kept = sorted({*range(0, len(rows), stride), len(rows) - 1} if rows else ())
    return Course(tuple(rows[i] for i in kept), len(rows))


def course_plot(course: Course) -> str:
    """The first term of every phase as a line, phases apart in stripes; the other terms are told where one points."""
    if len(course.rows) < 2:
        return ""
    firsts = [next(iter(terms.items()), ("", math.nan)) for _, _, terms in course.rows]
    values = [value for _, value in firsts if math.isfinite(value)]
    if not values:
        return ""
    logarithmic = min(values) > 0 and max(values) > WIDE * min(values)
    way = math.log10 if logarithmic else float
    low, high = way(min(values)), way(max(values))
    room = high - low if high > low else max(abs(high), 1.0)

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - TOP) * (way(value) - low) / room

    last = max(1, len(course.rows) - 1)
    xs = [LEFT + (WIDTH - LEFT - RIGHT) * i / last for i in range(len(course.rows))]
    spans = _phases(course.rows, [name for name, _ in firsts])
    parts = [_stripe(spans, i, xs) for i in range(len(spans))]
    parts += [_tick(y(tick), tick) for tick in _ticks(low, high, logarithmic)]
    for number, (start, end, _) in enumerate(spans):
        known = [i for i in range(start, end) if math.isfinite(firsts[i][1])]
        points = " ".join(f"{xs[i]:.1f},{y(firsts[i][1]):.1f}" for i in known)
        parts.append(f'<polyline class="c{number % 2}" points="{points}"/>')
    terms = list(dict.fromkeys(name for name, _ in firsts))
    parts.append(f'<text x="{LEFT}" y="{HEIGHT - 10}">{escape(", ".join(terms))}</text>')
    parts.append(f'<text x="{WIDTH - RIGHT}" y="{HEIGHT - 10}" text-anchor="end">{course.count} steps</text>')
    parts.append(f'<line class="cursor" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
    usual = f"{terms[-1]}: {shown(firsts[0][1])} at first, {shown(firsts[-1][1])} in the end"
    said = [_said(row) for row in course.rows]
    data = escape(json.dumps({"x": [round(x, 1) for x in xs], "said": said}, separators=(",", ":")), quote=True)
    return (
        f'<svg class="course" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" data-points="{data}">'
        f"<title>{escape(usual)}</title>{''.join(parts)}</svg>"
        f'<p class="told quiet" data-usual="{escape(usual, quote=True)}">{escape(usual)}</p>'
    )


def _said(row: Row) -> str:
    step, phase, terms = row
    numbers = " · ".join(f"{name} {shown(value)}" for name, value in terms.items())
    return f"{phase + ', ' if phase else ''}step {step + 1}: {numbers}"


def _phases(rows: Sequence[Row], terms: Sequence[str]) -> list[tuple[int, int, str]]:
    """From and to which row one phase goes, and its name: a new one begins with a name, a term, or counting anew."""
    spans: list[tuple[int, int, str]] = []
    start = 0
    for i in range(1, len(rows) + 1):
        if i == len(rows) or (rows[i][1], terms[i]) != (rows[i - 1][1], terms[i - 1]) or rows[i][0] < rows[i - 1][0]:
            spans.append((start, i, rows[start][1]))
            start = i
    return spans


def _stripe(spans: Sequence[tuple[int, int, str]], number: int, xs: Sequence[float]) -> str:
    start, end, name = spans[number]
    left = xs[start] if number == 0 else (xs[start] + xs[start - 1]) / 2
    right = xs[-1] if end == len(xs) else (xs[end] + xs[end - 1]) / 2
    stripe = f'<rect class="stripe s{number % 2}" x="{left:.1f}" y="{TOP}" width="{max(right - left, 0):.1f}"'
    drawn = f'{stripe} height="{HEIGHT - BOTTOM - TOP}"><title>{escape(name or "one phase")}</title></rect>'
    if not name or len(spans) > MOST_NAMES:
        return drawn
    fits = max(int((right - left) / 6.6), 0)
    word = name if len(name) <= fits else (name[: fits - 1] + "…" if fits > 4 else "")
    return drawn + f'<text x="{left + 4:.1f}" y="{TOP - 9}">{escape(word)}</text>'


def _tick(y: float, value: float) -> str:
    line = f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
    return line + f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>'


def _ticks(low: float, high: float, logarithmic: bool) -> list[float]:
    """Round numbers between the two ends, which are logarithms where the scale is logarithmic."""
    if high <= low:
        return [10**low if logarithmic else low]
    if logarithmic:
        for steps in ((1,), (1, 3), (1, 2, 5)):
            powers = range(math.floor(low), math.ceil(high) + 1)
            found = [s * 10.0**p for p in powers for s in steps if low - 1e-9 <= math.log10(s * 10.0**p) <= high + 1e-9]
            if len(found) >= 3:
                return found[:: max(1, len(found) // 5)]
        return [10**low, 10**high]
    step = 10 ** math.floor(math.log10((high - low) / 2))
    step *= next((f for f in (1, 2, 5) if (high - low) / (step * f) <= 5), 10)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]
