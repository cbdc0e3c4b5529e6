"""Jobs on a Dask cluster: a running scheduler, or a cluster that is started for this batch.

Dask finds workers that died and gives their jobs to others, where they go on from their checkpoints; after several
deaths of its workers a job is handed back as lost. A worker does one job at a time, with as many threads as it has.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import CancelledError
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from invrender import __version__
from invrender.batch.dask_cluster import Description, read_place, start
from invrender.batch.engines import Ticket, Wishes, values
from invrender.batch.folder import Standing, standing_of
from invrender.batch.work import Order, work
from invrender.errors import BackendError, RetryError, UsageError
from invrender.io.files.paths import shown
from invrender.run import stop

REACHED = 10.0  # seconds in which a scheduler has to answer
SAVED = 60.0  # seconds in which jobs that are stopped have to save
DIFFERENT = "install the same version for the scheduler, its workers and here, and restart the workers"

_at_work: set[str] = set()  # folders of the jobs that this process, a worker, is at
_telling = threading.Lock()  # between the end of a job and a request to stop it


class DaskEngine:
    """Hands jobs to the workers of a Dask scheduler.

    Args:
        wishes: `on` is dask://HOST:PORT or dask:FILE; `options` go to the class that a cluster file names.

    Raises:
        UsageError, InputError: the address or the file cannot be used.
        BackendError: Dask is not installed, nobody answers, or the workers have another invrender.
    """

    name = "dask"
    lasting = False

    def __init__(self, wishes: Wishes) -> None:
        try:
            from distributed import Client
        except ImportError as error:
            raise BackendError(f"Dask is not installed: {error}", "pip install 'invrender[cluster]'") from error
        place = _place(wishes)
        self._workers = wishes.workers
        self._adapts = isinstance(place, Description) and place.adapt is not None and wishes.workers is None
        self._cluster = start(place, wishes.workers) if isinstance(place, Description) else None
        self._handed: list[_Ticket] = []
        try:
            self._client = Client(self._cluster or place, timeout=REACHED, set_as_default=False)
        except (OSError, TimeoutError, ValueError) as error:
            self._close_cluster()
            raise BackendError(
                f"no Dask scheduler answers at {place}: {_line(error)}",
                "start one with `dask scheduler`, and workers with `dask worker HOST:PORT --nthreads 1`",
            ) from error
        try:
            self._check_versions()
        except BackendError:
            self.close(abandon=False)
            raise

    @property
    def slots(self) -> int | None:
        """How many jobs to hand over: workers that have several threads would take that many, and do one of them."""
        if self._workers is not None or self._adapts:
            return self._workers
        threads = self._client.nthreads()
        return len(threads) if any(count > 1 for count in threads.values()) else None

    def submit(self, order: Order) -> Ticket:
        """Hand a job over."""
        future = self._client.submit(at_worker, order, __version__, pure=False, retries=0)
        ticket = _Ticket(future, order)
        self._handed = [*(other for other in self._handed if not other.done()), ticket]
        return ticket

    def close(self, abandon: bool) -> None:
        """Leave the scheduler, and stop what was started here; where `abandon`, jobs save what they have first."""
        if abandon:
            self._stop_jobs()
        self._client.close()
        self._close_cluster()

    def _close_cluster(self) -> None:
        if self._cluster is not None:
            self._cluster.close()

    def _stop_jobs(self) -> None:
        left = [ticket for ticket in self._handed if not ticket.done()]
        for ticket in left:
            ticket.drop()
        folders = [ticket.order.folder for ticket in left]
        until = time.monotonic() + SAVED
        while folders and time.monotonic() < until:
            if not any(told is True for told in self._client.run(ask_to_stop, folders, on_error="return").values()):
                return
            time.sleep(0.2)

    def _check_versions(self) -> None:
        """Refuse workers that would do something else.

        Raises:
            BackendError: a worker has no invrender, or another version of it.
        """
        for worker, found in self._client.run(version, on_error="return").items():
            if found != __version__:
                has = (
                    f"cannot import invrender.batch ({_line(found)})"
                    if isinstance(found, Exception)
                    else f"has {found}"
                )
                raise BackendError(f"the Dask worker {worker} {has}, and this is invrender {__version__}", DIFFERENT)


class _Ticket:
    """A future of Dask."""

    def __init__(self, future: Any, order: Order) -> None:
        self._future = future
        self._cancelled = False
        self.order = order

    def done(self) -> bool:
        return bool(self._future.done())

    def result(self) -> Mapping[str, Any]:
        """What `work` returned.

        Raises:
            RetryError: the workers that were at it died, or the scheduler did.
            CancelledError: `cancel` came before it had begun.
        """
        try:
            told: Mapping[str, Any] = self._future.result()
        except (Exception, CancelledError, asyncio.CancelledError) as error:
            if self._cancelled:
                raise CancelledError from error
            raise RetryError(f"Dask lost the job's worker: {_line(error)}", "run the same command again") from error
        return told

    def cancel(self) -> None:
        """Take it back, if no worker has begun with it; one that has sees that the job is cancelled."""
        if standing_of(Path(self.order.folder)).state != "running":
            self.drop()

    def drop(self) -> None:
        """Want no answer any more."""
        self._cancelled = True
        self._future.cancel()


def _place(wishes: Wishes) -> str | Description:
    """Where the scheduler is, or how a cluster is started."""
    place = wishes.on.partition(":")[2]
    if place.startswith("//"):
        address = place[2:].rstrip("/")
        if not address.rpartition(":")[2].isdigit() or ":" not in address:
            raise UsageError(f"--on {shown(wishes.on)} names no host and port", "such as --on dask://login-node:8786")
        found: str | Description = f"tcp://{address}"
    else:
        found = read_place(Path(place).expanduser())
    if not wishes.options:
        return found
    if isinstance(found, str):
        raise UsageError(
            f"a running Dask scheduler takes no --engine options, such as {shown(next(iter(wishes.options)))}",
            "leave them out; its workers are set up where they are started",
        )
    return replace(found, options={**found.options, **values(wishes.options)})


# --- what runs at a worker --------------------------------------------------------------------------------------------


def version() -> str:
    """The version of invrender at a worker."""
    return __version__


def at_worker(order: Order, wanted: str) -> Mapping[str, Any]:
    """Run a job in a worker's thread.

    Args:
        order: the job.
        wanted: version of invrender that sent it; a worker that joined late may have another.
    """
    from distributed import get_worker

    if wanted != __version__:
        cause = f"a Dask worker has invrender {__version__}, and the batch was started by {wanted}"
        failed = Standing("failed", exit_code=BackendError.exit_code, cause=cause, remedy=DIFFERENT, engine="dask")
        return {**asdict(failed), "outcome": "failed"}
    # Dask marks its workers as processes that may have no children, but training reads its data with some.
    multiprocessing.current_process()._config["daemon"] = False  # type: ignore[attr-defined]
    threads = order.threads or int(get_worker().state.nthreads)
    _at_work.add(order.folder)
    try:
        return dict(work(replace(order, threads=threads)))
    finally:
        with _telling:
            _at_work.discard(order.folder)
            if not _at_work:
                stop.forget()  # the next job of this worker may be somebody else's


def ask_to_stop(folders: list[str]) -> bool:
    """Have the jobs of these folders stop after their step, if this worker is at one; returns whether it is."""
    with _telling:
        if _at_work.isdisjoint(folders):
            return False
        stop.request(signal.SIGTERM)
        return True


def _line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]
