"""What a worker does with one job, wherever it runs: claims it, runs it in this process, and notes how it ended."""

from __future__ import annotations

import gc
import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal

from invrender.batch.checked import TRAIN, resolved
from invrender.batch.claim import Reason, claim, watched
from invrender.batch.folder import EVENTS, OUTPUT, Entry, Standing, State, standing_of, write_job
from invrender.errors import (
    CheckpointError,
    DivergedError,
    InvrenderError,
    MemoryLimitError,
    OutputExistsError,
    RetryError,
)
from invrender.findings import refuse
from invrender.run import stop
from invrender.run.cores import thread_limits
from invrender.run.events import Events
from invrender.run.failures import Failure, explain, is_disk_full
from invrender.run.gates import check_gates, parse_gate
from invrender.run.place import METRICS, RECORD, settle
from invrender.run.record import is_alive, now, read_record

Ended = Literal["done", "failed", "again", "busy", "paused", "cancelled"]
"""How an attempt ended: done; failed for good; `again`: it may go on; `busy`: another process is at it; `paused`: the
disk is full; cancelled."""

STATES: Mapping[Ended, State] = {
    "done": "done", "failed": "failed", "again": "waiting", "busy": "waiting", "paused": "waiting",
    "cancelled": "cancelled",
}  # fmt: skip
PASSING = (RetryError.exit_code, MemoryLimitError.exit_code)
"""Exit codes of what passes, and is worth another go."""

_one = threading.Lock()


@dataclass(frozen=True)
class Order:
    """What is sent to a worker; the job itself lies in its folder.

    Attributes:
        folder: of the job, absolute; its job.json says what to do.
        engine: who runs it, for the record.
        threads: cores for it; None: leave that to whoever began the process.
        limit: seconds after which it is stopped, to go on another time; None: any.
    """

    folder: str
    engine: str = "local"
    threads: int | None = None
    limit: float | None = None


def work(order: Order) -> Mapping[str, Any]:
    """Claim a job, run it, and note how it ended; of one process's threads, one works at a time.

    Returns:
        The fields of its `Standing`, and `outcome`, see `Ended`. It never raises but for SystemExit, by which others
        end this process: then the job waits to be gone on with.
    """
    with _one:
        folder = Path(order.folder)
        try:
            claimed = claim(folder, order.engine)
            if not isinstance(claimed, Entry):
                return {**asdict(standing_of(folder)), "outcome": claimed}
            return _worked(claimed, order)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - what nobody foresaw must reach the runner
            failure = explain(error)
            outcome: Ended = "paused" if is_disk_full(error) else _lasting(failure)
            return {**asdict(replace(standing_of(folder), state=STATES[outcome], **_end(failure))), "outcome": outcome}
        finally:
            stop.forget()
            gc.collect()


def is_working() -> bool:
    """Whether a job is at work in this process."""
    return _one.locked()


def _worked(entry: Entry, order: Order) -> Mapping[str, Any]:
    begin = time.monotonic()

    def ended(outcome: Ended, failure: Failure, spent: float = 0.0) -> Standing:
        before = entry.standing
        return replace(
            before, state=STATES[outcome], ended=now(), **_end(failure),
            seconds=round(before.seconds + time.monotonic() - begin, 3),
            processor=round(before.processor + spent, 3),
        )  # fmt: skip

    try:
        with watched(entry.folder, order.limit) as reason:
            failure, full, spent = _attempt(entry, order)
    except SystemExit as error:
        write_job(entry.folder, entry.job, ended("again", Failure(RetryError.exit_code, f"ended: {error}", "")))
        raise
    outcome, failure = _outcome(entry.folder, failure, reason, full, order)
    standing = ended(outcome, failure, spent)
    with suppress(InvrenderError):  # a full disk: the runner hears of it all the same
        write_job(entry.folder, entry.job, standing)
    return {**asdict(standing), "outcome": outcome}


def _end(failure: Failure) -> dict[str, Any]:
    return {"exit_code": failure.exit_code, "cause": failure.cause, "remedy": failure.remedy}


def _outcome(folder: Path, failure: Failure, reason: Reason, full: bool, order: Order) -> tuple[Ended, Failure]:
    """What an end means for the job, and in which words it is told."""
    if failure.exit_code == 0:
        return "done", failure
    if reason.text == "cancelled":
        return "cancelled", Failure(stop.INTERRUPTED, "cancelled", "`invrender batch retry` lets it go on")
    if full:
        return "paused", failure
    if reason.text == "time":
        told = f"it took longer than {order.limit:g} s"
        return "again", Failure(RetryError.exit_code, told, "give it a longer --time-limit: it goes on where it was")
    if failure.exit_code == OutputExistsError.exit_code and is_alive(read_record(folder / RECORD) or {}):
        return "busy", failure
    return _lasting(failure), failure


def _lasting(failure: Failure) -> Ended:
    """Whether a failure is for good, or passes."""
    return "again" if failure.exit_code in (*PASSING, stop.INTERRUPTED) else "failed"


def _attempt(entry: Entry, order: Order) -> tuple[Failure, bool, float]:
    """Run the job: how that ended, whether a full disk is to blame, and CPU-seconds, those of imports left out."""
    processor = time.process_time()
    with _told_to(entry.folder / OUTPUT):
        try:
            events = Events(entry.folder / EVENTS)
            with events.ending():
                _limit_threads(order.threads)
                import invrender.run.execute  # noqa: F401 - and torch with it, once a process

                processor = time.process_time()
                _run(entry, order, events)
        except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - whatever it is becomes the job's end
            failure = explain(error)
            if failure.unforeseen:
                traceback.print_exception(error)
                failure = replace(failure, cause=f"{type(error).__name__}: {error}")
            return failure, is_disk_full(error), time.process_time() - processor
    return Failure(0, "", ""), False, time.process_time() - processor


@contextmanager
def _told_to(path: Path) -> Iterator[None]:
    """What is printed meanwhile goes to a file; nowhere where there is no room for one."""
    try:
        stream = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)
    except OSError:
        stream = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - closed below
    with stream, redirect_stdout(stream), redirect_stderr(stream):
        yield


def _run(entry: Entry, order: Order, events: Events) -> None:
    """The run itself, or a look at the one that is there: a worker may be lost between its end and the note of it."""
    job = entry.job
    gates = [parse_gate(text) for text in job.fail_if]
    settle(entry.folder)
    record = read_record(entry.folder / RECORD)
    finished = record is not None and record["status"] == "finished"
    if finished:
        check_gates(gates, json.loads((entry.folder / METRICS).read_text(encoding="utf-8")))
        if entry.standing.exit_code != DivergedError.exit_code:
            return
    import torch

    from invrender.methods.launch import backend_for
    from invrender.methods.names import method_called
    from invrender.run.execute import Destination, execute

    name, settings = resolved(job, tuple(os.environ))  # variables that are no settings were refused at the start
    if name == TRAIN:
        from invrender.methods.neural_renderer.method import METHOD as method
    else:
        method = method_called(name)
    torch.set_num_threads(1 if method.small_tensors else order.threads or _threads())
    backend = backend_for(method, settings)
    # Somebody asked for another go, after one that could not go on from what lay there.
    fresh = entry.standing.exit_code == CheckpointError.exit_code
    destination = Destination(entry.folder, finished, fresh, ("batch", job.name), events)
    outcome = execute(method, settings, backend, destination, quiet=True)
    refuse(outcome.severe, DivergedError)
    check_gates(gates, outcome.metrics)


_first: list[int] = []


def _threads() -> int:
    """How many threads torch takes by itself."""
    import torch

    if not _first:
        _first.append(torch.get_num_threads())
    return _first[0]


def _limit_threads(threads: int | None) -> None:
    """Tell libraries that are not there yet how many threads to begin; our own kernels ask at every call."""
    if threads is not None:
        os.environ.update(thread_limits(threads) if "numba" not in sys.modules else {"OMP_NUM_THREADS": str(threads)})
