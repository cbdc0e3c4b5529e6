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


def lettered(panel: Panel, size: int, height: int = 0, ink: Colour = GREY) -> Picture:
    """A panel below its label, [line_height(size) + H,W,3] uint8.

    Args:
        panel: the picture and its label.
        size: of the letters, in pixels.
        height: of the picture's place, where it is larger than the picture, which then is in its middle.
        ink: of the label.
    """
    picture = panel.picture
    below = max(height - picture.shape[0], 0)
    if below:
        picture = _padded(picture, ((below // 2, below - below // 2), (0, 0)))
    if not panel.label:
        return picture
    return np.concatenate([line_of_text(panel.label, picture.shape[1], size, ink), picture])


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
    rows = [_row(panels[at : at + columns], size) for at in range(0, len(panels), columns)]
    widest = max(row.shape[1] for row in rows)
    parts = [_padded(row, ((0, 0), (0, widest - row.shape[1]))) for row in rows]
    if caption or quality:
        parts.append(line_of_text(caption, widest, size + 1, INK, quality))
    return np.concatenate(parts)


def _row(panels: Sequence[Panel], size: int) -> Picture:
    tallest = max(panel.picture.shape[0] for panel in panels)
    labelled = any(panel.label for panel in panels)
    parts = []
    for panel in panels:
        part = lettered(panel if panel.label or not labelled else Panel(panel.picture, " "), size, tallest)
        parts += [np.full((part.shape[0], GAP, 3), PAPER, np.uint8), part]
    return np.concatenate(parts[1:], 1)


def _padded(picture: Picture, around: tuple[tuple[int, int], tuple[int, int]]) -> Picture:
    return np.pad(picture, (*around, (0, 0)), constant_values=PAPER[0])
