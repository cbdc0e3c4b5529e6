"""Words on pictures, in Pillow's own scalable font: panels with labels, put together to a sheet or a film's frame.

    frame = framed([Panel(photo, "input view 3: a.jpg"), Panel(drawn, "estimate")], "refine: step 4 of 15", "IoU 0.97")

Words stand in strips of their own, never over a picture. Nothing else is installed for it: the font comes with Pillow
(Aileron, which has the letters of western European languages; others become question marks).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

PAPER, INK, GREY = (255, 255, 255), (25, 30, 40), (98, 104, 116)
SMALLEST, LARGEST, SHARE = 11, 26, 0.05  # of letters, in pixels; their height in sides of a panel
GAP = 4  # pixels between panels


@dataclass(frozen=True)
class Panel:
    """A picture [H,W,3] uint8 sRGB and what it is, in a few words; '' leaves no room for any."""

    picture: Picture
    label: str = ""


def letters(side: int) -> int:
    """The height of letters that suit panels of so many pixels."""
    return int(min(max(round(SHARE * side), SMALLEST), LARGEST))


@lru_cache
def font(size: int) -> Any:
    """Pillow's own font, of letters `size` pixels high."""
    return ImageFont.load_default(size)


def line_height(size: int) -> int:
    """Pixels of a line of letters `size` high, its spacing included."""
    return round(1.5 * size)


def fitting(text: str, width: int, size: int) -> str:
    """A text that is no wider than `width` pixels: of one that is too long, beginning and end, dots between them.

    Names of files differ in their end, labels in their beginning; characters that the font lacks become '?'.
    """
    plain = text.encode("latin-1", "replace").decode("latin-1")
    if font(size).getlength(plain) <= width:
        return plain
    for kept in range(len(plain) - 1, 0, -1):
        tail = kept * 2 // 3
        shorter = f"{plain[: kept - tail].rstrip()}...{plain[len(plain) - tail :]}"
        if font(size).getlength(shorter) <= width:
            return shorter
    return ""


@lru_cache(maxsize=64)  # the same labels stand above every picture of a film
def line_of_text(
    text: str, width: int, size: int, ink: Colour = INK, right: str = "", paper: Colour = PAPER
) -> Picture:
    """One line on paper, [line_height(size),width,3] uint8, not to be written to.

    There is a text on the left, and one on the right, which goes first.

    Args:
        text, right: what to write; see `fitting` for texts that are too long.
        width: of the line, in pixels.
        size: of the letters, in pixels.
        ink, paper: sRGB bytes.
    """
    high, margin = line_height(size), max(2, size // 3)
    strip = Image.new("RGB", (width, high), paper)
    pen = ImageDraw.Draw(strip)
    room = width - 2 * margin
    last = fitting(right, room, size)
    taken = round(font(size).getlength(last)) + 2 * margin if last else 0
    pen.text((margin, high / 2), fitting(text, room - taken, size), ink, font(size), anchor="lm")
    if last:
        pen.text((width - margin, high / 2), last, ink, font(size), anchor="rm")
    line = np.array(strip)
    line.flags.writeable = False
    return line


def framed(panels: Sequence[Panel], caption: str = "", quality: str = "", columns: int = 0, side: int = 0) -> Picture:
    """Panels side by side with their labels above them, and a caption below all of them.

    Args:
        panels: with pictures of any sizes; those of a row stand on one line.
        caption: what the whole shows, on the left below it; `quality`: how well, on the right. Both '': no such line.
        columns: panels in a row; 0: all in one.
        side: of a panel, by which letters are sized; 0: the longest there is.

    Returns:
        [H,W,3] uint8, W the widest row's.
    """
    columns = columns or len(panels)
    size = letters(side or max(max(panel.picture.shape[:2]) for panel in panels))
    rows = [panels[at : at + columns] for at in range(0, len(panels), columns)]
    widest = max(sum(panel.picture.shape[1] + GAP for panel in row) - GAP for row in rows)
    line = line_height(size)
    tall = [max(panel.picture.shape[0] for panel in row) for row in rows]
    above = [line if any(panel.label for panel in row) else 0 for row in rows]
    below = line_height(size + 1) if caption or quality else 0
    whole = np.full((sum(tall) + sum(above) + below, widest, 3), PAPER[0], np.uint8)
    down = 0
    for row, height, room in zip(rows, tall, above, strict=True):
        _set(whole[down : down + room + height], row, room, size)
        down += room + height
    if below:
        whole[down:] = line_of_text(caption, widest, size + 1, INK, quality)
    return whole


def _set(place: Picture, row: Sequence[Panel], room: int, size: int) -> None:
    """Fill a row's place with its panels, each in the middle below `room` pixels for its label."""
    left = 0
    for panel in row:
        height, width = panel.picture.shape[:2]
        down = room + (place.shape[0] - room - height) // 2
        place[down : down + height, left : left + width] = panel.picture
        if panel.label:
            place[:room, left : left + width] = line_of_text(panel.label, width, size, GREY)
        left += width + GAP
