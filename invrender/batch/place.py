"""The folder of a batch: whose it is, who runs it now, and what jobs it gets."""

from __future__ import annotations

import os
import socket
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from invrender.batch.claim import at_work
from invrender.batch.folder import BATCH, CANCEL, Batch, Entry, Standing, read_batch, write_batch, write_job
from invrender.batch.jobs import Job
from invrender.errors import InputError, OutputExistsError, UsageError
from invrender.io.files.atomic import cannot_write
from invrender.io.files.paths import entries, listing, nearest

RUNNER = ".runner"


def placed(source: Path, jobs: Sequence[Job], folder: Path, options: Mapping[str, Any]) -> tuple[Batch, list[Job]]:
    """The batch of a file of jobs in a folder, which is new, or was made from that file before.

    Returns:
        The batch, and the jobs that the folder has and the file has no more.

    Raises:
        OutputExistsError: the folder holds another batch, or something else.
        UsageError: nothing can be written there.
    """
    batch = Batch(folder, str(source.absolute()), tuple(jobs), options)
    before = _before(folder)
    if before is None:
        if others := [name for name in entries(folder) if not name.startswith(".") and not (folder / name).is_dir()]:
            raise OutputExistsError(
                f"{folder} is no folder of a batch and holds {listing(others, 2)}", "choose a new folder with -o"
            )
        gone: list[Job] = []
    else:
        keys, known = {job.key for job in jobs}, {job.key for job in before.jobs}
        if before.source != batch.source and not keys & known:
            raise OutputExistsError(
                f"{folder} holds another batch, of {before.source}", "choose another folder with -o"
            )
        gone = [job for job in before.jobs if job.key not in keys]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
    return batch, gone


def _before(folder: Path) -> Batch | None:
    """The batch that a folder holds; one whose batch.json is damaged is written anew from the file of jobs."""
    if not (folder / BATCH).exists():
        return None
    try:
        return read_batch(folder)
    except InputError:
        return Batch(folder, "", (), {}) if any(entry.is_dir() for entry in folder.iterdir()) else None


@contextmanager
def sole_runner(folder: Path) -> Iterator[None]:
    """Be the only one who runs a batch; the system lets go of the place however this process ends.

    Raises:
        OutputExistsError: another process runs it.
        UsageError: nothing can be written there.
    """
    path = folder / RUNNER
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o644)
    except OSError as error:
        raise cannot_write(path, error) from error
    try:
        if not _locked(descriptor):
            who = os.read(descriptor, 200).decode(errors="replace").strip()
            raise OutputExistsError(
                f"{who or 'another process'} is running the batch in {folder}",
                f"watch it with `invrender batch status {folder}`, or wait for it",
            )
        with suppress(OSError):  # a full disk: the lock counts
            os.ftruncate(descriptor, 0)
            os.write(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        os.close(descriptor)


def is_run(folder: Path) -> bool:
    """Whether somebody runs the batch of a folder."""
    try:
        descriptor = os.open(folder / RUNNER, os.O_RDWR | getattr(os, "O_CLOEXEC", 0))
    except OSError:
        return False
    try:
        return not _locked(descriptor)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    """Whether the lock of an open file was free and is ours now; on disks without locks it always is."""
    if sys.platform == "win32":
        return True
    import fcntl

    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def chosen(batch: Batch, names: Sequence[str]) -> list[Entry]:
    """The jobs of those names or folders; all of them unless any are named.

    Raises:
        UsageError: there is no such job.
    """
    every = batch.entries()
    if not names:
        return every
    known = {**{entry.job.name: entry for entry in every}, **{entry.job.key: entry for entry in every}}
    for name in names:
        if name not in known:
            near = nearest(name, known)
            raise UsageError(
                f"{batch.folder} has no job {name!r}",
                f"did you mean {near}?" if near else f"`invrender batch status {batch.folder}` lists them",
            )
    return [known[name] for name in names]


def cancel(batch: Batch, names: Sequence[str]) -> list[Job]:
    """Let jobs that are not done rest: those at work are asked to stop. Returns them."""
    resting = []
    for entry in chosen(batch, names):
        if entry.standing.state in ("waiting", "running"):
            entry.folder.mkdir(exist_ok=True)
            (entry.folder / CANCEL).touch()
            if not at_work(entry.standing):
                write_job(entry.folder, entry.job, replace(entry.standing, state="cancelled"))
            resting.append(entry.job)
    _refresh(batch)
    return resting


def revive(batch: Batch, names: Sequence[str]) -> list[Job]:
    """Let jobs that failed or were cancelled wait to be run again, or gone on with. Returns them."""
    again = []
    for entry in chosen(batch, names):
        resting = entry.standing.state in ("failed", "cancelled") or (entry.folder / CANCEL).exists()
        if resting and not at_work(entry.standing):
            (entry.folder / CANCEL).unlink(missing_ok=True)
            write_job(entry.folder, entry.job, replace(entry.standing, state="waiting", passing=0))
            again.append(entry.job)
    _refresh(batch)
    return again


def _refresh(batch: Batch) -> None:
    if not is_run(batch.folder):  # else its runner does so
        write_batch(batch, [entry.standing for entry in batch.entries()])


def waiting(entry: Entry) -> Standing:
    """How a job stands for somebody who begins to run its batch: what nobody is at waits to be gone on with."""
    if entry.standing.state == "running" and not at_work(entry.standing):
        return replace(entry.standing, state="waiting")
    return entry.standing
