"""report.html: a batch on one page that needs nothing but itself, to be read, sorted and sent on.

Whatever comes from files (names, causes, settings, warnings) is escaped on its way into the page.
"""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path

from invrender.batch.collection.details import details
from invrender.batch.collection.links import link
from invrender.batch.collection.matrix import drawn, label, matrix
from invrender.batch.collection.page import SCRIPT, STYLE
from invrender.batch.collection.results import Results, Row
from invrender.batch.collection.thumbnails import Thumbnail
from invrender.batch.folder import counts
from invrender.batch.table import duration
from invrender.io.files.atomic import atomic_write_text
from invrender.report.curves import Curve, read_curve
from invrender.report.measures import direction, is_number, main, shown
from invrender.report.page import document
from invrender.report.plots import spark
from invrender.run.place import LOSSES
from invrender.run.record import now

MOST_SETTINGS, MOST_METRICS = 6, 5  # columns of the table


def write_report(
    results: Results, differing: Sequence[str], pictures: Mapping[Path, Thumbnail], curves: Mapping[Path, Curve],
    path: Path,
) -> None:  # fmt: skip
    """Write the page.

    Args:
        results: all rows, in the order of the table.
        differing: the settings in which they differ.
        pictures, curves: by the rows' folders.
        path: of the page; links are relative to its folder.

    Raises:
        UsageError: that cannot be written.
    """
    rows, title = results.rows, results.folder.absolute().name
    parts = [_head(results, title), _failed(rows, path.parent)]
    found = matrix(rows, differing)
    if found is not None and (plots := drawn(found)):
        parts.append(f'<h2>{escape(found.title)}</h2><div class="card side">{plots}</div>')
    parts.append(_jobs(rows, differing, pictures, curves, path.parent))
    parts.append("<h2>Details</h2>")
    for number, row in enumerate(rows):
        parts.append(
            details(row, number, differing, curves.get(row.folder, Curve()), pictures.get(row.folder), path.parent)
        )
    atomic_write_text(path, document(f"{title}: results", "\n".join(filter(None, parts)), STYLE, SCRIPT))


def _head(results: Results, title: str) -> str:
    """How many jobs stand how, how long they took, on which machines and with which versions."""
    rows = results.rows
    chips = "".join(
        f'<li class="state {escape(state)}">{count} {escape(state)}</li>'
        for state, count in counts(row.standing for row in rows).items()
    )
    facts = [("jobs from", results.source), ("time", _time(rows)), ("machines", _machines(rows)),
             ("versions", _versions(rows)), ("read", now().replace("T", " ").replace("+00:00", " UTC"))]  # fmt: skip
    lines = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in facts if text)
    return f'<header><h1>{escape(title)}</h1><ul class="chips">{chips}</ul><dl>{lines}</dl></header>'


def _time(rows: Sequence[Row]) -> str:
    seconds, processor = (sum(getattr(row.standing, name) for row in rows) for name in ("seconds", "processor"))
    said = f"{duration(seconds)} in all jobs" + (f", {duration(processor)} of processors" if processor else "")
    begun, ended = _times(row.standing.started for row in rows), _times(row.standing.ended for row in rows)
    if begun and ended and max(ended) > min(begun):
        said += f"; {duration((max(ended) - min(begun)).total_seconds())} from the first start to the last end"
    return said


def _times(texts: Iterable[str]) -> list[datetime]:
    found = []
    for text in texts:
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            continue
        if moment.tzinfo is not None:
            found.append(moment)
    return found


def _machines(rows: Sequence[Row]) -> str:
    found: Counter[str] = Counter()
    for row in rows:
        machine = row.record.get("machine")
        if isinstance(machine, Mapping):
            told = [str(machine[name]) for name in ("system",) if machine.get(name)]
            told += [f"{machine['cores']} cores"] if machine.get("cores") else []
            device = row.record.get("device")
            found[", ".join([str(row.record.get("host") or "?"), *told, *([str(device)] if device else [])])] += 1
    several = len(found) > 1
    return "; ".join(f"{name} ({count} jobs)" if several else name for name, count in found.most_common(6))


def _versions(rows: Sequence[Row]) -> str:
    found: dict[str, dict[str, None]] = {}
    for row in rows:
        versions = row.record.get("versions")
        every = {"invrender": row.record.get("invrender"), **(versions if isinstance(versions, Mapping) else {})}
        for name in ("invrender", "python", "torch", "numpy"):
            if every.get(name):
                found.setdefault(name, {})[str(every[name])] = None
    return ", ".join(f"{name} {' and '.join(each)}" for name, each in found.items())


def _failed(rows: Sequence[Row], base: Path) -> str:
    """Each job that failed, with its cause and remedy."""
    cards = []
    for number, row in enumerate(rows):
        if row.standing.state != "failed":
            continue
        code = "" if row.standing.exit_code is None else f", exit code {row.standing.exit_code}"
        remedy = f"<p><b>try:</b> {escape(row.standing.remedy)}</p>" if row.standing.remedy else ""
        cards.append(
            f'<div class="card bad"><p>{link(row.folder, base, row.name)} <span class="quiet">failed{code}, '
            f'<a href="#job-{number}">details</a></span></p>'
            f"<p>{escape(row.standing.cause or 'no cause was noted')}</p>{remedy}</div>"
        )
    return f"<h2>Failed</h2>{''.join(cards)}" if cards else ""


def main_columns(rows: Sequence[Row]) -> list[str]:
    """The main metrics of all jobs, those that most of them have first."""
    found = Counter(name for row in rows for name in main(row.metrics, 3))
    return [name for name, _ in found.most_common(MOST_METRICS)]


def _best(rows: Sequence[Row], name: str) -> object:
    """The best value of a metric, if there is more than one value and a way to say which is better."""
    values = {row.metrics[name] for row in rows if is_number(row.metrics.get(name))}
    if len(values) < 2 or not direction(name):
        return None
    return max(values) if direction(name) > 0 else min(values)


def _jobs(
    rows: Sequence[Row], differing: Sequence[str], pictures: Mapping[Path, Thumbnail], curves: Mapping[Path, Curve],
    base: Path,
) -> str:  # fmt: skip
    """The table of all jobs; a click on a column's head sorts by it."""
    settings, metrics = list(differing)[:MOST_SETTINGS], main_columns(rows)
    kinds = {name: "number" if all(is_number(row.setting(name)) for row in rows) else "" for name in settings}
    heads = [("job", ""), ("state", ""), *kinds.items(), *((name, "number") for name in metrics), ("time", "number")]
    head = "".join(f'<th class="{kind}"><button type="button">{escape(name)}</button></th>' for name, kind in heads)
    best = {name: _best(rows, name) for name in metrics}
    lines = []
    for number, row in enumerate(rows):
        cells = [_thumb(row, pictures.get(row.folder)), _name(row, number, base)]
        cells.append(_state(row))
        cells += [_setting(row.setting(name)) for name in settings]
        cells += [_number(row.metrics.get(name), best=best[name]) for name in metrics]
        seconds = row.standing.seconds or None
        cells.append(_number(seconds, duration(seconds) if seconds else ""))
        cells.append(f"<td>{spark(curves.get(row.folder, Curve()))}</td>")
        lines.append(f"<tr>{''.join(cells)}</tr>\n")
    more = len(differing) - len(settings)
    note = f'<p class="quiet">{more} more settings differ: see the details and results.csv.</p>' if more > 0 else ""
    table = f"<thead><tr><th></th>{head}<th>loss</th></tr></thead>\n<tbody>{''.join(lines)}</tbody>"
    return f'<h2>Jobs</h2><div class="scroll"><table class="jobs">{table}</table></div>{note}'


def _thumb(row: Row, picture: Thumbnail | None) -> str:
    if picture is None or not picture.data:
        return '<td><span class="none">no picture</span></td>'
    data = base64.b64encode(picture.data).decode()
    said = escape(f"result of {row.name}", quote=True)
    return f'<td><img class="thumb" alt="{said}" src="data:image/jpeg;base64,{data}"></td>'


def _name(row: Row, number: int, base: Path) -> str:
    said = f'<br><a class="quiet" href="#job-{number}">details</a>'
    found = len(row.warnings) + len(row.troubles)
    said += f' <span class="quiet">· {found} warning{"s" if found > 1 else ""}</span>' if found else ""
    return f'<td class="name" data-value="{escape(row.name, quote=True)}">{link(row.folder, base, row.name)}{said}</td>'


def _state(row: Row) -> str:
    state = escape(row.standing.state)
    step = f'<br><span class="quiet">{escape(row.step)}</span>' if row.step else ""
    return _cell(row.standing.state, f'<span class="state {state}">{state}</span>{step}')


def _cell(value: str, inner: str, kind: str = "") -> str:
    return f'<td class="{kind or "nowrap"}" data-value="{escape(value, quote=True)}">{inner}</td>'


def _setting(value: object) -> str:
    if value is None or is_number(value):
        return _number(value, label(value))
    said, whole = escape(label(value), quote=True), escape(str(value), quote=True)
    return f'<td title="{whole}" data-value="{said}">{said}</td>'


def _number(value: object, text: str | None = None, best: object = None) -> str:
    """A cell that is sorted by its value; `best` is marked."""
    if value is None:
        return '<td class="number"></td>'
    kind = "number best nowrap" if best is not None and value == best else "number nowrap"
    return _cell(str(value), escape(shown(value) if text is None else text), kind)


def curves_of(rows: Sequence[Row]) -> dict[Path, Curve]:
    """The losses of all rows by their folders."""
    return {row.folder: read_curve(row.folder / LOSSES) for row in rows}
