"""`invrender batch run`: one job of a batch in this process, for scripts and other people's schedulers."""

from __future__ import annotations

from typing import Annotated

import typer

from invrender.cli.batch_status import FolderArgument
from invrender.cli.options import QuietOption, console
from invrender.errors import UsageError

EXAMPLES = (
    "invrender batch run outputs/batch --index 0",
    'invrender batch run outputs/batch --job "mug, from all sides"',
)


def batch_run(
    folder: FolderArgument,
    job: Annotated[str | None, typer.Option("--job", metavar="NAME", help="Which, by its name or folder.")] = None,
    index: Annotated[int | None, typer.Option("--index", min=0, metavar="N", help="Which, from 0.")] = None,
    engine: Annotated[str, typer.Option("--as", metavar="ENGINE", help="Who runs it, for the record.")] = "script",
    quiet: QuietOption = False,
) -> None:
    """Run one job of a batch here; one that is done is skipped. The exit code is the job's, 75 where it may go on."""
    from invrender.batch.folder import read_batch, standing_of, write_job
    from invrender.batch.place import chosen
    from invrender.batch.work import Order, work
    from invrender.errors import RetryError

    batch = read_batch(folder)
    if (job is None) == (index is None):
        raise UsageError("which job is meant?", "give --index N (from 0) or --job NAME")
    if index is not None and index >= len(batch.jobs):
        raise UsageError(f"--index is {index}, and there are {len(batch.jobs)} jobs", "count from 0")
    entry = chosen(batch, [batch.jobs[index].key if index is not None else str(job)])[0]
    if not (entry.folder / "job.json").exists():
        write_job(entry.folder, entry.job, standing_of(entry.folder))
    ended = work(Order(str(entry.folder.absolute()), engine, None, batch.options.get("limit")))
    if not quiet:
        console.print(f"{entry.job.name}: {ended['outcome']} {ended['cause']}".rstrip(), markup=False)
    codes = {"done": 0, "busy": RetryError.exit_code, "paused": RetryError.exit_code, "cancelled": 130}
    code = codes.get(ended["outcome"], ended["exit_code"])
    if code:
        raise typer.Exit(code)
