"""Counters that threads share inside compiled kernels: who takes which piece of work, and when a part of it is done.

Threads take pieces one at a time, so one that starts late or draws the long pieces holds up nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic
from numpy.typing import NDArray

Counters: TypeAlias = NDArray[np.int64]

PATIENCE = 1 << 14  # times a thread looks whether others are done before it lets other programs have its core


def _compiled(function: Callable[..., Any]) -> Any:
    """A function for kernels that writes its code; its first argument, Numba's context, is not one of theirs."""
    return intrinsic(function)


def _place(context: Any, builder: Any, signature: Any, args: Any) -> Any:
    array = context.make_array(signature.args[0])(context, builder, args[0])
    return builder.gep(array.data, [args[1]])


@_compiled
def take(_context: Any, counters: Any, index: Any) -> Any:
    """Count one more of `counters` [.] int64, and give what it was before; no two threads get the same number."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        at = _place(context, builder, signature, args)
        return builder.atomic_rmw("add", at, ir.Constant(ir.IntType(64), 1), "seq_cst")

    return types.int64(counters, types.intp), code


@_compiled
def _read(_context: Any, counters: Any, index: Any) -> Any:
    """What a counter says now; whatever was written before it was counted can be read from here on."""

    def code(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.load_atomic(_place(context, builder, signature, args), "seq_cst", 8)

    return types.int64(counters, types.intp), code


@njit(nogil=True)
def reaches(counters: Counters, index: int, total: int) -> bool:
    """Wait a few microseconds for a counter; False where it has not reached the total by then."""
    for _ in range(PATIENCE):  # noqa: SIM110 - a generator is no loop to Numba
        if _read(counters, index) >= total:
            return True
    return False
