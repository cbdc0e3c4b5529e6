"""A job on a node of Slurm, as submitit starts it there.

Before Slurm takes a node away, because a job's time is over or somebody else comes first, it sends a signal. The run
then saves its state after the step that it is at, and only then is the job queued again, by what submitit does at such
a signal: `scontrol requeue`, or a new process of its local executor. SIGTERM is how Slurm announces a pre-emption, and
also that a job was cancelled; a cancelled one counts as running no more, and is not queued again.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from invrender.batch.work import Order, work
from invrender.errors import RetryError
from invrender.run import stop


class Requeued:
    """A job as submitit starts it on a node: `work`, and after a notice of Slurm the same once more from the queue."""

    def __call__(self, order: Order) -> Mapping[str, Any]:
        """Work on the job; does not return where it was told to end before it was done."""
        queue_again = signal.getsignal(signal.SIGUSR2)  # submitit's handler, which ends the process
        with _heeding() as told:
            with _last_words(told, queue_again):
                outcome = work(order)
            if told and outcome["outcome"] not in ("done", "failed", "cancelled"):
                if callable(queue_again) and _is_wanted(told[0]):
                    queue_again(signal.SIGUSR2, None)
                # No result is left: whoever waits for one sees by Slurm's queue how the job stands.
                sys.exit(RetryError.exit_code)
        return dict(outcome)

    def checkpoint(self, order: Order) -> Any:
        """What is run when the job comes from the queue again: the same; its state is in the job's folder."""
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, order)


def _is_wanted(told: int) -> bool:
    """Whether a job that was told to end by such a signal is to go on later."""
    job = os.environ.get("SLURM_JOB_ID")
    if told == signal.SIGUSR2 or job is None:
        return told == signal.SIGUSR2
    command = ["squeue", "--noheader", "--jobs", job, "--format=%T"]
    return subprocess.run(command, check=False, capture_output=True, text=True).stdout.strip() == "RUNNING"


@contextmanager
def _heeding() -> Iterator[list[int]]:
    """Take signals as requests to stop, instead of what submitit does at them; yields those that came."""
    told: list[int] = []

    def note(number: int, _frame: Any) -> None:
        told.append(number)
        stop.request(number)

    def say(text: str) -> None:
        logging.getLogger("submitit").warning(text)

    signal.signal(signal.SIGCONT, signal.SIG_DFL)  # comes before SIGTERM, and asks for nothing
    stop.install(say)
    for name in (*stop.SIGNALS, "SIGUSR2"):
        if signal.getsignal(getattr(signal, name)) is not signal.SIG_IGN:
            signal.signal(getattr(signal, name), note)
    yield told


@contextmanager
def _last_words(told: list[int], queue_again: Callable[..., Any] | int | None) -> Iterator[None]:
    """Queue the job again also where its process is ended in the midst of something that cannot be stopped."""

    def farewell(_cause: str) -> None:
        if told and callable(queue_again) and _is_wanted(told[0]):
            try:
                queue_again(signal.SIGUSR2, None)
            except SystemExit as error:
                os._exit(error.code if isinstance(error.code, int) and error.code > 0 else RetryError.exit_code)

    forget = stop.on_exit(farewell)
    try:
        yield
    finally:
        forget()
