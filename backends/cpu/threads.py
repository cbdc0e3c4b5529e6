"""Threads for one call: started when work begins, gone when it ends."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def spread(work: Callable[[int, int], None], items: int) -> None:
    """Call work(first, step) once per thread; it does the items first, first + step, ... without the interpreter lock.

    As many threads as `thread_count` says, but never more than items.

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
    """Cores that this process may use, or fewer where OMP_NUM_THREADS says so.

    torch's own setting does not count: a loop over small tensors does well to keep torch on one thread, whose others
    would spin between operations, while these come and go.
    """
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    asked = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0]
    return max(1, min(available, int(asked))) if asked.isdigit() else available
