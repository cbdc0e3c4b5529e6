"""What a .vti file says before VTK reads it: extents, the place in the world, and whether pieces are missing.

The form: "VTK XML Formats", docs.vtk.org. VTK's reader crashes on some of what is refused here, takes a number that it
cannot parse for a default, leaves samples of missing pieces unset, and forgets the place where time is told.
"""

from __future__ import annotations

import math
import mmap
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.volumes.grid import damaged, size_lie

_ABSURD = 1e100  # a length whose products would overflow
_HEADER = 1 << 16  # bytes in which the element ImageData is looked for
_PACKED = 10_000  # samples that one packed byte may stand for (LZMA; zlib: 1032)
_EXTENT = re.compile(rb'Extent\s*=\s*["\']([^"\']*)["\']')
_PIECE = re.compile(rb'<Piece\s[^>]*?Extent\s*=\s*["\']([^"\']*)["\']')
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class VtiHeader:
    """The attributes of the element ImageData.

    Attributes:
        axes: [3,3]; column a is the step in the world from one point to the next along i, j, k.
        origin: [3], the world position of point (0, 0, 0), which may lie outside of the extent.
    """

    axes: Vector
    origin: Vector


def parse_vti(path: Path) -> VtiHeader:
    """Look at the header of a file, and at the extents of its pieces.

    Raises:
        InputError: it is no image data, an attribute is damaged, the pieces do not fill the whole, or there are several
            time steps.
        MemoryLimitError: it does not fit.
    """
    with path.open("rb") as file:
        start = file.read(_HEADER)
    if b"<VTKFile" not in start[:2048]:
        raise damaged(path, "it does not begin as a VTK XML file")
    if not re.search(rb'type\s*=\s*["\']ImageData["\']', start[:2048]):
        raise InputError(f"{path} holds no image data (a regular grid)", "resample it to ImageData in ParaView first")
    components = [int(n) for n in re.findall(rb'NumberOfComponents\s*=\s*["\'](\d{1,18})["\']', start)]
    for text in _EXTENT.findall(start):
        _check_size(path, _counts(path, text), max(components, default=1))
    element = re.search(rb"<ImageData\b([^>]*)>", start)
    if element is None:
        raise damaged(path, "it has no element ImageData")
    _check_pieces(path, element[1])
    direction = _numbers(path, element[1], "Direction", "1 0 0 0 1 0 0 0 1", 9).reshape(3, 3)
    spacing = _numbers(path, element[1], "Spacing", "1 1 1", 3)
    _check_times(path, element[1])
    return VtiHeader(direction * spacing, _numbers(path, element[1], "Origin", "0 0 0", 3))


def _check_times(path: Path, element: bytes) -> None:
    found = re.search(rb'\sTimeValues\s*=\s*["\']([^"\']*)["\']', element)
    if found is not None and len(found[1].split()) > 1:
        raise InputError(
            f"{path} holds {len(found[1].split())} time steps",
            "save the one that is meant by itself (in ParaView: File > Save Data, without 'Write Time Steps')",
        )


def _numbers(path: Path, element: bytes, name: str, default: str, count: int) -> Vector:
    found = re.search(rf'\s{name}\s*=\s*["\']([^"\']*)["\']'.encode(), element)
    text = default if found is None else found[1].decode("latin-1")
    try:
        numbers = np.array([float(word) for word in text.split()])
    except ValueError:
        numbers = np.zeros(0)
    if len(numbers) != count:
        raise damaged(path, f"{name} is {text!r}, not {count} numbers")
    if not (np.abs(numbers) < _ABSURD).all():
        raise damaged(path, f"{name} is {text!r}, which is impossible")
    return numbers


def _counts(path: Path, text: bytes) -> list[int]:
    """Points along i, j, k of an extent."""
    try:
        ends = [int(word) for word in text.split()]
    except ValueError as error:
        raise damaged(path, f"an extent is {text.decode('latin-1')!r}") from error
    if len(ends) != 6 or any(high < low for low, high in zip(ends[::2], ends[1::2], strict=True)):
        raise damaged(path, f"an extent is {text.decode('latin-1')!r}")
    return [high - low + 1 for low, high in zip(ends[::2], ends[1::2], strict=True)]


def _cells(counts: list[int]) -> int:
    return math.prod(max(1, n - 1) for n in counts)


def _check_size(path: Path, counts: list[int], components: int) -> None:
    samples, found = _cells(counts), path.stat().st_size
    if samples > _PACKED * found:
        raise size_lie(path, tuple(reversed(counts)), samples, found)
    check_room(path, 4 * math.prod(counts) * max(components, 1))


def _check_pieces(path: Path, element: bytes) -> None:
    """Neighbouring pieces share points but no cells."""
    whole = re.search(rb'WholeExtent\s*=\s*["\']([^"\']*)["\']', element)
    if whole is None:
        raise damaged(path, "it has no WholeExtent")
    needed = _cells(_counts(path, whole[1]))
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        end = content.find(b"<AppendedData")
        pieces = _PIECE.findall(content, 0, end if end > 0 else len(content))
    found = sum(_cells(_counts(path, text)) for text in pieces)
    if found < needed:
        raise InputError(
            f"{path}: its pieces hold {found} of the {needed} cells of its WholeExtent",
            "export it again as one whole (in ParaView: File > Save Data)",
        )
