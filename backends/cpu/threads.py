"""Work shared out among this process's threads (`workers`). Kernels release the GIL, so plain threads suffice."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from typing import Any

from invrender.backends.cpu.workers import share

LAUNCHED, PROCESSES = "TORCHELASTIC_RUN_ID", "LOCAL_WORLD_SIZE"  # torchrun sets them


def parallel_for(work: Callable[[int, int], object], items: int) -> None:
    """Call work(first, step) once per thread; it does the items first, first + step, ... without the GIL.

    As many threads as `thread_count` says, but never more than items.

    Raises:
        BaseException: what `work` raised first.
    """
    step = max(1, min(items, thread_count()))
    if step == 1:
        work(0, 1)
    else:
        share(lambda first: work(first, step), step, all_numbers=True)


def share_out(work: Callable[[int], object], threads: int) -> None:
    """Call work(number) in up to so many threads, number 0 being this one, which among them do all there is to do.

    Where this one is through before another has begun, that one is not waited for, and never does.

    Raises:
        BaseException: what `work` raised first.
    """
    if threads == 1:
        work(0)
    else:
        share(work, threads, all_numbers=False)


def parallel_map(function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The results of `function(*job)` for every job, in the order of the jobs; whichever thread is free does the next.

    Jobs must not write to the same memory; then the results do not depend on the number of threads.
    """
    given = list(jobs)
    results: list[Any] = [None] * len(given)
    queue = iter(range(len(given)))  # shared by the threads: the GIL lets one at a time take the next

    def work(first: int, step: int) -> None:
        for k in queue:
            results[k] = function(*given[k])

    parallel_for(work, len(given))
    return results


def blocks(count: int, size: int) -> list[tuple[int, int]]:
    """[0, count) cut into pieces (begin, end) of `size`; the cut does not depend on the machine."""
    return [(begin, min(begin + size, count)) for begin in range(0, count, size)]


def thread_count() -> int:
    """This process's share of the cores, or fewer where OMP_NUM_THREADS or NUMBA_NUM_THREADS says so.

    Where a launcher started several processes on this machine, each has a share of its cores. torchrun sets
    OMP_NUM_THREADS to 1 where nobody else has, which therefore says nothing there.

    torch's own setting is ignored: a loop over small tensors had better keep torch on one thread, whose other threads
    would spin between operations, while ours end with each call.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = os.environ.get(PROCESSES, "")
    available = max(1, available // int(processes)) if processes.isdigit() and int(processes) else available
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    if not asked or (asked == "1" and LAUNCHED in os.environ):
        asked = os.environ.get("NUMBA_NUM_THREADS", "")
    return max(1, min(available, int(asked))) if asked.isdigit() else available
