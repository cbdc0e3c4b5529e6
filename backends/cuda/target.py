"""How bodies are compiled for CUDA: replaces `invrender.backends.bodies.target` (see `bodies`).

`cuda` must be a global of this module: Numba's simulator swaps it there while a kernel runs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba_cuda
import numpy as np
from numba import cuda
from numba.core import config

from invrender import jit
from invrender.compiling import changed

P = ParamSpec("P")
R = TypeVar("R")

SIMULATED = bool(getattr(config, "ENABLE_CUDASIM", False))

wide = np.float32
"""The type in which long sums of float32 numbers are accumulated: most GPUs are many times slower in float64."""


folders: set[Path | None] = set()
"""Where the machine code of kernels is kept; None where nothing can be written (then every process compiles anew)."""


def device(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function callable from kernels. The simulator runs it as it is."""
    return function if SIMULATED else with_cuda(function)


def with_cuda(function: Callable[P, R]) -> Callable[P, R]:
    """The same for functions that name `cuda`, which the simulator must run itself."""
    return cast("Callable[P, R]", cuda.jit(device=True)(function))


fast = inlined = contracted = called = device
"""On CPUs these are compiled otherwise. CUDA inlines by itself, and has one kind of arithmetic."""


def kernel(function: Callable[..., None]) -> Any:
    """Compile a kernel at its first launch, and keep the machine code on disk."""
    if SIMULATED:
        return cuda.jit(function)
    folder = jit.cache_folder(function.__module__, f"numba-cuda {numba_cuda.__version__}")
    folders.add(folder)
    if folder is None:
        return cuda.jit(function)
    with setting("CACHE_DIR", str(folder)):
        return cuda.jit(cache=True)(function)


def setting(name: str, value: Any) -> AbstractContextManager[None]:
    """A setting of numba-cuda for a moment."""
    from numba.cuda.core import config as settings  # which the simulator lacks

    return changed(settings, name, value)


@with_cuda
def add(cells: Any, row: int, column: int, value: float) -> None:
    """Add to a cell, atomically."""
    cuda.atomic.add(cells, (row, column), value)


@with_cuda
def lower(cells: Any, index: int, value: int) -> None:
    """Put `value` where it is smaller than what is there, atomically."""
    cuda.atomic.min(cells, index, value)


@with_cuda
def lower_cell(cells: Any, row: int, column: int, value: float) -> None:
    """The same for a cell of two indices."""
    cuda.atomic.min(cells, (row, column), value)


@with_cuda
def push(heads: Any, index: int, item: int) -> int:
    """Put an item at the head of a list, and give the one that was there, atomically."""
    return cuda.atomic.exch(heads, index, item)  # type: ignore[no-any-return]


@with_cuda
def add_at(cells: Any, index: int, value: float) -> None:
    """Add to a cell of a flat array, atomically."""
    cuda.atomic.add(cells, index, value)


@with_cuda
def raise_to(cells: Any, index: int, value: float) -> None:
    """Put `value` where it is greater than what is there, atomically."""
    cuda.atomic.max(cells, index, value)


if SIMULATED:

    def product(a: float, b: float) -> float:
        """a * b."""
        return a * b

else:
    from numba.cuda import libdevice

    @with_cuda
    def product(a: float, b: float) -> float:
        """a * b in float64, rounded by itself: the compiler would fuse it with a sum otherwise."""
        return libdevice.dmul_rn(a, b)  # type: ignore[no-any-return]
