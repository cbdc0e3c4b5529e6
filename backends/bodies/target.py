"""How bodies are compiled for CPUs. `invrender.backends.cuda` substitutes its own module for this one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

from invrender.jit import PART, body

P = ParamSpec("P")
R = TypeVar("R")

FAST = frozenset({"contract", "nnan", "nsz"})
"""Without reassociation: with it LLVM vectorises sums along a ray with gathers, which are slower than plain loads.

Infinities are allowed: an infinite curvature keeps a voxel outside the support where it is.
"""

wide = np.float64
"""The type in which long sums of float32 numbers are accumulated: on CPUs float64 costs nothing."""


def device(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function callable from kernels. Division by zero gives inf or NaN, as on a GPU."""
    return body(function)


def fast(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for volumes, with faster arithmetic: unlike that of meshes, it decides nothing about pixels."""
    return body(function, fastmath=set(FAST))


def inlined(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same as `fast`, but inlined into each caller before types are inferred: faster for small functions."""
    return cast("Callable[..., Any]", njit(**PART, fastmath=set(FAST), inline="always")(function))


_BARE: dict[str, Any] = {"fastmath": {"contract", "nsz"}, "_nrt": False}


def contracted(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for paths of light: products and sums are fused, but NaN and infinities count as they should.

    Bodies become part of their callers, count no references and cannot be called from Python: a scene of many arrays
    takes longer to hand over than to read, and half of the compiler's time goes into what nobody calls.
    """
    return body(function, **_BARE, forceinline=True)


def called(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same for bodies that are too long to become part of all their callers."""
    return body(function, **_BARE)


@device
def product(a: float, b: float) -> float:
    """a * b, rounded by itself: never fused with a sum, which would round differently from machine to machine."""
    return a * b


@device
def add(cells: NDArray[np.float64], row: int, column: int, value: float) -> None:
    """Add to a cell. One thread owns the cells here; on a GPU this is atomic."""
    cells[row, column] += value


@device
def lower(cells: NDArray[np.int64], index: int, value: int) -> None:
    """Put `value` where it is smaller than what is there. One thread owns the cells here; on a GPU this is atomic."""
    cells[index] = min(cells[index], value)


@device
def lower_cell(cells: NDArray[np.float64], row: int, column: int, value: float) -> None:
    """The same for a cell of two indices."""
    cells[row, column] = min(cells[row, column], value)


@device
def push(heads: NDArray[np.int32], index: int, item: int) -> int:
    """Put an item at the head of a list, and give the one that was there. On a GPU this is atomic."""
    before = int(heads[index])
    heads[index] = item
    return before


@inlined
def add_at(cells: NDArray[np.float32], index: int, value: float) -> None:
    """Add to a cell of a flat array. One thread owns the cells here; on a GPU this is atomic."""
    cells[index] += value


@inlined
def raise_to(cells: NDArray[np.float32], index: int, value: float) -> None:
    """Put `value` where it is greater than what is there. One thread owns the cells here; on a GPU this is atomic."""
    cells[index] = max(cells[index], value)
