"""Runs a batch: hands jobs to an engine, tries again what failed in passing, and keeps batch.json up to date.

What it knows it has from the jobs' folders, and it can be killed at any moment: the next one begins from there.
"""

from __future__ import annotations

import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from invrender.batch.claim import lives_here
from invrender.batch.engines import Engine, Ticket, submit_all
from invrender.batch.folder import CANCEL, Batch, Standing, standing_of, write_batch, write_job
from invrender.batch.jobs import Job
from invrender.batch.place import waiting
from invrender.batch.work import PASSING, Order
from invrender.errors import InvrenderError, RetryError
from invrender.io.files.atomic import FULL
from invrender.run import stop
from invrender.run.failures import is_disk_full

TICK = 0.1  # seconds between looks at what has ended
NOTE, SHARE = 1.0, 20.0  # seconds between two writings of batch.json, and so many times as long as one takes
LOOK = 3.0  # seconds between looks at jobs that `retry` may have revived
LATER = 2.0  # seconds until a job at which another process works is asked for again
FEW = 200  # jobs at work whose own folders are asked, each second, how they stand
PROBE, ROOM = 5.0, 1 << 22  # seconds between trials whether there is room on the disk again; bytes of a trial


@dataclass
class Runner:
    """A batch at work.

    Attributes:
        batch: what to run.
        engine: who runs its jobs.
        retries: how often a job may end for a passing cause and be gone on with.
        order: threads and time limit of every job; its folder is filled in.
        say: takes a line for people; `show`: the standings, now and then; `clock`: seconds that only grow.
    """

    batch: Batch
    engine: Engine
    retries: int
    order: Order
    say: Callable[[str], None]
    show: Callable[[Mapping[str, Standing], set[str]], None] = lambda standings, running: None
    clock: Callable[[], float] = time.monotonic
    standings: dict[str, Standing] = field(default_factory=dict)
    running: dict[str, Ticket] = field(default_factory=dict)
    _queue: deque[tuple[Job, float]] = field(default_factory=deque)
    _paused: float | None = None
    _noted: float = -NOTE
    _rest: float = NOTE
    _looked: float = 0.0
    _changed: bool = True

    def run(self) -> dict[str, Standing]:
        """Run until every job is done, failed or cancelled; how each stands then, by its key.

        Raises:
            KeyboardInterrupt, RetryError: a stop request; what was at work is saved.
        """
        for entry in self.batch.entries():
            self.standings[entry.job.key] = standing = waiting(entry)
            if standing.state in ("waiting", "running"):
                self._queue.append((entry.job, 0.0))
        with self._closing():
            while self._queue or self.running:
                stop.check()
                self._settle()
                self._hand_over()
                self._look()
                self._note()
                time.sleep(TICK)
        self._note(at_once=True)
        return self.standings

    @contextmanager
    def _closing(self) -> Iterator[None]:
        try:
            yield
        except BaseException:
            lost = [] if self.engine.lasting else list(self.running)
            self.engine.close(abandon=True)
            for key in lost:
                self.standings[key] = standing_of(self.batch.folder / key)
            self._note(at_once=True)
            raise
        self.engine.close(abandon=False)

    def _hand_over(self) -> None:
        """Give the engine as many jobs as it takes."""
        if self._paused is not None and not self._has_room():
            return
        moment, slots = self.clock(), self.engine.slots
        ready: list[Job] = []
        for _ in range(len(self._queue)):
            if self._paused is not None or (slots is not None and len(self.running) + len(ready) >= slots):
                break
            job, due = self._queue.popleft()
            if due > moment:
                self._queue.append((job, due))
            elif self._is_ready(job):
                ready.append(job)
        if ready:
            orders = [replace(self.order, folder=str(self.batch.place(job).absolute())) for job in ready]
            self.running.update(zip((job.key for job in ready), submit_all(self.engine, orders), strict=True))
            self._changed = True

    def _is_ready(self, job: Job) -> bool:
        """Whether a job is to be handed over now; else what becomes of it is seen to."""
        folder = self.batch.place(job)
        standing = self.standings[job.key]
        if (folder / CANCEL).exists():
            self._set(job, replace(standing, state="cancelled"))
            return False
        if lives_here(standing):  # of a runner that was killed: it saves, and ends
            self.standings[job.key] = standing_of(folder)
            self._queue.append((job, self.clock() + LATER))
            return False
        try:
            if standing.state != "running":  # elsewhere, where whoever takes it over sees whether that still lives
                write_job(folder, job, replace(standing, state="waiting"))
        except InvrenderError as error:
            if not is_disk_full(error):
                raise
            self._queue.append((job, 0.0))
            self._pause()
            return False
        return True

    def _settle(self) -> None:
        """Take back what has ended."""
        jobs = {job.key: job for job in self.batch.jobs} if self.running else {}
        for key in [key for key, ticket in self.running.items() if ticket.done()]:
            self._ended(jobs[key], self.running.pop(key))

    def _ended(self, job: Job, ticket: Ticket) -> None:
        outcome, standing = _result(ticket, standing_of(self.batch.place(job)))
        if outcome == "again" and standing.exit_code in PASSING:  # and not because of a runner that left
            standing = replace(standing, passing=standing.passing + 1)
        match outcome:
            case "busy":
                self.standings[job.key] = standing
                self._queue.append((job, self.clock() + LATER))
            case "paused":
                self.standings[job.key] = replace(standing, state="waiting")
                self._queue.appendleft((job, 0.0))
                self._pause()
            case "again" if standing.passing > self.retries:
                told = f"{standing.cause} (tried {standing.passing} times)"
                self._set(job, replace(standing, state="failed", cause=told))
                self.say(f"{job.name}: failed: {told}")
            case "again":
                self._set(job, replace(standing, state="waiting"))
                self._queue.append((job, 0.0))
                self.say(f"{job.name}: {standing.cause}; goes on later")
            case _:
                self._set(job, standing)
                told = "" if outcome == "done" else f": {standing.cause}"
                self.say(f"{job.name}: {outcome}{told}")
        self._changed = True

    def _set(self, job: Job, standing: Standing) -> None:
        """Note how a job stands, in its folder where there is room."""
        self.standings[job.key] = standing
        self._changed = True
        with suppress(InvrenderError):
            if standing_of(self.batch.place(job)) != standing:
                write_job(self.batch.place(job), job, standing)

    def _look(self) -> None:
        """Take jobs up again that somebody has revived, and let those go that were cancelled before they began."""
        if self.clock() - self._looked < LOOK:
            return
        self._looked = self.clock()
        for job in self.batch.jobs:
            if job.key in self.running:
                if (self.batch.place(job) / CANCEL).exists():
                    self.running[job.key].cancel()
            elif self.standings[job.key].state in ("failed", "cancelled"):
                standing = standing_of(self.batch.place(job))
                if standing.state == "waiting":
                    self.standings[job.key] = standing
                    self._queue.append((job, 0.0))

    def _note(self, at_once: bool = False) -> None:
        """Write batch.json, and show how things stand."""
        if not at_once and self.clock() - self._noted < self._rest:
            return
        self._noted = self.clock()
        self.show(self.standings, set(self.running))
        if not self._changed and not at_once:
            return
        try:
            write_batch(self.batch, [self._shown(job) for job in self.batch.jobs])
            self._changed, self._rest = False, max(NOTE, SHARE * (self.clock() - self._noted))
        except InvrenderError as error:
            if not is_disk_full(error):
                raise
            self._pause()

    def _shown(self, job: Job) -> Standing:
        standing = self.standings[job.key]
        read = job.key in self.running and len(self.running) <= FEW
        return standing_of(self.batch.place(job)) if read else standing

    def _pause(self) -> None:
        if self._paused is None:
            self.say(f"the disk of {self.batch.folder} is full: jobs wait until there is room again")
        self._paused = self.clock()

    def _has_room(self) -> bool:
        assert self._paused is not None
        if self.clock() - self._paused < PROBE:
            return False
        if not has_room(self.batch.folder):
            self._paused = self.clock()
            return False
        self._paused = None
        self.say("there is room again: going on")
        return True


def has_room(folder: Path) -> bool:
    """Whether some megabytes can be written there."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(ROOM))
            file.flush()
    except OSError as error:
        if error.errno in FULL:
            return False
        raise
    return True


def _result(ticket: Ticket, before: Standing) -> tuple[str, Standing]:
    """How an attempt ended; a worker that was lost could not say so itself."""
    try:
        told: Mapping[str, Any] = ticket.result()
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - engines have many names for a worker that died
        if type(error).__name__ in ("CancelledError", "FutureCancelledError"):
            return "cancelled", replace(before, state="cancelled", cause="cancelled")
        lost = f"its worker was lost ({type(error).__name__}): killed, or out of memory"
        cause, remedy = (error.cause, error.remedy) if isinstance(error, InvrenderError) else (lost, "")
        return "again", replace(before, exit_code=RetryError.exit_code, cause=cause, remedy=remedy)
    names = {each.name for each in fields(Standing)}
    return str(told["outcome"]), replace(before, **{name: value for name, value in told.items() if name in names})
