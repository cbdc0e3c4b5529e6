"""How the entry points of the cpu backend are compiled: `invrender.jit`, with the bodies that backends share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from invrender import jit
from invrender.backends.bodies.target import FAST

P = ParamSpec("P")
R = TypeVar("R")


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile an entry point at its first call, and keep the result on disk."""
    return jit.kernel_in(cache_folder(), function)


def entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """`kernel` with the arithmetic of the bodies of volumes."""
    return jit.kernel_in(cache_folder(), function, FAST)


def cache_folder() -> Path | None:
    """Where compiled kernels are kept; None where nothing can be written (then every process compiles anew)."""
    here = Path(__file__).parent
    return jit.cache_folder(here, here.parent / "bodies")
