"""Imports without the garbage collector, which would look through all that they make again and again."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache


@contextmanager
def uncollected() -> Iterator[None]:
    """Collect no garbage while modules are imported, nor look through what they made afterwards: it stays.

    A third of a second of a command that imports torch and Numba would go into finding nothing. For commands alone: a
    program that calls functions of this package has its own mind about its memory.
    """
    collected = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        _keep()
        if collected:
            gc.enable()


@cache
def _keep() -> None:
    """Once: in a process that runs several commands, garbage must not stay for good."""
    gc.freeze()
