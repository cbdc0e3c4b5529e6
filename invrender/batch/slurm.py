"""Jobs on Slurm, by submitit: all that are handed over together become one array of jobs.

What runs on a node is in `slurm_job.py`.
"""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from invrender.batch.engines import Ticket, Wishes, values
from invrender.batch.slurm_job import Requeued
from invrender.batch.work import Order
from invrender.errors import BackendError, RetryError, UsageError
from invrender.io.files.paths import nearest, shown

LONGEST = 1000  # jobs of an array, as many as Slurm takes where nobody has configured more
NOTICE = 120  # seconds before the end of its time at which a job is told
MARGIN = 180  # seconds that are asked for beyond a job's own limit: to begin, and to save
HOUR = 60  # minutes that are asked for where there is no limit: it is queued again, and goes on, as often as it takes
REQUEUES = 1000
LOOK = 15.0  # seconds between two questions to Slurm
SLOW = 30.0  # seconds that a file may take to be seen from another machine
SAVED = 60.0  # seconds in which jobs of the local executor that are stopped have to save


class SlurmEngine:
    """Hands jobs to Slurm, or to processes that submitit starts on this machine in its place.

    Args:
        wishes: `on` is slurm or slurm:local; `options` are parameters of submitit's `update_parameters`.
        folder: the batch's; what submitit writes goes into `.slurm` there.

    Raises:
        UsageError: submitit knows no such parameter.
        BackendError: submitit is not installed, or there is no Slurm on this machine.
    """

    name = "slurm"

    def __init__(self, wishes: Wishes, folder: Path) -> None:
        try:
            import submitit
        except ImportError as error:
            raise BackendError(f"submitit is not installed: {error}", "pip install 'invrender[cluster]'") from error
        self._local = wishes.on == "slurm:local"
        missing = [name for name in ("sbatch", "srun") if shutil.which(name) is None]
        if missing and not self._local:
            raise BackendError(
                f"this machine has no Slurm: there is no {missing[0]}",
                "run this on a login node of the cluster; or write a script by --emit slurm, or try --on slurm:local",
            )
        self.lasting = not self._local
        self.slots: int | None = wishes.workers or os.cpu_count() or 1 if self._local else None
        place = (folder / ".slurm").resolve()
        cluster = "local" if self._local else "slurm"
        self._executor = submitit.AutoExecutor(place, cluster=cluster, **{f"{cluster}_max_num_timeout": REQUEUES})
        self._queue = None if self._local else _Queue()
        self._tickets: list[_Ticket] = []
        _update(self._executor, wishes)

    def submit(self, order: Order) -> Ticket:
        """Hand a job over."""
        return self.submit_many([order])[0]

    def submit_many(self, orders: Sequence[Order]) -> list[Ticket]:
        """Hand jobs over as an array, or several where there are very many.

        Raises:
            BackendError: Slurm takes no such jobs.
        """
        from submitit.core.utils import FailedJobError, FailedSubmissionError

        tickets: list[_Ticket] = []
        for begin in range(0, len(orders), LONGEST):
            try:
                with self._executor.batch():
                    jobs = [self._executor.submit(Requeued(), order) for order in orders[begin : begin + LONGEST]]
            except (FailedJobError, FailedSubmissionError, subprocess.SubprocessError, OSError) as error:
                raise BackendError(
                    f"Slurm did not take the jobs: {_last_line(error)}",
                    "correct the parameters, such as --engine slurm_partition=NAME, or try the same with sbatch",
                ) from error
            tickets += [_Ticket(job, self._queue) for job in jobs]
        self._tickets = [*(ticket for ticket in self._tickets if not ticket.done()), *tickets]
        return list(tickets)

    def close(self, abandon: bool) -> None:
        """Leave the jobs to Slurm; those of the local executor are stopped where `abandon`, and save what they have."""
        left = [ticket for ticket in self._tickets if abandon and self._local and not ticket.done()]
        for ticket in left:
            ticket.stop()
        until = time.monotonic() + SAVED
        while not all(ticket.done() for ticket in left) and time.monotonic() < until:
            time.sleep(0.1)


class _Queue:
    """Which jobs Slurm has, queued or at work, as of some seconds ago.

    submitit would ask `sacct`, which not every cluster has an answer for.
    """

    def __init__(self) -> None:
        self._jobs: set[str] | None = None  # None: Slurm has not said
        self._asked = self._heard = -math.inf

    def has(self, job: str, since: float) -> bool:
        """Whether it has this job, by an answer that is younger than `since`; while it says nothing, it may."""
        if time.monotonic() - self._asked > LOOK:
            self._asked = time.monotonic()
            command = ["squeue", "--noheader", "--array", "--format=%i", "--user", str(os.getuid())]
            told = subprocess.run(command, check=False, capture_output=True, text=True)
            if told.returncode == 0:
                self._jobs, self._heard = set(told.stdout.split()), self._asked
        return self._jobs is None or self._heard < since or job in self._jobs


class _Ticket:
    """A job of submitit; without a queue, one of its local executor."""

    def __init__(self, job: Any, queue: _Queue | None) -> None:
        self._job = job
        self._queue = queue
        self._begin = time.monotonic()
        self._gone: float | None = None  # when it was first seen to have left the queue

    def done(self) -> bool:
        """Whether it left a result, or ended without one."""
        if self._queue is None:
            return bool(self._job.done())
        if self._job.paths.result_pickle.exists():
            return True
        if self._queue.has(self._job.job_id, self._begin):
            self._gone = None
            return False
        self._gone = self._gone or time.monotonic()
        list(
            Path(self._job.paths.folder).iterdir()
        )  # where the disk is another machine's, that shows what is new there
        return time.monotonic() - self._gone > SLOW

    def result(self) -> Mapping[str, Any]:
        """What `work` returned.

        Raises:
            RetryError: the job ended without saying anything: out of memory or time, cancelled, its node lost.
        """
        from submitit.core.utils import FailedJobError, UncompletedJobError

        lost = RetryError(
            f"job {self._job.job_id} of Slurm ended before its work did",
            f"see what it printed, in {self._job.paths.stderr}",
        )
        while not self.done():
            time.sleep(1)
        if not self._job.paths.result_pickle.exists():
            raise lost
        try:
            told: Mapping[str, Any] = self._job.result()
        except (FailedJobError, UncompletedJobError, EOFError, OSError) as error:
            raise lost from error
        return told

    def cancel(self) -> None:
        """Take it from the queue; jobs of the local executor have no queue."""
        if self._queue is not None:
            subprocess.run(["scancel", "--state=PENDING", self._job.job_id], check=False, capture_output=True)

    def stop(self) -> None:
        """End a job of the local executor, by its controller, which passes the signal on."""
        with suppress(OSError):
            os.kill(int(self._job.job_id), signal.SIGTERM)


def _update(executor: Any, wishes: Wishes) -> None:
    """Tell submitit what jobs take.

    Raises:
        UsageError: it knows no such parameter, or not with such a value.
    """
    import submitit

    own = set(submitit.AutoExecutor._valid_parameters())
    known = own | {f"slurm_{name}" for name in submitit.SlurmExecutor._valid_parameters()}
    slips = {name.removeprefix("slurm_"): name for name in known} | {name: name for name in known}
    for name in wishes.options:
        if name not in known:
            near = slips.get(nearest(name, slips) or "")
            raise UsageError(
                f"Slurm's engine has no parameter {shown(name)}",
                f"did you mean --engine {near}=...?" if near else f"use one of {', '.join(sorted(known))}",
            )
    given: dict[str, Any] = {
        name: str(text) if name == "name" else value
        for (name, text), value in zip(wishes.options.items(), values(wishes.options).values(), strict=True)
    }
    more = given.pop("slurm_additional_parameters", None) or {}
    parameters: dict[str, Any] = {
        "name": "invrender",
        "timeout_min": HOUR if wishes.limit is None else math.ceil((wishes.limit + MARGIN) / 60),
        "cpus_per_task": wishes.threads,
        "slurm_array_parallelism": wishes.workers,
        "slurm_signal_delay_s": NOTICE,
        # A step of a job does not inherit its cores since Slurm 22.05.
        "slurm_srun_args": [f"--cpus-per-task={wishes.threads}"] if wishes.threads else None,
        **given,
    }
    try:
        executor.update_parameters(**parameters, slurm_additional_parameters={"requeue": True, **more})
    except (NameError, AssertionError, ValueError, TypeError) as error:
        raise UsageError(
            f"submitit does not take these parameters: {(str(error) or 'wrong type').splitlines()[0]}",
            "correct --engine NAME=VALUE",
        ) from error


def _last_line(error: BaseException) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    return lines[-1]
