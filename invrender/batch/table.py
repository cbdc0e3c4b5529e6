"""How a batch stands, for people: a table that is renewed while it runs, and the one of `batch status`."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from invrender.batch.folder import EVENTS, Batch, Entry, Standing, counts
from invrender.batch.jobs import Job
from invrender.run.progress import shown, telling

TAIL = 1 << 14  # bytes at the end of a file of events that hold the last step
ROWS = 24  # jobs at work that a table shows
COLOURS = {"done": "green", "failed": "red", "running": "cyan", "waiting": "dim", "cancelled": "yellow"}


def last_step(folder: Path) -> Mapping[str, Any]:
    """The last step that a job told of since it was last begun; empty where there is none."""
    for event in reversed(_tail(folder / EVENTS)):
        if event.get("event") == "step":
            return dict(event)
        if event.get("event") == "started":
            break
    return {}


def _tail(path: Path) -> list[Mapping[str, Any]]:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - TAIL))
            lines = file.read().split(b"\n")
    except OSError:
        return []
    found: list[Mapping[str, Any]] = []
    for line in lines:
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict):
                found.append(event)
    return found


def summary(standings: Sequence[Standing]) -> str:
    """`40 jobs: 12 done, 2 running, 26 waiting`."""
    told = counts(standings)
    parts = [f"{told[state]} {state}" for state in COLOURS if state in told]
    return f"{len(standings)} {'job' if len(standings) == 1 else 'jobs'}: {', '.join(parts)}"


def remaining(standings: Sequence[Standing], workers: int) -> float | None:
    """Seconds for what is left, at the pace of what is done; None while nothing is."""
    spent = [standing.seconds for standing in standings if standing.state == "done"]
    left = sum(standing.state in ("waiting", "running") for standing in standings)
    return left * sum(spent) / len(spent) / max(1, min(workers, left)) if spent and left else None


def live(batch: Batch, standings: Mapping[str, Standing], running: set[str], workers: int) -> Group:
    """The jobs at work with their step, quality and time, and how many there are of each kind."""
    table = Table("job", "phase", "step", "quality", "left", box=None, pad_edge=False)
    at_work = [job for job in batch.jobs if job.key in running]
    for job in at_work[:ROWS]:
        table.add_row(Text(job.name), *_cells(batch.place(job)))
    if len(at_work) > ROWS:
        table.add_row(f"... and {len(at_work) - ROWS} more")
    every = [
        Standing(state="running", seconds=standings[job.key].seconds) if job.key in running else standings[job.key]
        for job in batch.jobs
    ]
    left = remaining(every, workers)
    return Group(table, Text(summary(every) + ("" if left is None else f"; about {duration(left)} left")))


def _cells(folder: Path) -> tuple[str, str, str, str]:
    step = last_step(folder)
    if not step:
        return "begins", "", "", ""
    terms, left = step.get("terms") or {}, step.get("left")
    key = telling(terms)
    value = None if key is None else terms[key]
    quality = shown(key, value) if key is not None and isinstance(value, int | float) else ""
    return (
        str(step.get("phase", "")),
        f"{step.get('step', '')}/{step.get('total', '')}",
        quality,
        duration(left) if isinstance(left, int | float) else "",
    )


def duration(seconds: float) -> str:
    """`40 s`, `12 min`, `3.5 h`."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def overview(entries: Sequence[Entry]) -> Table:
    """One line a job: how it stands, how often it was tried, how long it took, and why it failed."""
    table = Table("job", "state", "tried", "took", "folder or cause", box=None, pad_edge=False)
    for entry in entries:
        standing = entry.standing
        failed = standing.state in ("failed", "cancelled") or (standing.state == "waiting" and standing.cause)
        table.add_row(
            Text(entry.job.name, overflow="fold"),
            Text(standing.state, COLOURS[standing.state]),
            str(standing.attempts or ""),
            duration(standing.seconds) if standing.attempts else "",
            Text(standing.cause if failed else _place(entry)),
        )
    return table


def _place(entry: Entry) -> str:
    step = last_step(entry.folder) if entry.standing.state == "running" else {}
    return f"{step.get('phase')} {step.get('step')}/{step.get('total')}" if step else entry.folder.name


def names(jobs: Sequence[Job], most: int = 5) -> str:
    """A few jobs by their names."""
    told = ", ".join(job.name for job in jobs[:most])
    return told if len(jobs) <= most else f"{told} and {len(jobs) - most} more"
