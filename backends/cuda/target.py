"""How bodies are compiled for CUDA: takes the place of `invrender.backends.bodies.target` (see `bodies`).

`cuda` must be a global of this module: Numba's simulator swaps it there while a kernel runs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numba import cuda
from numba.core import config

P = ParamSpec("P")
R = TypeVar("R")

SIMULATED = bool(getattr(config, "ENABLE_CUDASIM", False))

wide = np.float32
"""What long sums of numbers in float32 are kept in: most GPUs are many times slower in float64."""


def device(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function callable from kernels. The simulator runs it as it is."""
    return function if SIMULATED else with_cuda(function)


def with_cuda(function: Callable[P, R]) -> Callable[P, R]:
    """The same for functions that name `cuda`, which the simulator must run itself."""
    return cast("Callable[P, R]", cuda.jit(device=True)(function))


part = body = device
"""On CPUs these are compiled otherwise. CUDA inlines by itself, and has one kind of arithmetic."""


def kernel(function: Callable[..., None]) -> Any:
    """Compile a kernel at its first launch."""
    return cuda.jit(function)


@with_cuda
def add(cells: Any, row: int, column: int, value: float) -> None:
    """Add to a cell, atomically."""
    cuda.atomic.add(cells, (row, column), value)


@with_cuda
def lower(cells: Any, index: int, value: int) -> None:
    """Put `value` where it is smaller than what is there, atomically."""
    cuda.atomic.min(cells, index, value)


@with_cuda
def add_at(cells: Any, index: int, value: float) -> None:
    """Add to a cell of a flat array, atomically."""
    cuda.atomic.add(cells, index, value)


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
