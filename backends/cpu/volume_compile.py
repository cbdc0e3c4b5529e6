"""How the volume kernels are compiled: entry points into the cpu backend's cache, bodies into the entry points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from numba import njit
from numba.core import config

from invrender.backends.bodies.target import FAST, body
from invrender.backends.cpu.compile import cache_folder

__all__ = ["body", "entry", "is_warm"]


def entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """Compile a function that Python calls, without the interpreter's lock, and keep the result on disk."""
    options: dict[str, Any] = {"error_model": "numpy", "nogil": True, "fastmath": set(FAST)}
    folder = cache_folder()
    if folder is None:
        return cast("Callable[..., Any]", njit(**options)(function))
    # Numba picks the folder while it decorates; other users of Numba in this process keep theirs.
    before = config.CACHE_DIR  # type: ignore[attr-defined, unused-ignore]
    config.CACHE_DIR = str(folder)  # type: ignore[attr-defined, unused-ignore]
    try:
        return cast("Callable[..., Any]", njit(cache=True, **options)(function))
    finally:
        config.CACHE_DIR = before  # type: ignore[attr-defined, unused-ignore]


def is_warm() -> bool:
    """Whether an earlier process has compiled volume kernels for this version."""
    folder = cache_folder()
    return folder is not None and any(folder.rglob("volume_*.nbi"))
