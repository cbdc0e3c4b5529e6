"""Pictures of a film: as they are, or deflated, by whoever needs them so first."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
Packed = NDArray[np.uint8]

PACKING = 1  # of zlib: the quickest; a PNG would try five filters on every row first, for four times as long
SIZE = struct.Struct("<II")  # rows and columns, before the deflated bytes


@dataclass
class Shot:
    """One picture, which another thread may still be drawing.

    Attributes:
        packed: see `packed`, as soon as there are any.
        plain: [H,W,3] uint8, while it is kept.
        drawn: waits until one of both is there, and raises what drawing has raised.
    """

    packed: Packed | None = None
    plain: Picture | None = None
    drawn: Callable[[], None] = lambda: None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def size(self) -> int:
        """Bytes that it takes as it is now."""
        plain = self.plain
        return 0 if plain is None else plain.nbytes

    def keep(self, picture: Picture, room: int) -> None:
        """Take what was drawn, as it is if it needs no more than so many bytes."""
        if picture.nbytes <= room:
            self.plain = picture
        else:
            self.packed = packed(picture)

    def bytes(self) -> Packed:
        """As `packed` has it, once."""
        if self.packed is None and self.plain is None:
            self.drawn()
        with self._lock:
            if self.packed is None:
                assert self.plain is not None
                self.packed = packed(self.plain)
            return self.packed

    def picture(self) -> Picture:
        """The picture [H,W,3] uint8."""
        if self.packed is None and self.plain is None:
            self.drawn()
        return unpacked(self.bytes()) if self.plain is None else self.plain


@dataclass(frozen=True)
class Shots:
    """Those that a run had taken at some time.

    Attributes:
        all: in their order.
    """

    all: Sequence[Shot]

    def __len__(self) -> int:
        return len(self.all)

    @property
    def size(self) -> int:
        """Bytes of those that are kept as they are."""
        return sum(shot.size for shot in self.all)


def packed(picture: Picture) -> Packed:
    """A picture [H,W,3] in a tenth of its bytes."""
    data = SIZE.pack(*picture.shape[:2]) + zlib.compress(picture.tobytes(), PACKING)
    return np.frombuffer(data, np.uint8)


def unpacked(shot: Packed) -> Picture:
    """The picture that was `packed`."""
    size, data = shot[: SIZE.size].tobytes(), shot[SIZE.size :].tobytes()
    return np.frombuffer(zlib.decompress(data), np.uint8).reshape(*SIZE.unpack(size), 3)
