"""Damage to bytes, whatever they mean: flipped bits, lost and doubled pieces, numbers at the ends of their range."""

from __future__ import annotations

import struct
from collections.abc import Callable
from random import Random

INTEGERS = (
    0, 1, 2, -1, 127, 128, 255, 256, 2**15 - 1, 2**16 - 1, 2**16, 10**6, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40,
    2**62, 2**63 - 1,
)  # fmt: skip
FLOATS = (0.0, -1.0, 1e-38, 1e38, 1e308, float("nan"), float("inf"), float("-inf"), 1e25, -1e11)


def place(data: bytes, rng: Random) -> int:
    """An offset; every other time one near the beginning, where headers are."""
    return rng.randrange(min(len(data), 128) if rng.random() < 0.5 else len(data))


def piece(data: bytes, rng: Random) -> tuple[int, int]:
    """Start and end of a piece of at most 256 bytes."""
    start = place(data, rng)
    return start, min(len(data), start + rng.randint(1, 256))


def _flip(data: bytes, rng: Random) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        changed[place(data, rng)] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _truncate(data: bytes, rng: Random) -> bytes:
    return data[: rng.choice((0, 1, place(data, rng), len(data) - 1))]


def _delete(data: bytes, rng: Random) -> bytes:
    start, end = piece(data, rng)
    return data[:start] + data[end:]


def _double(data: bytes, rng: Random) -> bytes:
    start, end = piece(data, rng)
    return data[:end] + data[start:end] * rng.choice((1, 1, 40)) + data[end:]


def _move(data: bytes, rng: Random) -> bytes:
    start, end = piece(data, rng)
    rest = data[:start] + data[end:]
    to = rng.randint(0, len(rest))
    return rest[:to] + data[start:end] + rest[to:]


def _integer(data: bytes, rng: Random) -> bytes:
    width, order = rng.choice((1, 2, 4, 8)), rng.choice(("little", "little", "little", "big"))
    value = rng.choice(INTEGERS) % 256**width
    return _put(data, value.to_bytes(width, order), rng)


def _float(data: bytes, rng: Random) -> bytes:
    kind, value = rng.choice(("<d", "<f", "<f", ">f")), rng.choice(FLOATS)
    try:
        return _put(data, struct.pack(kind, value), rng)
    except OverflowError:
        return _put(data, struct.pack(kind, float("inf")), rng)


def _put(data: bytes, value: bytes, rng: Random) -> bytes:
    """The value in place of what stands at an offset that suits its width."""
    at = place(data, rng) // len(value) * len(value)
    return data[:at] + value + data[at + len(value) :]


def _blank(data: bytes, rng: Random) -> bytes:
    start, end = piece(data, rng)
    return data[:start] + rng.choice((b"\0", b"\xff")) * (end - start) + data[end:]


def _append(data: bytes, rng: Random) -> bytes:
    return data + rng.randbytes(rng.choice((1, 7, 300)))


OPERATIONS: tuple[Callable[[bytes, Random], bytes], ...] = (
    _flip, _flip, _truncate, _delete, _double, _move, _integer, _integer, _integer, _float, _blank, _append,
)  # fmt: skip


def mutate_bytes(data: bytes, rng: Random) -> bytes:
    """One damage of a kind, at a place and of a size that the generator picks."""
    return rng.choice(OPERATIONS)(data, rng) if data else rng.randbytes(rng.randint(1, 64))
