"""The chart of a transfer function that is being edited: histogram, curve with its points, colour bar, window.

A picture made with Pillow, and where in it what lies; no window is needed for either.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.nouns import Volume
from invrender.preview.editor import Editor
from invrender.render.transfer_picture import histogram

PAPER, PLOT, BARS, CURVE, POINT, INK = "#1b1e23", "#101215", "#3d4654", "#f2f4f7", "#ffb454", "#c6ccd6"
BINS = 160
REACH = 9.0  # pixels around a point or an end of the window that count as it

Kind = Literal["point", "low", "high", "plot", "bar"]


@dataclass(frozen=True)
class Hit:
    """What lies under the mouse: a point (its number), an end of the window, the free plot, or the colour bar."""

    kind: Kind
    number: int = -1


@dataclass(frozen=True)
class Chart:
    """Where the chart's parts lie, in pixels from the top left.

    Attributes:
        size: (H, W) of the picture.
        counts: the histogram [BINS] from `least` to `most` of the editor.
    """

    size: tuple[int, int]
    counts: NDArray[np.float64]

    @staticmethod
    def of(volume: Volume, editor: Editor, size: tuple[int, int]) -> Chart:
        """The chart of a volume's values."""
        return Chart(size, histogram(volume, editor.least, editor.most, BINS))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the plot."""
        height, width = self.size
        edge = max(10.0, 0.05 * width)
        return edge, max(40.0, 0.12 * height), width - edge, max(height - 110.0, 0.55 * height)

    @property
    def bar(self) -> tuple[float, float, float, float]:
        """Left, top, right and bottom of the colour bar."""
        left, _, right, bottom = self.box
        return left, bottom + 18, right, bottom + 34

    def x(self, editor: Editor, value: float) -> float:
        """The column of a value."""
        left, _, right, _ = self.box
        return left + (value - editor.least) / (editor.most - editor.least) * (right - left)

    def y(self, opacity: float) -> float:
        """The row of an opacity; roots, as small opacities count most."""
        _, top, _, bottom = self.box
        return bottom - math.sqrt(opacity) * (bottom - top)

    def value(self, editor: Editor, x: float) -> float:
        """The value at a column."""
        left, _, right, _ = self.box
        return editor.least + (x - left) / (right - left) * (editor.most - editor.least)

    def opacity(self, y: float) -> float:
        """The opacity at a row, from 0 to 1."""
        _, top, _, bottom = self.box
        return min(max((bottom - y) / (bottom - top), 0.0), 1.0) ** 2

    def hit(self, editor: Editor, x: float, y: float) -> Hit | None:
        """What lies at a pixel; None where nothing does."""
        left, top, right, bottom = self.box
        near = [
            (np.hypot(self.x(editor, editor.value(place)) - x, self.y(opacity) - y), k)
            for k, (place, opacity) in enumerate(editor.points)
        ]
        distance, number = min(near)
        if distance <= REACH:
            return Hit("point", number)
        if bottom < y <= bottom + 16:
            ends = {"low": self.x(editor, editor.low), "high": self.x(editor, editor.high)}
            kind: Literal["low", "high"] = "low" if abs(ends["low"] - x) < abs(ends["high"] - x) else "high"
            return Hit(kind) if abs(ends[kind] - x) <= REACH else None
        if self.bar[1] <= y <= self.bar[3] and left <= x <= right:
            return Hit("bar")
        return Hit("plot") if left <= x <= right and top <= y <= bottom else None

    def draw(self, editor: Editor) -> NDArray[np.uint8]:
        """The picture [H,W,3]."""
        from PIL import Image, ImageDraw, ImageFont

        picture = Image.new("RGB", self.size[::-1], PAPER)
        draw, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
        left, top, right, bottom = self.box
        draw.rectangle(self.box, fill=PLOT)
        roots = np.sqrt(self.counts)
        roots /= max(np.sort(roots)[-2], 1.0)  # what is around the object would dwarf all else
        edges = np.linspace(left, right, BINS + 1)
        for k, root in enumerate(roots):
            draw.rectangle((edges[k], bottom - min(root, 1) * (bottom - top), edges[k + 1], bottom), fill=BARS)
        places = np.linspace(0, 1, 128)
        opacity = np.interp(places, *np.array(editor.points).T)
        curve = [(self.x(editor, editor.value(p)), self.y(o)) for p, o in zip(places, opacity, strict=True)]
        curve = [(left, curve[0][1]), *curve, (right, curve[-1][1])]  # constant beyond the window
        draw.line(curve, fill=CURVE, width=2)
        for place, height in editor.points:
            px, py = self.x(editor, editor.value(place)), self.y(height)
            draw.ellipse((px - 5, py - 5, px + 5, py + 5), fill=POINT, outline=PLOT)
        for value in (editor.low, editor.high):
            px = self.x(editor, value)
            draw.polygon([(px, bottom + 2), (px - 6, bottom + 14), (px + 6, bottom + 14)], fill=INK)
        self._bar(picture, editor)
        draw.text((left, 10), f"{editor.low:.4g} to {editor.high:.4g}", INK, font)
        draw.text((right, 10), editor.colormap, INK, font, anchor="ra")
        lines = (
            "drag points and triangles",
            "click adds, right click removes",
            "m: colours  l: light  r: as found  t: save",
        )
        for k, line in enumerate(lines):
            draw.text((left, self.bar[3] + 8 + 17 * k), line, INK, font)
        return np.asarray(picture, np.uint8)

    def _bar(self, picture: object, editor: Editor) -> None:
        """Colours over the whole range of values."""
        from PIL import Image

        left, top, right, bottom = (round(edge) for edge in self.bar)
        transfer = editor.transfer
        values = np.linspace(editor.least, editor.most, max(right - left, 1))
        rows = len(transfer.colours) - 1
        index = np.clip((values - editor.low) / (editor.high - editor.low), 0, 1) * rows
        colours = linear_to_srgb(transfer.colours.numpy()).clip(0, 1)[np.round(index).astype(int)]
        strip = np.repeat((colours * 255).round().astype(np.uint8)[None], bottom - top, 0)
        assert isinstance(picture, Image.Image)
        picture.paste(Image.fromarray(strip), (left, top))
