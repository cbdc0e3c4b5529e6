"""Where in their pixels, and on the lens, the rays of one pass start: spread evenly over the passes, however many."""

from __future__ import annotations

import torch

Tensor = torch.Tensor

# 1/g and 1/g^2 with g^3 = g + 1: points (k/g, k/g^2) mod 1 fill the square evenly for every number of them
# (Roberts 2018, "The unreasonable effectiveness of quasirandom sequences").
_STEPS = (0.7548776662466927, 0.5698402909980532)
_MASK = 0xFFFFFFFF


def places(pixels: Tensor, number: int, seed: int) -> Tensor:
    """The place [P,2] float64 in [0, 1)^2 of pass `number` in each pixel [P], int64.

    All pixels take the same sequence, each from a start of its own (Cranley and Patterson 1976), which depends on the
    pixel's number and the seed alone.
    """
    columns = []
    for axis, step in enumerate(_STEPS):
        start = _hashed(_hashed(pixels) ^ mixed(seed, axis)).double() / 2**32
        columns.append((start + number * step) % 1.0)
    return torch.stack(columns, 1)


def mixed(*numbers: int) -> int:
    """A seed in [0, 2^31) from several numbers; others for other numbers."""
    found = 0
    for number in numbers:
        found = _hash((found * 0x9E3779B1 + number + 1) & _MASK)
    return found >> 1


def _hash(number: int) -> int:
    """32 bits to 32 bits (Wellons 2018, "Prospecting for hash functions": lowbias32)."""
    number ^= number >> 16
    number = (number * 0x7FEB352D) & _MASK
    number ^= number >> 15
    number = (number * 0x846CA68B) & _MASK
    return number ^ (number >> 16)


def _hashed(numbers: Tensor) -> Tensor:
    """`_hash` of each number, int64, of which the lower 32 bits count."""
    numbers = numbers & _MASK
    numbers = numbers ^ (numbers >> 16)
    numbers = (numbers * 0x7FEB352D) & _MASK
    numbers = numbers ^ (numbers >> 15)
    numbers = (numbers * 0x846CA68B) & _MASK
    return numbers ^ (numbers >> 16)
