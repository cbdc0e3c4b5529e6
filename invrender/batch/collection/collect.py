"""One look at all runs of a batch: results.csv, results.png and report.html.

Columns of results.csv: `name`, `folder`, `state`, `exit_code`, `cause`, `attempts`, `seconds`, `processor_seconds`,
`warnings` (how many), `unreadable` (files that should be there), then `setting.NAME` for each setting in which the jobs
differ, then the metrics by the names that `measures.flat` gives them. Where there is no value a cell is empty.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from invrender.batch.collection.results import Results, Row, read_results
from invrender.batch.folder import counts
from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_write_bytes
from invrender.io.files.paths import nearest
from invrender.report.measures import direction, is_number

CSV, SHEET, REPORT = "results.csv", "results.png", "report.html"
OWN = (
    "name", "folder", "state", "exit_code", "cause", "attempts", "seconds", "processor_seconds", "warnings",
    "unreadable",
)  # fmt: skip


@dataclass(frozen=True)
class Collected:
    """What was written.

    Attributes:
        csv, report: the files; `sheets`: the pictures, of up to `sheet.MOST` jobs each.
        counts: how many jobs are in which state.
        rows: of results.csv, by its columns.
        troubles: what could not be read, with the job's name before it.
    """

    csv: Path
    sheets: tuple[Path, ...]
    report: Path
    counts: dict[str, int]
    rows: tuple[dict[str, Any], ...]
    troubles: tuple[str, ...]


def collect(folder: Path, output: Path | None = None, sort: str | None = None) -> Collected:
    """Gather the results of a batch, or of a folder of runs, finished or not.

    Args:
        folder: of the batch, or one in whose folders runs lie.
        output: the folder to write to; None: `folder`.
        sort: a column of results.csv: the best comes first, what has no value last; None: the order of the jobs.

    Raises:
        InputError: the folder holds no runs, or batch.json is damaged.
        UsageError: there is no such column, or nothing can be written.
    """
    from invrender.batch.collection.report import curves_of, write_report
    from invrender.batch.collection.sheet import write_sheets
    from invrender.batch.collection.thumbnails import thumbnails

    results = read_results(folder)
    place = folder if output is None else output
    differing = differences(results.rows)
    if sort is not None:
        results = Results(folder, tuple(_sorted(results.rows, differing, sort)), results.source)
    table = [_cells(row, differing) for row in results.rows]
    atomic_write_bytes(place / CSV, _csv(table, columns(results.rows, differing)))
    pictures, curves = thumbnails(row.folder for row in results.rows), curves_of(results.rows)
    sheets = write_sheets(results, pictures, place / SHEET)
    write_report(results, differing, pictures, curves, place / REPORT)
    said = [
        f"{row.name}: {text}"
        for row in results.rows
        for text in (*row.troubles, curves[row.folder].trouble, pictures[row.folder].trouble)
        if text
    ]
    standings = counts(row.standing for row in results.rows)
    return Collected(place / CSV, tuple(sheets), place / REPORT, standings, tuple(table), tuple(said))


def differences(rows: Sequence[Row]) -> list[str]:
    """The names of the settings in which jobs differ: of those that jobs give, or of all where no job gives any."""
    given: dict[str, None] = {name: None for row in rows for name in row.given}
    if given:
        return [name for name in given if _differ(rows, name)]
    # Runs of several methods have settings of their own, in which others do not differ from them.
    known = {name: None for row in rows for name in row.config}
    return [name for name in known if _differ([row for row in rows if name in row.config], name)]


def _differ(rows: Sequence[Row], name: str) -> bool:
    return len({json.dumps(row.setting(name), sort_keys=True, default=str) for row in rows}) > 1


def columns(rows: Sequence[Row], differing: Sequence[str]) -> list[str]:
    """The columns of results.csv, in order."""
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(_metric(name) for name in row.metrics)
    return [*OWN, *(f"setting.{name}" for name in differing), *names]


def _metric(name: str) -> str:
    """The column of a metric."""
    return f"metric.{name}" if name in OWN else name


def _cells(row: Row, differing: Sequence[str]) -> dict[str, Any]:
    """The row of a job in results.csv; what has no value is left out."""
    standing = row.standing
    cells: dict[str, Any] = {
        "name": row.name,
        "folder": str(row.folder),
        "state": standing.state,
        "exit_code": standing.exit_code,
        "cause": standing.cause or None,
        "attempts": standing.attempts,
        "seconds": standing.seconds or None,
        "processor_seconds": standing.processor or None,
        "warnings": len(row.warnings),
        "unreadable": "; ".join(row.troubles) or None,
    }
    cells |= {f"setting.{name}": row.setting(name) for name in differing}
    cells |= {_metric(name): value for name, value in row.metrics.items()}
    return {name: value for name, value in cells.items() if value is not None}


def _csv(table: Sequence[dict[str, Any]], names: Sequence[str]) -> bytes:
    """The bytes of results.csv: UTF-8 with the mark by which spreadsheets know it, which pandas passes over."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows([_text(row.get(name)) for name in names] for row in table)
    return b"\xef\xbb\xbf" + text.getvalue().replace("\0", "").encode(errors="backslashreplace")


def _text(value: Any) -> str:
    """A cell: numbers with all their digits, true and false, lists as JSON."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return repr(value) if is_number(value) else ""
    return str(value) if isinstance(value, str | int) else json.dumps(value, ensure_ascii=False, default=str)


def _sorted(rows: Sequence[Row], differing: Sequence[str], by: str) -> list[Row]:
    """Rows by a column, the best first; texts by the alphabet; rows without a value last, in their order."""
    names = columns(rows, differing)
    if by not in names:
        near = nearest(by, names)
        hint = f"did you mean {near}? " if near else ""
        known = ", ".join(name for name in names if name not in OWN) or "no job has any metric yet"
        raise UsageError(f"--sort is {by!r}, which no job has", f"{hint}columns of {CSV}: {known}")
    cells = {id(row): _cells(row, differing).get(by) for row in rows}
    having = [row for row in rows if cells[id(row)] is not None]
    having.sort(key=lambda row: _order(cells[id(row)]), reverse=direction(by) > 0)
    return [*having, *(row for row in rows if cells[id(row)] is None)]


def _order(value: Any) -> tuple[bool, float, str]:
    """Numbers by size, then texts by the alphabet."""
    return (False, float(value), "") if is_number(value) else (True, 0.0, str(value))
