"""Who works on a job: one process at a time, whoever handed it out, on whatever machine.

A job is claimed in its folder. Whether the process that claimed it before still lives is known at once on its own
machine; on another one it is taken for dead when its `.beat` has stood still for a while, by the watch of whoever asks:
no two machines' clocks are ever compared, and a clock that jumps changes nothing.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from signal import SIGTERM
from typing import Literal

from invrender.batch.folder import BEAT, CANCEL, Entry, Standing, read_job, write_job
from invrender.io.files.alone import alone
from invrender.io.files.processes import began, exists
from invrender.run import stop
from invrender.run.record import now

PULSE = 5.0  # seconds between beats
SILENCE = 6 * PULSE  # without a beat, a process on another machine is dead
LOOK = 1.0  # seconds between looks at what may ask the job to stop

Taken = Literal["done", "busy", "cancelled"]
"""Why a job is not to be worked on."""


def claim(folder: Path, engine: str, silence: float = SILENCE) -> Entry | Taken:
    """Make a job this process's own.

    Args:
        folder: of the job.
        engine: who runs it, for the record.
        silence: seconds after which a process on another machine that gives no sign is dead.

    Returns:
        The job as it stands from now on; or why it is not to be worked on.

    Raises:
        UsageError: its job.json cannot be written.
        KeyError: there is no job in the folder.
    """
    with alone(folder):
        entry = _entry(folder)
        if (taken := _taken(entry)) != "busy" or not _elsewhere(entry.standing):
            return taken or _claimed(entry, engine)
    if _beats(folder, silence):
        return "busy"
    with alone(folder):
        later = _entry(folder)
        if later.standing != entry.standing:  # somebody else was quicker
            return _taken(later) or "busy"
        return _claimed(later, engine)


def at_work(standing: Standing) -> bool:
    """Whether a process is at work on a job; one on another machine counts as living, which `claim` finds out."""
    return standing.state == "running" and (_elsewhere(standing) or lives_here(standing))


def lives_here(standing: Standing) -> bool:
    """Whether another process of this very machine is at work on a job."""
    if standing.state != "running" or _elsewhere(standing):
        return False
    return standing.pid != os.getpid() and exists(standing.pid) and began(standing.pid) == standing.began


def _entry(folder: Path) -> Entry:
    entry = read_job(folder)
    if entry is None:
        raise KeyError(f"{folder} holds no job")
    return entry


def _taken(entry: Entry) -> Taken | None:
    if entry.standing.state == "done":
        return "done"
    if entry.standing.state == "cancelled" or (entry.folder / CANCEL).exists():
        return "cancelled"
    return "busy" if at_work(entry.standing) else None


def _elsewhere(standing: Standing) -> bool:
    return standing.host != socket.gethostname()


def _beats(folder: Path, silence: float) -> bool:
    """Whether somebody gives a sign of life within so many seconds of this machine's own watch."""
    first, begin = _beat(folder), time.monotonic()
    while time.monotonic() - begin < silence:
        if _beat(folder) != first:
            return True
        time.sleep(min(LOOK, silence / 4))
        stop.check()
    return False


def _beat(folder: Path) -> str:
    with suppress(OSError):
        return (folder / BEAT).read_text(encoding="utf-8")
    return ""


def _claimed(entry: Entry, engine: str) -> Entry:
    pid = os.getpid()
    standing = replace(
        entry.standing, state="running", attempts=entry.standing.attempts + 1, engine=engine,
        host=socket.gethostname(), pid=pid, began=began(pid), started=now(), ended="",
    )  # fmt: skip
    write_job(entry.folder, entry.job, standing)
    return replace(entry, standing=standing)


@dataclass
class Reason:
    """Why a job was asked to stop: cancelled, time, or nothing of the kind."""

    text: Literal["", "cancelled", "time"] = ""


@contextmanager
def watched(folder: Path, limit: float | None) -> Iterator[Reason]:
    """Give signs of life while the block is at work, and ask it to stop where the job is cancelled or takes too long.

    Args:
        folder: of the job.
        limit: seconds; None: any.
    """
    reason, over = Reason(), threading.Event()
    begin, beat = time.monotonic(), _beating(folder)

    def look() -> None:
        while not over.wait(LOOK):
            beat()
            if not reason.text and (folder / CANCEL).exists():
                reason.text = "cancelled"
            elif not reason.text and limit is not None and time.monotonic() - begin > limit:
                reason.text = "time"
            else:
                continue
            stop.request(SIGTERM)

    beat()
    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield reason
    finally:
        over.set()
        thread.join()
        with suppress(OSError):
            (folder / BEAT).unlink(missing_ok=True)


def _beating(folder: Path) -> Callable[[], None]:
    """What writes a beat when one is due."""
    count, last = 0, -PULSE

    def beat() -> None:
        nonlocal count, last
        if time.monotonic() - last < PULSE:
            return
        count, last = count + 1, time.monotonic()
        with suppress(OSError):  # a full disk; the job's own writing will say so
            (folder / BEAT).write_text(f"{socket.gethostname()} {os.getpid()} {count}\n", encoding="utf-8")

    return beat
