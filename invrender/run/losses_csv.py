"""losses.csv: one row per step, on disk as soon as it is known, so that a run can be watched and outlives a crash."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from invrender.errors import CheckpointError
from invrender.io.files.atomic import append_text, atomic_write_text


class LossLog:
    """Appends rows to a CSV file whose first column is `step`.

    Phases have different terms: a term that appears for the first time adds a column at the right, and the rows before
    it stay blank there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows = 0
        self._columns: list[str] = []

    def resume(self, rows: int) -> None:
        """Go on after the first `rows` rows that the file has; those behind were written by steps not saved.

        Raises:
            CheckpointError: the file has fewer.
        """
        if not rows:
            return
        try:
            found = read_losses(self.path)[:rows]
        except (OSError, ValueError, csv.Error):
            found = []
        if len(found) < rows:
            raise CheckpointError(f"{self.path} lacks rows that were there", "start over with --fresh")
        self._columns = list(found[0])
        self.rows = rows
        atomic_write_text(self.path, ",".join(self._columns) + "\n" + _lines(self._columns, found))

    def append(self, step: int, terms: Mapping[str, float | str]) -> None:
        """Add the row of one step; the file is complete and closed when this returns."""
        row: dict[str, float | str] = {"step": step, **terms}
        if new := [name for name in row if name not in self._columns]:
            self._widen([*self._columns, *new])
        append_text(self.path, _lines(self._columns, [row]))
        self.rows += 1

    def _widen(self, columns: list[str]) -> None:
        rows = read_losses(self.path) if self._columns else []
        atomic_write_text(self.path, ",".join(columns) + "\n" + _lines(columns, rows))
        self._columns = columns


def read_losses(path: Path) -> list[dict[str, str]]:
    """The rows of a losses.csv as texts by column."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _lines(columns: list[str], rows: list[dict[str, str]] | list[dict[str, float | str]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([_cell(row.get(column, "")) for column in columns])
    return text.getvalue()


def _cell(value: float | str) -> str:
    return f"{value:.8g}" if isinstance(value, float) else str(value)
