"""How `invrender evaluate` shows what was measured: one result as rows, several as a table with the best marked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table
from rich.text import Text

from invrender.cli.options import output
from invrender.evaluate.measures import MESH, SHOWN, VOLUME, Measure

WORDS = {"more": "higher", "less": "lower", "": ""}
MISSING = {
    "genus": "- (not watertight)",
    "chamfer": "- (no surface)",
    "chamfer_visible": "- (no surface)",
    "heldout_psnr": "- (negative, or no density)",
}
NOT_KNOWN = ("chamfer_seen", "f1_seen", "f05_seen", "out_of_sight")  # of bare files: left out where it is None


def measures_of(values: dict[str, Any]) -> tuple[Measure, ...]:
    """The measures of a kind of result."""
    return MESH if "iou" in values else VOLUME if "psnr" in values else SHOWN


def show_one(values: dict[str, Any], title: str, comparison: str) -> None:
    """Rows of all measures."""
    table = _table(title, comparison)
    table.add_column("measure", no_wrap=True)
    table.add_column("value", justify="right")
    table.add_column("unit", no_wrap=True)
    table.add_column("better")
    for each in measures_of(values):
        value = values[each.key]
        if value is not None or each.key not in NOT_KNOWN:
            told = each.told(value, MISSING.get(each.key, "-"))
            table.add_row(
                Text(each.name),
                told,
                each.unit,
                "yes" if isinstance(value, bool) and each.better else WORDS[each.better],
            )
    output.print(table)


def show_several(names: Sequence[str], rows: Sequence[dict[str, Any]], title: str, comparison: str) -> None:
    """A row for each result, the best of each column bold and with a star."""
    lengths = ", distances in % of the diagonal" if "iou" in rows[0] else ""
    table = _table(title, comparison, f"; * is the best, \u2191 more is better, \u2193 less is{lengths}")
    table.add_column("result", overflow="fold")
    columns = [each for each in measures_of(rows[0]) if each.short and any(row[each.key] is not None for row in rows)]
    for each in columns:
        sign = {"more": "\u2191", "less": "\u2193", "": ""}[each.better]
        table.add_column(each.short + sign, justify="right", no_wrap=True)
    best = {each.key: each.best([row[each.key] for row in rows]) for each in columns}
    for name, row in zip(names, rows, strict=True):
        cells = [Text(name)]
        for each in columns:
            value = row[each.key]
            wins = best[each.key] is not None and value is not None and float(value) == best[each.key]
            cells.append(Text(each.told(value) + ("*" if wins else " "), style="bold" if wins else ""))
        table.add_row(*cells)
    output.print(table)


def _table(title: str, comparison: str, more: str = "") -> Table:
    caption = Text(f"compared by {comparison}{more}")
    return Table(
        title=Text(title), title_justify="left", caption=caption, caption_justify="left", box=SIMPLE_HEAD,
        pad_edge=False, collapse_padding=True,
    )  # fmt: skip
