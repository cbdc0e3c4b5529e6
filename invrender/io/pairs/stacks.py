"""Stacks of arrays in .npy and .npz files, read one after the other: a chunk may unpack to more than memory holds."""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.npz import BROKEN_HEADERS
from invrender.io.files.paths import shown
from invrender.io.files.stand_ins import stand_in

Array = NDArray[Any]

AGAIN = "the file is damaged or cut short: download or export it again"


@dataclass(frozen=True)
class Stack:
    """An array in a file, whose header has been read.

    Attributes:
        path: of the file; `member`: of an archive, the name in it.
        shape, dtype: of the array.
    """

    path: Path
    member: str | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def name(self) -> str:
        """The array's name in its archive; of an .npy the file's."""
        return self.path.stem if self.member is None else self.member.removesuffix(".npy")

    def __str__(self) -> str:
        return shown(self.path) if self.member is None else f"{shown(self.path)} ({shown(self.name)})"

    def whole(self) -> Array:
        """All of it.

        Raises:
            InputError: the file is damaged.
        """
        return next(_parts(self, self.shape, 1))

    def rows(self) -> Iterator[Array]:
        """What the first axis counts, [shape[1:]] each, one in memory at a time.

        Raises:
            InputError: the file is damaged; what came before that is right.
        """
        return _parts(self, self.shape[1:], self.shape[0])


def stacks_in(path: Path) -> list[Stack]:
    """The arrays of an .npy or .npz file; what else an archive holds is left out.

    Raises:
        InputError: the file is missing or damaged, or an array cannot be read bit by bit or is none of numbers.
    """
    try:
        if path.suffix.lower() == ".npy":
            with path.open("rb") as file:
                return [_stack(path, None, file, path.stat().st_size)]
        with zipfile.ZipFile(path) as archive:
            found = []
            for info in archive.infolist():
                if info.filename.endswith(".npy"):
                    with archive.open(info) as member:
                        found.append(_stack(path, info.filename, member, info.file_size))
            return found
    except BROKEN_HEADERS as error:
        raise _damaged(path, error) from error


def _stack(path: Path, member: str | None, file: IO[bytes], size: int) -> Stack:
    shape, fortran, dtype = _header(file)
    stack = Stack(path, member, shape, dtype)
    if dtype.kind not in "biuf":
        what = "Python objects (a pickle)" if dtype.hasobject else f"values of type {dtype}"
        raise InputError(f"{stack} holds {what}, not real numbers", "save plain arrays: uint8, float16 or float32")
    if fortran and len([n for n in shape if n > 1]) > 1:
        raise InputError(
            f"{stack} is stored column by column, which cannot be read sample by sample",
            "save it row by row: numpy.ascontiguousarray(array)",
        )
    needed, found = math.prod(shape) * dtype.itemsize, size - file.tell()
    if found < needed:
        raise InputError(f"{stack}: {list(shape)} takes {needed} bytes, and there are {found}", AGAIN)
    return stack


def _header(file: IO[bytes]) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    version = npy.read_magic(file)
    if version not in ((1, 0), (2, 0)):
        raise ValueError(f"version {version} of the format is not for plain numbers")
    return (npy.read_array_header_1_0 if version == (1, 0) else npy.read_array_header_2_0)(file)


def _parts(stack: Stack, shape: tuple[int, ...], count: int) -> Iterator[Array]:
    try:
        if stack.member is None:
            with stack.path.open("rb") as file:
                yield from _read(stack, file, shape, count)
        else:
            with zipfile.ZipFile(stack.path) as archive, archive.open(stack.member) as member:
                yield from _read(stack, member, shape, count)
                member.read(1)  # the end of it: where its checksum is compared
    except BROKEN_HEADERS as error:
        raise _damaged(stack.path, error) from error


def _read(stack: Stack, file: IO[bytes], shape: tuple[int, ...], count: int) -> Iterator[Array]:
    _header(file)
    size = math.prod(shape) * stack.dtype.itemsize
    for number in range(count):
        data = file.read(size)
        if len(data) < size:
            raise InputError(f"{stack} ends within sample {number} of {count}", AGAIN)
        yield np.frombuffer(data, stack.dtype).reshape(shape)


def _damaged(path: Path, error: Exception) -> InputError:
    try:
        with path.open("rb") as file:
            instead = stand_in(file.read(512))
    except OSError as missing:
        return InputError(f"{shown(path)} cannot be read: {missing.strerror}", "check the name and its permissions")
    if instead is not None:
        return InputError(f"{shown(path)} is {instead[0]}", instead[1])
    reason = str(error).strip().splitlines()[0][:120] if str(error).strip() else type(error).__name__
    return InputError(f"{shown(path)} cannot be read: {reason}", AGAIN)
