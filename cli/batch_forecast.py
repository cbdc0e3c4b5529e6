"""`invrender batch JOBS --dry-run`: a table of what every job would take, and what is wrong with it."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invrender.cli.options import VARIABLES, console, output, print_json
from invrender.errors import BatchError

if TYPE_CHECKING:
    from invrender.batch.engines import Wishes
    from invrender.batch.foretold import Foretold
    from invrender.batch.jobs import Job


def forecast_jobs(jobs: Sequence[Job], folder: Path, wishes: Wishes, json: bool) -> None:
    """Read every job's input and print what it would take; nothing is written.

    Raises:
        BatchError: some jobs cannot run.
    """
    from invrender.batch.local import LocalEngine
    from invrender.batch.table import names
    from invrender.run import stop
    from invrender.run.cores import thread_limits

    engine = LocalEngine(wishes)
    os.environ.update(thread_limits(engine.threads))  # before what reads them is imported
    from invrender.batch.foretold import foretell

    told: list[Foretold] = []
    with console.status("reading the inputs") as status:
        for each in foretell(jobs, VARIABLES):
            stop.check()
            told.append(each)
            status.update(f"reading the inputs: {len(told)} of {len(jobs)}")
    if json:
        print_json({"output": folder, "jobs": [_plain(each) for each in told]})
    else:
        output.print(_table(told))
        _sum_up(told, folder, engine.slots if wishes.on == "local" else None)
    wrong = [each for each in told if each.problem is not None]
    if wrong and wrong[0].problem is not None:
        raise BatchError(
            f"{len(wrong)} of {len(told)} jobs cannot run: {names([each.job for each in wrong])}; the first: "
            f"{wrong[0].problem.cause}",
            wrong[0].problem.remedy,
        )


def _table(told: Sequence[Foretold]) -> Any:
    from rich.table import Table
    from rich.text import Text

    from invrender.batch.table import duration

    table = Table("job", "method", "input", "memory", "time", "what is wrong", box=None, pad_edge=False)
    for each in told:
        found, wrong = each.forecast, each.problem.cause if each.problem else "; ".join(each.warnings)
        table.add_row(
            Text(each.job.name, overflow="fold"),
            each.method,
            Text(each.what, overflow="fold"),
            f"{found.memory / 2**30:.1f} GiB" if found else "",
            duration(found.seconds) if found and math.isfinite(found.seconds) else "",
            Text(wrong, "red" if each.problem else "yellow"),
        )
    return table


def _sum_up(told: Sequence[Foretold], folder: Path, slots: int | None) -> None:
    """How long all of them take together, and whether so many at a time fit this machine, if they run here."""
    from invrender.batch.table import duration
    from invrender.io.files.memory import available_memory

    known = [each.forecast for each in told if each.forecast is not None]
    if not known:
        return
    total = sum(found.seconds for found in known if math.isfinite(found.seconds))
    if slots is None:
        console.print(f"{len(told)} jobs, {duration(total)} in all; would write {folder}", markup=False)
        return
    workers = min(slots, len(known))
    needed = sum(sorted((found.memory for found in known), reverse=True)[:workers])
    console.print(
        f"{len(told)} jobs, about {duration(total / workers)} with {workers} at a time; would write {folder}",
        markup=False,
    )
    room = available_memory()
    if room is not None and needed > room:
        console.print(
            f"warning: the {workers} largest jobs need {needed / 2**30:.1f} GiB together, and {room / 2**30:.1f} are "
            "free; give fewer --workers",
            markup=False,
        )


def _plain(each: Foretold) -> dict[str, Any]:
    return {
        "name": each.job.name,
        "folder": each.job.key,
        "method": each.method,
        "input": each.what,
        "forecast": None if each.forecast is None else asdict(each.forecast),
        "problem": None if each.problem is None else asdict(each.problem),
        "warnings": each.warnings,
    }
