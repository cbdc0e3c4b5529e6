"""The bytes of a .vdb file and a place among them; nothing is taken that is not there. Little-endian throughout."""

from __future__ import annotations

import mmap
import struct
from typing import Any

_LONGEST = 1 << 16  # letters of a name


class Cursor:
    """A place in a file that moves on with what is read.

    Args:
        data: all of the file.
        place: where to begin, in bytes.
    """

    def __init__(self, data: mmap.mmap | bytes, place: int = 0) -> None:
        self.data = data
        self.size = len(data)
        self.place = 0
        self.seek(place)

    def seek(self, place: int) -> None:
        """Go to a place.

        Raises:
            ValueError: it lies outside the file.
        """
        if not 0 <= place <= self.size:
            raise ValueError(f"it points to byte {place}, and there are {self.size}")
        self.place = place

    def take(self, count: int) -> bytes:
        """The next `count` bytes.

        Raises:
            ValueError: there are fewer.
        """
        end = self.place + count
        if count < 0 or end > self.size:
            raise ValueError(f"{count} bytes are promised at byte {self.place}, and the file ends at {self.size}")
        found = self.data[self.place : end]
        self.place = end
        return found

    def unpack(self, layout: str) -> tuple[Any, ...]:
        """Numbers, by the letters of `struct`."""
        layout = "<" + layout
        return struct.unpack(layout, self.take(struct.calcsize(layout)))

    def number(self, letter: str) -> Any:
        """One number, by its letter in `struct`."""
        return self.unpack(letter)[0]

    def text(self) -> str:
        """A string behind its length.

        Raises:
            ValueError: it is longer than any name, or than the file.
        """
        length = self.number("I")
        if length > _LONGEST:
            raise ValueError(f"a name of {length} letters is promised at byte {self.place}")
        return self.take(length).decode("utf-8", "replace")
