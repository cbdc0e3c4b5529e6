"""How the entry points of the cpu backend's volume kernels are compiled; those of its mesh kernels: `jit.kernel`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from invrender import jit
from invrender.backends.bodies.target import FAST


def entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jit.kernel` with the arithmetic of the bodies of volumes."""
    return jit.kernel(function, FAST)


def path_entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """`jit.kernel` with the arithmetic of the bodies of paths of light: NaN and infinities count."""
    return jit.kernel(function, frozenset({"contract", "nsz"}))
