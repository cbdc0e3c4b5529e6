"""GIFs that loop: one palette for all pictures, of which each holds only what has changed since the one before.

The format is that of CompuServe's "Graphics Interchange Format, Version 89a" (1990), its compression Lempel-Ziv-Welch
with codes of up to twelve bits (Welch 1984, "A technique for high-performance data compression").
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_path
from invrender.jit import body, kernel

Picture = NDArray[np.uint8]
Ints = NDArray[np.int64]

COLOURS = 255  # of the palette; the last of 256 entries stands for what stays as it is
STAYS = 255
BITS = 6  # of each channel, by which colours are told apart
FEW = 4  # pictures that tell what colour a plain background has
SAMPLED = 2**16  # pixels that stand for all when the palette is chosen
SHORT = 16  # pixels
CLEAR, END, FIRST, MOST_CODES = 256, 257, 258, 4096
SLOTS = 2**13  # of the table of strings


def write_gif(path: str | Path, frames: Sequence[Picture], fps: float = 20.0, last: float = 0.0) -> None:
    """Write a GIF that loops for ever, in one palette chosen over all frames (so nothing flickers).

    Colours are told apart by their upper six bits; the commonest of all, a plain background, stays as it is.

    Args:
        path: where to; the file appears in one piece.
        frames: [H,W,3] uint8 sRGB each, all of one size.
        fps: frames per second, at most 50 (GIF counts in 1/100 s, and viewers slow down what is faster).
        last: seconds for which the last frame stays beyond its own time.

    Raises:
        UsageError: there are no frames, the speed is out of range, or the place cannot be written to.
    """
    if not len(frames):
        raise UsageError("a GIF needs at least one frame", "ask for at least one view")
    if not 0 < fps <= 50:
        raise UsageError(f"a GIF cannot play at {fps:g} frames per second", "use 0 < fps <= 50")
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        for part in _parts([np.ascontiguousarray(frame) for frame in frames], fps, last):
            file.write(part)


def _parts(frames: Sequence[Picture], fps: float, last: float) -> Iterator[bytes]:
    """The file's blocks."""
    height, width = frames[0].shape[:2]
    totals = np.zeros((1 << 3 * BITS, 4), np.int64)
    for frame in frames:
        _count(frame, totals)
    palette, table = _palette(frames, totals[:, 3].copy(), totals[:, :3])
    yield b"GIF89a" + struct.pack("<HHBBB", width, height, 0xF7, 0, 0) + palette.tobytes()
    yield b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"
    before, pixels = np.full((height, width), STAYS, np.uint8), np.empty((height, width), np.uint8)
    packed = np.empty(2 * height * width + 1024, np.uint8)
    strings, state = np.empty(SLOTS, np.int64), np.empty(4, np.int64)
    time = round(100 / fps)
    for number, frame in enumerate(frames):
        top, bottom, left, right, length = _encode(frame, table, before, pixels, strings, state, packed)
        stays = time + round(100 * last) if number == len(frames) - 1 else time
        yield b"\x21\xf9\x04" + struct.pack("<BHBB", 0x05, min(stays, 65535), STAYS, 0)
        yield b"\x2c" + struct.pack("<HHHHB", left, top, right - left, bottom - top, 0)
        yield b"\x08" + packed[:length].tobytes()
    yield b"\x3b"


def _palette(frames: Sequence[Picture], counts: Ints, sums: Ints) -> tuple[Picture, Picture]:
    """The palette [256,3], and which of its entries stands for each cell of colours that occurs.

    It is chosen by median cut (Heckbert 1982) from the cells' mean colours, each as often as it occurs.
    """
    known = np.flatnonzero(counts)
    means = np.rint(sums[known] / counts[known, None]).astype(np.uint8)
    often = np.maximum(1, counts[known] * SAMPLED // counts.sum())
    sample = np.repeat(means, often, axis=0)
    found = Image.fromarray(sample[None]).quantize(COLOURS - 1, method=Image.Quantize.MEDIANCUT).getpalette() or []
    chosen = np.array(found[: 3 * (COLOURS - 1)], np.uint8).reshape(-1, 3)
    commonest = int(known[counts[known].argmax()])
    palette = np.zeros((256, 3), np.uint8)
    palette[: len(chosen)] = chosen
    plain = _commonest(frames, commonest)
    palette[len(chosen) : COLOURS] = plain
    table = np.zeros(len(counts), np.uint8)
    wide = palette[:COLOURS].astype(np.float32)
    for begin in range(0, len(known), SAMPLED):
        some = means[begin : begin + SAMPLED].astype(np.float32)
        table[known[begin : begin + SAMPLED]] = ((wide**2).sum(1) - 2 * some @ wide.T).argmin(1)
    table[commonest] = len(chosen)
    return palette, table


def _commonest(frames: Sequence[Picture], cell: int) -> Picture:
    """The commonest colour [3] of a cell, by the last bits of its channels."""
    low = 8 - BITS
    wanted = np.array([cell >> shift * BITS & (1 << BITS) - 1 for shift in (2, 1, 0)])
    times = np.zeros(1 << 3 * low, np.int64)
    for frame in frames[:: -(-len(frames) // FEW)]:
        _count_low(frame, cell, times)
    best = int(times.argmax())
    last = np.array([best >> shift * low & (1 << low) - 1 for shift in (2, 1, 0)])
    return np.asarray((wanted << low) + last, np.uint8)


@body
def _cell(frame: Picture, row: int, column: int) -> Any:
    red, green, blue = frame[row, column, 0] >> 2, frame[row, column, 1] >> 2, frame[row, column, 2] >> 2
    return (int(red) << 12) | (int(green) << 6) | int(blue)


@kernel
def _count(frame: Picture, totals: Ints) -> None:
    """Add the pixels of a picture to the sums of colours, and their counts behind them, of cells [2^18,4].

    A run of one cell is added at once: most of a picture is plain.
    """
    many, cell = 0, 0
    red, green, blue = 0, 0, 0
    for row in range(frame.shape[0]):
        for column in range(frame.shape[1]):
            here = _whole(_cell(frame, row, column))
            if here != cell:
                _add(totals, cell, red, green, blue, many)
                cell, many, red, green, blue = here, 0, 0, 0, 0
            many += 1
            red += _whole(frame[row, column, 0])
            green += _whole(frame[row, column, 1])
            blue += _whole(frame[row, column, 2])
    _add(totals, cell, red, green, blue, many)


@body
def _whole(number: Any) -> Any:
    """As a signed number, which stays whole beside others."""
    return np.int64(number)


@body
def _add(totals: Ints, cell: Any, red: Any, green: Any, blue: Any, many: Any) -> None:
    totals[cell, 0] += red
    totals[cell, 1] += green
    totals[cell, 2] += blue
    totals[cell, 3] += many


@kernel
def _count_low(frame: Picture, cell: int, times: Ints) -> None:
    """Add the pixels of a picture that are in a cell to the counts [2^6] of the last bits of their channels."""
    for row in range(frame.shape[0]):
        for column in range(frame.shape[1]):
            if _cell(frame, row, column) == cell:
                red, green, blue = frame[row, column, 0] & 3, frame[row, column, 1] & 3, frame[row, column, 2] & 3
                times[(int(red) << 4) | (int(green) << 2) | int(blue)] += 1


@kernel
def _encode(
    frame: Picture, table: Picture, before: Picture, pixels: Picture, strings: Ints, state: Ints, packed: Picture
) -> tuple[int, int, int, int, int]:
    """Fill `packed` with what of a picture is not as it was before, which then is.

    `pixels` [H,W], `strings` [SLOTS] and `state` [4] are room to work in: were they made in here, their users would be
    counted at each code.

    Returns:
        The part's rows and columns (first, beyond the last), and how many bytes it takes.
    """
    top, bottom, left, right = _changed(frame, table, before, pixels)
    return top, bottom, left, right, _compress(pixels, top, bottom, left, right, strings, state, packed)


@body
def _changed(frame: Picture, table: Picture, before: Picture, pixels: Picture) -> tuple[int, int, int, int]:
    """Fill `pixels` [H,W] with a picture's entries of the palette, STAYS where they are as `before`, which follows.

    Returns:
        The rows and columns (first, beyond the last) outside of which all stays; a pixel's at least.
    """
    height, width = before.shape
    top, bottom, left, right = height, 0, width, 0
    for row in range(height):
        stays = 0
        for column in range(width):
            entry = table[_cell(frame, row, column)]
            if entry == before[row, column]:
                pixels[row, column] = STAYS
                continue
            for here in range(stays, column) if column - stays < SHORT else range(0):
                pixels[row, here] = before[row, here]  # a run so short is better told again than left out
            pixels[row, column] = before[row, column] = entry
            stays = column + 1
            top, bottom = min(top, row), row + 1
            left, right = min(left, column), max(right, column + 1)
    if bottom == 0:
        return 0, 1, 0, 1
    return top, bottom, left, right


@body
def _compress(
    pixels: Picture, top: int, bottom: int, left: int, right: int, table: Ints, state: Ints, packed: Picture
) -> int:
    """Fill `packed` with the codes of a part of a picture, in blocks of at most 255 bytes behind their lengths.

    A code is the longest string that is known; it and the pixel behind it become a new string. How many bytes it takes
    is returned: at most 12 bits a pixel, and what the blocks' lengths take.
    """
    table[:] = -1  # strings, and their codes below them
    state[0], state[1], state[2], state[3] = 0, 0, 0, 1  # bits that wait, how many, the block's begin, the next byte
    width, following = 9, FIRST
    _put(CLEAR, width, state, packed)
    prefix = -1
    for row in range(top, bottom):
        for column in range(left, right):
            pixel = int(pixels[row, column])
            if prefix < 0:
                prefix = pixel
                continue
            key = (prefix << 8) | pixel
            slot = (key * 2654435761 >> 8) & (SLOTS - 1)
            found = table[slot]
            while found >= 0 and found >> 12 != key:
                slot = (slot + 1) & (SLOTS - 1)
                found = table[slot]
            if found >= 0:
                prefix = int(found & MOST_CODES - 1)
                continue
            _put(prefix, width, state, packed)
            prefix = pixel
            if following < MOST_CODES:
                table[slot] = (key << 12) | following
                following += 1
                if following > 1 << width and width < 12:
                    width += 1
            else:
                _put(CLEAR, width, state, packed)
                table[:] = -1
                width, following = 9, FIRST
    _put(prefix, width, state, packed)
    if following == 1 << width and width < 12:
        width += 1
    _put(END, width, state, packed)
    if state[1] > 0:
        _byte(state[0] & 255, state, packed)
    if state[3] == state[2] + 1:  # no byte in the last block
        packed[state[2]] = 0
        return int(state[2]) + 1
    packed[state[2]] = state[3] - state[2] - 1
    packed[state[3]] = 0
    return int(state[3]) + 1


@body
def _put(code: int, width: int, state: Ints, packed: Picture) -> None:
    """Append a code, its lowest bits first."""
    state[0] |= code << state[1]
    state[1] += width
    while state[1] >= 8:
        _byte(state[0] & 255, state, packed)
        state[0] >>= 8
        state[1] -= 8


@body
def _byte(value: int, state: Ints, packed: Picture) -> None:
    """Append a byte, behind the length of its block where it begins one."""
    packed[state[3]] = value
    state[3] += 1
    if state[3] - state[2] == 256:
        packed[state[2]] = 255
        state[2] = state[3]
        state[3] += 1
