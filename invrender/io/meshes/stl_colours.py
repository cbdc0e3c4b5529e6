"""The colours of a binary .stl file: 15 bits in the attribute of each triangle, in either of two customs.

Materialise Magics writes `COLOR=` and a colour of four bytes into the header, and into each attribute red in the low
five bits, with the highest bit set where the triangle has the header's colour. VisCAM and SolidView have blue in the
low five bits, and the highest bit set where the colour counts. Attributes of other programs mean other things.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from invrender.colour import srgb_to_linear

Floats = NDArray[np.float64]

_MARK = b"COLOR="
_FLAG = 0x8000


def read_stl_colours(header: bytes, attribute: NDArray[np.uint16]) -> Floats | None:
    """[T,3] linear colours of the triangles, white where VisCAM gives none; None where the file has no colours.

    Args:
        header: the first 84 bytes.
        attribute: [T] of the triangles.
    """
    flagged = (attribute & _FLAG) > 0
    at = header[:80].find(_MARK) + len(_MARK)
    if at >= len(_MARK) and at + 3 <= 80:
        whole = np.frombuffer(header[at : at + 3], np.uint8) / 255.0
        return srgb_to_linear(np.where(flagged[:, None], whole, _channels(attribute)))
    if not flagged.any() or attribute[~flagged].any():
        return None
    return srgb_to_linear(np.where(flagged[:, None], _channels(attribute)[:, ::-1], 1.0))


def _channels(attribute: NDArray[np.uint16]) -> Floats:
    """[T,3] the three numbers of five bits, the lowest first, in [0, 1]."""
    return np.stack([(attribute >> shift) & 31 for shift in (0, 5, 10)], axis=1) / 31.0
