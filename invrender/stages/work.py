"""Shards made in this process, or in several at once: what they hold does not depend on that.

Processes are started afresh (never forked from one that has used torch), compute on one thread each, and give what they
made to this one, which alone writes. They end between two scenes when they are told to, and when this process is gone.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import wait as wait_for
from multiprocessing.synchronize import Event
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import MemoryLimitError
from invrender.io.pairs.meta import Shard
from invrender.kernels import Backend
from invrender.run.cores import thread_limits
from invrender.stages.recipe import Recipe
from invrender.stages.scene import Pool, sample

Made = tuple[Shard, NDArray[Any], NDArray[np.uint8]]
LoadBackend = Callable[[], Backend]
TICK = 0.1  # seconds between looks for a stop request


def _nothing(*_: int) -> None:
    return


@dataclass(frozen=True)
class Watch:
    """What is called while scenes are made.

    Attributes:
        start: with how many scenes there will be, and how many there are already.
        step: with how many there are, whenever there are more.
        check: ends the work by an exception; called several times a second or after each scene.
    """

    start: Callable[[int, int], None] = _nothing
    step: Callable[[int], None] = _nothing
    check: Callable[[], None] = _nothing


@dataclass(frozen=True)
class Job:
    """What a process needs to make shards."""

    recipe: Recipe
    pool: Pool
    load: LoadBackend


def made(
    job: Job, shards: Sequence[Shard], processes: int, done: Callable[[int], None], check: Callable[[], None]
) -> Generator[Made]:
    """Shards with their voxels [N,C,D,H,W] and pictures [N,H,W,C], in any order.

    Args:
        job: what to make.
        shards: which.
        processes: how many; 1: this one.
        done: is told how many scenes are made, whenever some are.
        check: ends the work by an exception, which is passed on.

    Raises:
        MemoryLimitError: a process was ended by the system.
    """
    if min(processes, len(shards)) <= 1:
        yield from _here(job, shards, done, check)
    else:
        yield from _elsewhere(job, shards, min(processes, len(shards)), done, check)


def _here(job: Job, shards: Sequence[Shard], done: Callable[[int], None], check: Callable[[], None]) -> Generator[Made]:
    backend = job.load()
    for shard in shards:

        def between() -> None:
            check()
            done(1)

        with _one_thread():
            made = _shard(job, shard, backend, between)
        yield made


@contextmanager
def _one_thread() -> Iterator[None]:
    """torch on one thread, as in processes of their own: sums come out alike to the last bit."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _shard(job: Job, shard: Shard, backend: Backend, between: Callable[[], None]) -> Made:
    """One shard; `between` is called after each scene."""
    layout, count = job.recipe.layout, len(shard.objects)
    voxels = np.empty((count, *layout.voxels), layout.voxel_type)
    pictures = np.empty((count, *layout.pictures), np.uint8)
    views = job.recipe.views
    for at in range(0, count, views):
        voxels[at : at + views], pictures[at : at + views] = sample(job.recipe, shard.objects[at], job.pool, backend)
        between()
    return shard, voxels, pictures


def _elsewhere(
    job: Job, shards: Sequence[Shard], processes: int, done: Callable[[int], None], check: Callable[[], None]
) -> Generator[Made]:
    context = multiprocessing.get_context("spawn")
    ended = context.Event()
    waiting = list(shards)[::-1]
    with _single_threaded_children():
        executor = ProcessPoolExecutor(processes, context, _start, (job, ended))
    running: set[Future[Made]] = set()
    try:
        while waiting or running:
            with _single_threaded_children():  # a process starts when there is work for it
                while waiting and len(running) < processes + 1:
                    running.add(executor.submit(_work, waiting.pop()))
            finished, running = wait(running, TICK, FIRST_COMPLETED)
            check()
            for future in finished:
                found = future.result()
                done(len(found[0].objects) // job.recipe.views)
                yield found
    except BrokenProcessPool as error:
        raise MemoryLimitError(
            "a process that made scenes was ended by the system, most likely for want of memory",
            "give fewer --processes, a smaller --resolution or --size, and run the command again: it goes on",
        ) from error
    finally:
        ended.set()
        executor.shutdown(wait=True, cancel_futures=True)


@contextmanager
def _single_threaded_children() -> Iterator[None]:
    """Libraries in processes that are started meanwhile take one thread each."""
    limits = thread_limits(1)
    before = {name: os.environ.get(name) for name in limits}
    os.environ.update(limits)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_mine: dict[str, Any] = {}
"""The job of this process, in one that was started for it."""


class _EndedError(Exception):
    """The process that wants the shard wants it no more."""


def _start(job: Job, ended: Event) -> None:
    """Begin a process: it leaves signals to its parent, and goes with it."""
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGUSR1"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_go_with_parent, daemon=True).start()
    torch.set_num_threads(1)
    _mine.update(job=job, ended=ended, backend=job.load())


def _go_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait_for([parent.sentinel])
        os._exit(1)


def _work(shard: Shard) -> Made:
    def between() -> None:
        if _mine["ended"].is_set():
            raise _EndedError

    return _shard(_mine["job"], shard, _mine["backend"], between)
