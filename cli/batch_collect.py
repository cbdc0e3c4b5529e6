"""`invrender batch collect`: the results of many runs as a table, as a sheet of pictures and as a page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import JsonOption, console, output, print_json

EXAMPLES = (
    "invrender batch collect outputs/batch",
    "invrender batch collect outputs/batch --sort iou -o outputs/table",
)

MOST = 10  # unreadable files that are named


def batch_collect(
    folder: Annotated[
        Path, typer.Argument(metavar="BATCH", help="The folder of a batch, or any folder that holds run folders.")
    ],
    place: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to write to.", show_default="BATCH"),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option("--sort", metavar="METRIC", help="A column of results.csv; the best job comes first."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Gather results: results.csv, results.png (a picture of each) and report.html, which needs no other file.

    Jobs that wait, run or failed are in all three, and what cannot be read is named: it may be called at any time.
    Columns of the table are setting.NAME where jobs differ, and metrics: seen.ssim for one in a table, NAME.mean for
    lists and for tables by view.
    """
    from invrender.batch.collection.collect import collect

    found = collect(folder, place, sort)
    for text in found.troubles[:MOST]:
        console.print(f"warning: {text}", markup=False)
    if len(found.troubles) > MOST:
        console.print(
            f"warning: {len(found.troubles) - MOST} more files could not be read; see {found.csv}", markup=False
        )
    if json:
        print_json(
            {"csv": found.csv, "pictures": found.sheets, "report": found.report, "counts": found.counts,
             "jobs": found.rows, "unreadable": found.troubles}
        )  # fmt: skip
        return
    output.print(", ".join(f"{count} {state}" for state, count in found.counts.items()) or "no jobs", markup=False)
    for path in (found.csv, *found.sheets, found.report):
        output.print(f"wrote {path}", markup=False, soft_wrap=True)
