"""How the volume kernels are compiled: entry points into the cpu backend's cache, bodies into the entry points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invrender import jit
from invrender.backends.bodies.target import FAST, body
from invrender.backends.cpu.compile import cache_folder

__all__ = ["body", "entry"]


def entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that Python calls, without the interpreter's lock, and keep the result on disk."""
    return jit.kernel_in(cache_folder(), function, FAST)
