"""Threads for one call: started when work begins, gone when it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import torch


def spread(work: Callable[[int, int], None], items: int) -> None:
    """Call work(first, step) once per thread; it does the items first, first + step, ... without the interpreter lock.

    As many threads as torch would use (`torch.set_num_threads`, OMP_NUM_THREADS), but never more than items.

    Raises:
        Exception: whatever `work` raised.
    """
    step = max(1, min(items, thread_count()))
    failures: list[BaseException] = []

    def guarded(first: int) -> None:
        try:
            work(first, step)
        except BaseException as error:  # noqa: BLE001 - handed to the caller below
            failures.append(error)

    helpers = [threading.Thread(target=guarded, args=(first,)) for first in range(1, step)]
    for helper in helpers:
        helper.start()
    guarded(0)
    for helper in helpers:
        helper.join()
    if failures:
        raise failures[0]


def thread_count() -> int:
    """Cores that this process may use, or fewer where torch was told so."""
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min(available, torch.get_num_threads()))
