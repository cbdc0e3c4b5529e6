"""Memory for images, used again from call to call.

A fresh piece of several megabytes costs a page fault for every 4 KiB that is written first, in the kernel of the
operating system, where threads wait for each other; the C library gives large pieces back as soon as they are freed.
For pictures of 24 x 512 x 512 pixels that took 40 % of the time. So pieces are kept here and lent out: one is free
again when nothing holds the tensor made of it any more.
"""

from __future__ import annotations

import ctypes
import math
import os
import sys
import threading
import weakref
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

LARGE = 2**20  # bytes from which a piece is worth keeping
KEPT = 2**31  # bytes that are kept at most
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of malloc.h
WASTE = 1.5  # a piece may be larger than what it is lent for by this factor


@dataclass(eq=False)
class _Piece:
    """Memory, and the array that was lent last: it is alive as long as a tensor or another array refers to it."""

    memory: NDArray[np.uint8]
    lent: weakref.ref[NDArray[np.uint8]]


_pieces: list[_Piece] = []
_lock = threading.Lock()


def keep_freed() -> None:
    """Let glibc keep what torch's own, smaller tensors free, unless an environment variable says otherwise."""
    if sys.platform != "linux" or {"MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_"} & os.environ.keys():
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_THRESHOLD, 2**25)  # the most it takes
        mallopt(M_TRIM_THRESHOLD, 2**28)


def empty(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """A tensor of whatever was there before."""
    size = math.prod(shape) * dtype.itemsize
    if not LARGE <= size <= KEPT:
        return torch.empty(shape, dtype=dtype)
    return torch.from_numpy(_lend(size)).view(dtype).view(shape)


def zeros(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    """A tensor of zeros, without torch's threads: they would keep cores busy for a while after."""
    tensor = empty(shape, dtype)
    tensor.numpy().fill(0)
    return tensor


def _lend(size: int) -> NDArray[Any]:
    """Bytes [size] of the smallest free piece that fits, or of a new one."""
    with _lock:
        fitting = [p for p in _pieces if p.lent() is None and size <= len(p.memory) <= WASTE * size]
        piece = min(fitting, key=lambda p: len(p.memory), default=None)
        if piece is None:
            memory = np.empty(size, np.uint8)
            if not _make_room(size):
                return memory  # all that may be kept is in use
            piece = _Piece(memory, weakref.ref(memory))
            _pieces.append(piece)
        lent = piece.memory[:size]
        piece.lent = weakref.ref(lent)
        return lent


def _make_room(size: int) -> bool:
    """Let go of free pieces, the oldest first, until another of `size` bytes can be kept; whether it can."""
    total = sum(len(p.memory) for p in _pieces) + size
    for piece in [p for p in _pieces if p.lent() is None]:
        if total <= KEPT:
            break
        _pieces.remove(piece)
        total -= len(piece.memory)
    return total <= KEPT
