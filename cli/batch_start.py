"""`invrender batch JOBS`: every line of a file is a run; those that are done are skipped."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import VARIABLES, JsonOption, QuietOption, SetOption
from invrender.errors import UsageError

if TYPE_CHECKING:
    from invrender.batch.engines import Wishes

EXAMPLES = (
    "invrender batch examples/batch.toml --dry-run",
    "invrender batch examples/batch.toml --workers 2 -o outputs/batch",
)

SCRIPTS = ("slurm", "k8s", "make")

WorkersOption = Annotated[
    int | None,
    typer.Option("--workers", "-w", min=1, max=100_000, help="Jobs at a time.", show_default="what fits here"),
]
RetriesOption = Annotated[
    int,
    typer.Option("--retries", min=0, max=1000, help="Goes after signals, memory, time and other passing causes."),
]


def batch_start(
    source: Annotated[Path, typer.Argument(metavar="JOBS", help="Jobs: .jsonl, .csv, or .toml with a matrix.")],
    folder: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Folder of all runs.", show_default="outputs/NAME"),
    ] = None,
    workers: WorkersOption = None,
    threads: Annotated[
        int | None,
        typer.Option("--threads", min=1, max=4096, help="Cores for each job.", show_default="shared out"),
    ] = None,
    limit: Annotated[
        str | None,
        typer.Option(
            "--time-limit", metavar="TIME", help="For each go of a job, such as 90s, 30m, 2h; it goes on later."
        ),
    ] = None,
    retries: RetriesOption = 2,
    on: Annotated[
        str,
        typer.Option("--on", metavar="ENGINE", help="local, slurm, dask://HOST:PORT or dask:FILE."),
    ] = "local",
    engine: Annotated[
        list[str] | None,
        typer.Option("--engine", metavar="KEY=VALUE", help="An option of the engine's own; may be repeated."),
    ] = None,
    emit: Annotated[
        str | None,
        typer.Option("--emit", metavar="|".join(SCRIPTS), help="Write scripts that run the jobs, and run nothing."),
    ] = None,
    assignments: SetOption = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check everything, and tell what memory and time each job takes.")
    ] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Run every job of a file: an input and settings each, checked before anything starts.

    The same command again goes on: jobs that are done are skipped. See docs/batch.md for files of jobs and clusters.
    """
    from invrender.batch.checked import check_jobs
    from invrender.batch.engines import Wishes
    from invrender.batch.place import placed
    from invrender.batch.read import read_jobs
    from invrender.cli.batch_work import run_batch, tell_gone

    wishes = Wishes(on, workers, threads, None if limit is None else seconds(limit), _pairs(engine, "--engine"))
    if emit is not None and emit not in SCRIPTS:
        raise UsageError(f"--emit is {emit!r}", f"choose one of {', '.join(SCRIPTS)}")
    jobs = read_jobs(source, _pairs(assignments, "--set"))
    check_jobs(jobs, VARIABLES)
    folder = folder or Path("outputs") / source.stem
    if dry_run:
        from invrender.cli.batch_forecast import forecast_jobs

        forecast_jobs(jobs, folder, wishes, json)
        return
    batch, gone = placed(source, jobs, folder, {**_noted(wishes), "retries": retries})
    tell_gone(gone, quiet)
    if emit is not None:
        _emit(emit, batch, wishes)
        return
    run_batch(batch, wishes, retries, json=json, quiet=quiet)


def _emit(kind: str, batch: Any, wishes: Wishes) -> None:
    from invrender.batch.emit import scripts
    from invrender.batch.folder import write_batch
    from invrender.cli.options import output

    write_batch(batch, [entry.standing for entry in batch.entries()])
    for path in scripts(kind, batch, wishes):
        output.print(f"wrote {path}", markup=False, soft_wrap=True)


def _noted(wishes: Wishes) -> dict[str, Any]:
    return {
        "on": wishes.on, "workers": wishes.workers, "threads": wishes.threads, "limit": wishes.limit,
        "engine": dict(wishes.options),
    }  # fmt: skip


def _pairs(texts: Sequence[str] | None, option: str) -> dict[str, str]:
    found = {}
    for text in texts or ():
        key, equals, value = text.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"{option} {text} has no '='", f"write {option} key=value")
        found[key.strip().replace("-", "_")] = value.strip()
    return found


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> float:
    """The seconds that a text such as 90, 90s, 30m, 2h or 1:30:00 means.

    Raises:
        UsageError: it means none.
    """
    parts = text.strip().lower().removesuffix("in").split(":")  # 30min
    unit = UNITS.get(parts[-1][-1:], 0)
    try:
        if len(parts) == 1:
            value = float(parts[0][:-1]) * unit if unit else float(parts[0])
        else:
            value = sum(float(part) * 60**power for power, part in enumerate(reversed(parts)))
    except ValueError:
        value = 0.0
    if not 1 <= value < 1e9:
        raise UsageError(f"--time-limit is {text!r}", "give a second or more, such as 90s, 30m, 2h or 1:30:00")
    return value
