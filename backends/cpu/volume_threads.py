"""Work of the volume kernels spread over the cores: the kernels release the GIL, so plain threads do."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any

import torch


def spread(function: Callable[..., Any], jobs: Iterable[tuple[Any, ...]]) -> list[Any]:
    """The results of `function(*job)` for every job, in the order of the jobs.

    As many run at a time as torch uses threads. Jobs must not write to the same places; then the results do not depend
    on that number.
    """
    threads = torch.get_num_threads()
    if threads == 1:
        return [function(*job) for job in jobs]
    return list(_pool(threads).map(lambda job: function(*job), jobs))


def blocks(count: int, size: int) -> list[tuple[int, int]]:
    """[0, count) cut into pieces (begin, end) of `size`; the cut does not depend on the machine."""
    return [(begin, min(begin + size, count)) for begin in range(0, count, size)]


@lru_cache(maxsize=4)
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="invrender-volume")
