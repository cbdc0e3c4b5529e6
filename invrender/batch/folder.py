"""What a batch leaves on the disk, and how to read it.

BATCH/batch.json            the jobs and how each stands, for people and programs; written by the runner alone
BATCH/NAME-CHECKSUM/        a job's run folder, and beside what the run writes there
    job.json                the job and how it stands: the truth, written by whoever works on it
    events.jsonl            what its runs said while they were at work; see run/events.py
    output.txt              what it would have printed
    .beat                   a counter that grows while somebody works on it
    .cancel                 there: it is not to be run, or to stop
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Literal

from invrender import __version__
from invrender.batch.jobs import Job, as_table, from_table
from invrender.errors import InputError
from invrender.io.files.atomic import atomic_write_text
from invrender.run.record import now

State = Literal["waiting", "running", "done", "failed", "cancelled"]
BATCH, JOB, EVENTS, OUTPUT, BEAT, CANCEL = "batch.json", "job.json", "events.jsonl", "output.txt", ".beat", ".cancel"


@dataclass(frozen=True)
class Standing:
    """How a job stands.

    Attributes:
        state: waiting (also after a stop, to go on), running, done, failed or cancelled.
        attempts: how often somebody began to work on it.
        passing: how many of these ended for a passing cause: a signal, memory, time, exit code 75.
        exit_code, cause, remedy: how the last one ended.
        engine: who runs or ran it: local, slurm, dask, make, ...
        host, pid, began: the process that is at work on it; `began` tells processes of one number apart.
        started, ended: of the last attempt, UTC, ISO 8601, for people: nothing is decided by them.
        seconds: that all attempts together took; `processor`: CPU-seconds of their runs, imports left out.
    """

    state: State = "waiting"
    attempts: int = 0
    passing: int = 0
    exit_code: int | None = None
    cause: str = ""
    remedy: str = ""
    engine: str = ""
    host: str = ""
    pid: int = 0
    began: str = ""
    started: str = ""
    ended: str = ""
    seconds: float = 0.0
    processor: float = 0.0


@dataclass(frozen=True)
class Entry:
    """A job of a batch: its folder, and how it stands."""

    job: Job
    folder: Path
    standing: Standing


def write_job(folder: Path, job: Job, standing: Standing) -> None:
    """Write job.json; the folder is made where it is missing.

    Raises:
        UsageError: that cannot be written.
    """
    text = json.dumps({"job": as_table(job), "standing": vars(standing)}, indent=2, ensure_ascii=False)
    atomic_write_text(folder / JOB, text + "\n", lasting=False)


def read_job(folder: Path) -> Entry | None:
    """The job of a folder and how it stands; None: there is none."""
    try:
        table = json.loads((folder / JOB).read_text(encoding="utf-8"))
        return Entry(from_table(table["job"]), folder, _standing(table["standing"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def standing_of(folder: Path) -> Standing:
    """How the job of a folder stands: waiting where nobody began with it."""
    entry = read_job(folder)
    return Standing() if entry is None else entry.standing


def _standing(table: Mapping[str, Any]) -> Standing:
    names = {field.name for field in fields(Standing)}
    return replace(Standing(), **{name: value for name, value in table.items() if name in names})


@dataclass(frozen=True)
class Batch:
    """What batch.json says.

    Attributes:
        folder: of the batch.
        source: the file of jobs, absolute.
        jobs: in its order.
        options: with which `invrender batch` was called: engine, workers, retries, ...
    """

    folder: Path
    source: str
    jobs: tuple[Job, ...]
    options: Mapping[str, Any]

    def place(self, job: Job) -> Path:
        """The folder of a job."""
        return self.folder / job.key

    def entries(self) -> list[Entry]:
        """All jobs as they stand now, by their own folders."""
        return [Entry(job, self.place(job), standing_of(self.place(job))) for job in self.jobs]


def write_batch(batch: Batch, standings: Sequence[Standing]) -> None:
    """Write batch.json.

    Args:
        batch: what it is.
        standings: of its jobs, in their order.

    Raises:
        UsageError: that cannot be written.
    """
    head = {
        "invrender": __version__,
        "source": batch.source,
        "options": dict(batch.options),
        "updated": now(),
        "counts": counts(standings),
    }
    rows = [  # one a line, which is quick to write and good to search
        json.dumps({**as_table(job), "folder": job.key, **vars(standing)}, ensure_ascii=False)
        for job, standing in zip(batch.jobs, standings, strict=True)
    ]
    text = json.dumps(head, indent=1, ensure_ascii=False)[:-2] + ',\n "jobs": [\n' + ",\n".join(rows) + "\n]}\n"
    atomic_write_text(batch.folder / BATCH, text, lasting=False)


def counts(standings: Iterable[Standing]) -> dict[str, int]:
    """How many jobs are in which state; states without any are left out."""
    found: dict[str, int] = {}
    for standing in standings:
        found[standing.state] = found.get(standing.state, 0) + 1
    return found


def read_batch(folder: Path) -> Batch:
    """The batch of a folder.

    Raises:
        InputError: it holds none, or batch.json is damaged.
    """
    path = folder / BATCH
    try:
        table = json.loads(path.read_text(encoding="utf-8"))
        jobs = tuple(from_table(row) for row in table["jobs"])
        return Batch(folder, str(table["source"]), jobs, dict(table["options"]))
    except OSError as error:
        raise InputError(
            f"{folder} holds no batch: {path.name} cannot be read ({error.strerror})",
            "name the folder that `invrender batch JOBS -o DIR` wrote",
        ) from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(
            f"{path} is damaged: {error!r}", "run `invrender batch JOBS -o DIR` again: finished jobs stay finished"
        ) from error
