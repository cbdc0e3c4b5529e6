"""Processes of this machine that run jobs: each has a pool of its own, so that one that dies takes no other along.

They stay between jobs, and what they imported and compiled with them. One whose runner is gone saves what it is at and
ends.
"""

from __future__ import annotations

import os
import threading
import time
import warnings
from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from signal import SIG_IGN, SIGINT, SIGTERM, signal
from typing import TYPE_CHECKING, Any

from invrender.batch.engines import Wishes
from invrender.batch.work import Order, is_working, work
from invrender.io.files.memory import SPARE, available_memory
from invrender.run import stop
from invrender.run.cores import cores, thread_limits

if TYPE_CHECKING:
    from loky import ProcessPoolExecutor

EACH = 1 << 30  # bytes that a worker needs at least, what it imports included
LEAVE = 60.0  # seconds to save and end in


class LocalEngine:
    """Processes of this machine, with its cores and GPUs shared out between them."""

    name = "local"
    lasting = False

    def __init__(self, wishes: Wishes) -> None:
        devices = gpus()
        self.slots: int | None = wishes.workers or _workers(len(devices), wishes.threads)
        self.threads = wishes.threads or max(1, cores() // self.slots)
        self._pools: list[ProcessPoolExecutor | None] = [None] * self.slots
        self._busy: list[Future[Mapping[str, Any]] | None] = [None] * self.slots
        self._devices = devices

    def submit(self, order: Order) -> Future[Mapping[str, Any]]:
        """Hand a job to a worker that has none."""
        slot = next(k for k, ticket in enumerate(self._busy) if ticket is None or ticket.done())
        last = self._busy[slot]
        if last is not None and not last.cancelled() and last.exception() is not None:  # that worker died
            self._close(slot)
        pool = self._pools[slot] = self._pools[slot] or self._opened(slot)
        ticket: Future[Mapping[str, Any]] = pool.submit(work, order)
        self._busy[slot] = ticket
        return ticket

    def _opened(self, slot: int) -> ProcessPoolExecutor:
        from loky import ProcessPoolExecutor

        # A worker that has grown by hundreds of megabytes is renewed between two jobs, which is meant.
        warnings.filterwarnings("ignore", "A worker (was restarted|stopped) while some jobs", UserWarning)
        env = thread_limits(self.threads)
        if len(self._devices) > 1:
            env["CUDA_VISIBLE_DEVICES"] = self._devices[slot % len(self._devices)]
        return ProcessPoolExecutor(max_workers=1, timeout=None, initializer=prepare, initargs=(os.getpid(),), env=env)

    def _close(self, slot: int) -> None:
        pool, self._pools[slot] = self._pools[slot], None
        if pool is not None:
            pool.shutdown(wait=True, kill_workers=True)

    def close(self, abandon: bool) -> None:
        """End the workers; where `abandon` is true they save what they are at first."""
        working = [ticket for ticket in self._busy if ticket is not None and not ticket.done()]
        if abandon and working:
            for pid in self._pids():
                with suppress(ProcessLookupError):
                    os.kill(pid, SIGTERM)
            begin = time.monotonic()
            while time.monotonic() - begin < LEAVE and not all(ticket.done() for ticket in working):
                time.sleep(0.05)
        for slot in range(len(self._pools)):
            self._close(slot)

    def _pids(self) -> list[int]:
        return [pid for pool in self._pools if pool is not None for pid in list(pool._processes or ())]


def _workers(devices: int, threads: int | None) -> int:
    """One for each GPU; without any, as many as there are cores and memory for."""
    if devices:
        return devices
    room = available_memory()
    fitting = cores() if room is None else max(1, int(SPARE * room / EACH))
    return max(1, min(cores() // (threads or 1), fitting))


def gpus() -> list[str]:
    """The NVIDIA GPUs that jobs may use, as CUDA_VISIBLE_DEVICES names them; asked without importing torch."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name for name in named.split(",") if name.strip() not in ("", "-1")]
    found = Path("/proc/driver/nvidia/gpus")
    return [str(number) for number in range(len(list(found.iterdir())))] if found.is_dir() else []


def prepare(parent: int) -> None:
    """Make this process a worker: it stops when its runner asks, to whom Ctrl-C is left, and does not outlive it."""
    signal(SIGINT, SIG_IGN)
    stop.install(lambda line: None)
    threading.Thread(target=_follow, args=(parent,), daemon=True).start()


def _follow(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(0.5)
    while is_working():
        stop.request(SIGTERM)
        time.sleep(0.5)
    os._exit(0)
