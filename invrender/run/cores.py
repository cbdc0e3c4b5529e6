"""How many cores there are to work with, and how libraries in other processes are told to take fewer."""

from __future__ import annotations

import os

VARIABLES = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
"""Environment variables by which libraries, and our own kernels, learn how many threads to begin."""


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_limits(threads: int) -> dict[str, str]:
    """The variables for a process that is to take so many threads."""
    return dict.fromkeys(VARIABLES, str(threads))
