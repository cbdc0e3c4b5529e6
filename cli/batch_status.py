"""`invrender batch status`: how the jobs of a batch stand, by their own folders."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import JsonOption, output, print_json

EXAMPLES = (
    "invrender batch status outputs/batch",
    "invrender batch status outputs/batch --json",
)

FolderArgument = Annotated[Path, typer.Argument(metavar="BATCH", help="The folder of a batch.")]
NamesArgument = Annotated[list[str] | None, typer.Argument(metavar="[JOB]...", help="Some of its jobs, by name.")]


def batch_status(folder: FolderArgument, jobs: NamesArgument = None, json: JsonOption = False) -> None:
    """Tell how the jobs of a batch stand: done, running with their step, waiting, or failed and why."""
    from dataclasses import asdict

    from invrender.batch.folder import counts, read_batch
    from invrender.batch.place import chosen, is_run
    from invrender.batch.table import overview, summary

    entries = chosen(read_batch(folder), jobs or [])
    standings = [entry.standing for entry in entries]
    if json:
        rows = [{"name": entry.job.name, "folder": entry.folder, **asdict(entry.standing)} for entry in entries]
        print_json({"output": folder, "counts": counts(standings), "at_work": is_run(folder), "jobs": rows})
        return
    output.print(overview(entries))
    said = "somebody runs it" if is_run(folder) else "nobody runs it"
    output.print(f"{summary(standings)}; {said}", markup=False)
