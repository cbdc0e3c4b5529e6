"""A metric over the one or two settings in which the jobs of a batch differ: lines, and a table of colours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import PurePath
from typing import Any

from invrender.batch.collection.results import Row
from invrender.report.measures import direction, is_number, main, shown
from invrender.report.plots import SERIES, chart

MOST = 24  # values of a setting in a table


@dataclass(frozen=True)
class Matrix:
    """The mean of a metric over all jobs with the same settings.

    Attributes:
        metric: its name.
        names: of one or two settings.
        values: of each setting, in their order.
        means: by the values' places.
        held: settings that vary, too, and their values in the jobs that are shown.
    """

    metric: str
    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    means: Mapping[tuple[int, ...], float]
    held: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """What is shown, in words."""
        held = " and ".join(f"{name} {label(value)}" for name, value in self.held.items())
        return f"{self.metric} by {' and '.join(self.names)}" + (f", for {held}" if held else "")


def matrix(rows: Sequence[Row], differing: Sequence[str]) -> Matrix | None:
    """The main metric over the settings that vary among the jobs that have it; None where none does, or too wide.

    The seed is left out where other settings vary: means are taken over it. Where more than two vary, those of which
    most jobs have one value are held at that.
    """
    metric = next((name for row in rows for name in main(row.metrics, 1)), "")
    having = [row for row in rows if is_number(row.metrics.get(metric))]
    names, held = _varying(having, differing), {}
    while len(names) > 2:
        commonest = {name: Counter(_told(row, name) for row in having).most_common(1)[0] for name in names}
        name = max(names, key=lambda name: commonest[name][1])
        having = [row for row in having if _told(row, name) == commonest[name][0]]
        held[name] = having[0].setting(name)
        names = _varying(having, names)
    values = [_distinct(row.setting(name) for row in having) for name in names]
    if not names or max(map(len, values)) > MOST:
        return None
    cells: dict[tuple[int, ...], list[float]] = {}
    for row in having:
        place = tuple(each.index(row.setting(name)) for name, each in zip(names, values, strict=True))
        cells.setdefault(place, []).append(float(row.metrics[metric]))
    means = {place: sum(each) / len(each) for place, each in cells.items()}
    return Matrix(metric, tuple(names), tuple(map(tuple, values)), means, held)


def _varying(rows: Sequence[Row], names: Sequence[str]) -> list[str]:
    """The settings that vary among some rows, without the seed unless it alone does."""
    found = [name for name in names if len({_told(row, name) for row in rows}) > 1]
    return [name for name in found if name != "seed"] or found


def _told(row: Row, name: str) -> str:
    return repr(row.setting(name))


def _distinct(values: Any) -> list[Any]:
    """Values, each once: numbers by size before all others."""
    found: list[Any] = []
    for value in values:
        if value not in found:
            found.append(value)
    return sorted(found, key=lambda value: (not is_number(value), value if is_number(value) else 0, label(value)))


def label(value: Any, longest: int = 28) -> str:
    """A setting's value in few characters: of a path its last part."""
    text = "unset" if value is None else f"{value:g}" if isinstance(value, float) else shown(value)
    if isinstance(value, str) and "/" in value:
        text = PurePath(text).name or text
    return text if len(text) <= longest else f"{text[: longest // 2]}…{text[1 - longest // 2 :]}"


def drawn(found: Matrix) -> str:
    """HTML of the lines, where a setting is a number, and of the table, where there are two."""
    parts = [_lines(found), _table(found) if len(found.names) == 2 else ""]
    return "".join(parts)


def _lines(found: Matrix) -> str:
    """Along the setting with the most values that are all numbers; the other one makes lines."""
    numeric = [i for i, values in enumerate(found.values) if all(map(is_number, values))]
    numeric = [i for i in numeric if all(len(v) <= SERIES for k, v in enumerate(found.values) if k != i)]
    if not numeric:
        return ""
    along = max(numeric, key=lambda i: len(found.values[i]))
    series: dict[str, list[tuple[float, float]]] = {}
    for place, mean in sorted(found.means.items()):
        other = [f"{found.names[k]} {label(found.values[k][at])}" for k, at in enumerate(place) if k != along]
        series.setdefault("".join(other), []).append((float(found.values[along][place[along]]), mean))
    return chart(series, found.names[along], found.metric)


def _table(found: Matrix) -> str:
    """Rows are the first setting, columns the second; the better a cell, the stronger its colour."""
    least, most = min(found.means.values()), max(found.means.values())
    down = direction(found.metric) < 0
    head = "".join(f"<th>{escape(label(value))}</th>" for value in found.values[1])
    lines = []
    for i, value in enumerate(found.values[0]):
        cells = []
        for k in range(len(found.values[1])):
            mean = found.means.get((i, k))
            if mean is None:
                cells.append("<td></td>")
                continue
            share = (mean - least) / (most - least) if most > least else 0.5
            cells.append(f'<td style="--share: {0.6 * (1 - share if down else share) + 0.04:.2f}">{shown(mean)}</td>')
        lines.append(f"<tr><th>{escape(label(value))}</th>{''.join(cells)}</tr>")
    caption = escape(f"{found.metric}: {found.names[0]} downwards, {found.names[1]} across")
    return (
        f'<table class="heat"><caption>{caption}</caption><thead><tr><th></th>{head}</tr></thead>'
        f"<tbody>{''.join(lines)}</tbody></table>"
    )
