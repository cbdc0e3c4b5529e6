"""Radiance pictures (.hdr): linear colours as three mantissas and a common exponent, which skies often come as.

Source: Greg Ward, "Real Pixels", Graphics Gems II, 1991, and the file formats of Radiance (radsite.lbl.gov, "Picture
format"): a header of lines that ends in an empty one, the resolution, and scanlines that are plain or run-length
encoded by channel.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import shown
from invrender.io.pixels import check_pixels

_AGAIN = "the file is damaged: export it again, or save it as .exr"
_ENCODED = range(8, 32768)  # widths whose scanlines may be encoded by channel


def read_hdr(path: Path) -> NDArray[np.float32]:
    """[H,W,3] linear float32.

    Raises:
        InputError: it is no such picture, too large, damaged, or of another orientation than row by row from the top.
    """
    content = path.read_bytes()
    head = re.match(rb"#\?[^\n]*\n(?:[^\n]+\n)*\n([^\n]*)\n", content)
    if head is None:
        raise InputError(f"{shown(path)} is no Radiance picture", _AGAIN)
    if b"FORMAT=32-bit_rle_xyze" in head.group():
        raise InputError(f"{shown(path)} holds XYZ colours, which are not read", "save it with RGB colours")
    size = re.fullmatch(rb"-Y (\d{1,9}) \+X (\d{1,9})", head.group(1))
    if size is None:
        remedy = "save it with rows from the top and columns from the left ('-Y H +X W')"
        raise InputError(f"{shown(path)} has the resolution '{shown(head.group(1), 40)}'", remedy)
    height, width = int(size.group(1)), int(size.group(2))
    check_pixels(path, (height, width))
    try:
        stored = _scanlines(memoryview(content)[head.end() :], height, width)
    except (IndexError, ValueError) as error:
        raise InputError(f"{shown(path)} cannot be read as a Radiance picture: it is cut short", _AGAIN) from error
    mantissas, exponents = stored[..., :3].astype(np.float32), stored[..., 3:].astype(np.int32)
    return np.where(exponents > 0, np.ldexp(mantissas, exponents - 136), np.float32(0))


def _scanlines(data: memoryview, height: int, width: int) -> NDArray[np.uint8]:
    """[H,W,4] mantissas and exponents.

    Raises:
        IndexError, ValueError: there are too few.
    """
    encoded = width in _ENCODED and len(data) > 3 and data[0] == 2 and data[1] == 2 and data[2] < 128
    if not encoded:
        return np.frombuffer(data, np.uint8, height * width * 4).reshape(height, width, 4)
    rows = np.empty((height, 4, width), np.uint8)
    at = 0
    for row in rows:
        if data[at] != 2 or data[at + 1] != 2 or (data[at + 2] << 8 | data[at + 3]) != width:
            raise ValueError("a scanline of another kind")
        at += 4
        for channel in row:
            at = _channel(data, at, channel)
    return rows.transpose(0, 2, 1)


def _channel(data: memoryview, at: int, channel: NDArray[np.uint8]) -> int:
    """Fill one channel of a scanline from its runs; where what follows begins.

    Raises:
        IndexError, ValueError: the runs do not fit.
    """
    done, width = 0, len(channel)
    while done < width:
        count = data[at]
        if count > 128:  # a run of one value
            count -= 128
            values: int | NDArray[np.uint8] = data[at + 1]
            after = at + 2
        else:
            values = np.frombuffer(data, np.uint8, count, at + 1)
            after = at + 1 + count
        if not 0 < count <= width - done:
            raise ValueError("a run of a wrong length")
        channel[done : done + count] = values
        done, at = done + count, after
    return at
