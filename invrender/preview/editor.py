"""Editing a transfer function by points: what the preview's window does with it, without a window.

Each edit returns a new editor. Places count from 0 to 1 in the window of values, as in `render.transfer_file`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch

from invrender.nouns import Volume
from invrender.nouns.transfer import TransferFunction
from invrender.render.transfer import ROWS, colours_of
from invrender.render.transfer_file import bends

Tensor = torch.Tensor
Point = tuple[float, float]

FOUND = "as found"
COLORMAPS = (FOUND, "inferno", "viridis", "magma", "turbo", "gray", "bone", "coolwarm")
ROUGH = 0.04  # how far a curve may lie off the points that stand for it, as a share of its greatest opacity
THINNEST = 1e-3  # of the range of values: the window is never narrower
NEAREST = 1e-3  # between the places of two points


@dataclass(frozen=True)
class Editor:
    """A transfer function that is being edited.

    Attributes:
        points: (place, opacity), sorted by place; the first at 0, the last at 1.
        low, high: the window, in values of the file.
        least, most: the range of values in which the window can be moved.
        colormap: of `COLORMAPS`.
        found: linear RGB [K,3] that the editor was opened with, of colormap `FOUND`.
    """

    points: tuple[Point, ...]
    low: float
    high: float
    least: float
    most: float
    colormap: str
    found: Tensor

    @staticmethod
    def of(transfer: TransferFunction, volume: Volume) -> Editor:
        """An editor of a transfer function, whose curve becomes a few points, over the values of a volume."""
        opacity = transfer.opacity.detach().cpu().double().numpy().clip(0, 1)
        places = np.linspace(0, 1, len(opacity))
        kept = bends(opacity[:, None], ROUGH * max(float(opacity.max()), 1e-6))
        points = tuple((float(places[k]), float(opacity[k])) for k in kept)
        values = volume.values[0].detach()
        least, most = min(float(values.min()), transfer.low), max(float(values.max()), transfer.high)
        return Editor(points, transfer.low, transfer.high, least, most, FOUND, transfer.colours.detach().cpu())

    @property
    def transfer(self) -> TransferFunction:
        """What the points, the window and the colormap say."""
        even = np.linspace(0, 1, ROWS)
        opacity = np.interp(even, [place for place, _ in self.points], [value for _, value in self.points])
        colours = self.found if self.colormap == FOUND else colours_of(self.colormap)
        return TransferFunction(colours, torch.from_numpy(opacity).float(), self.low, self.high)

    def value(self, place: float) -> float:
        """The value at a place in the window."""
        return self.low + place * (self.high - self.low)

    def place(self, value: float) -> float:
        """The place in the window of a value; outside it is below 0 or above 1."""
        return (value - self.low) / (self.high - self.low)

    def moved(self, number: int, place: float, opacity: float) -> Editor:
        """With one point elsewhere: between its neighbours, and at its end of the window if it is the first or last."""
        last = len(self.points) - 1
        lower = 0.0 if number == 0 else self.points[number - 1][0] + NEAREST
        upper = 1.0 if number == last else self.points[number + 1][0] - NEAREST
        place = 0.0 if number == 0 else 1.0 if number == last else min(max(place, lower), upper)
        points = list(self.points)
        points[number] = (place, min(max(opacity, 0.0), 1.0))
        return replace(self, points=tuple(points))

    def added(self, place: float, opacity: float) -> tuple[Editor, int]:
        """With one more point, and its number; near to another point it is that one, moved."""
        near = [k for k, point in enumerate(self.points) if abs(point[0] - place) < 2 * NEAREST]
        if near or not 0 < place < 1:
            number = near[0] if near else 0 if place <= 0 else len(self.points) - 1
            return self.moved(number, place, opacity), number
        number = sum(point[0] < place for point in self.points)
        point = (place, min(max(opacity, 0.0), 1.0))
        return replace(self, points=(*self.points[:number], point, *self.points[number:])), number

    def removed(self, number: int) -> Editor:
        """Without one point; the ends stay."""
        if number in (0, len(self.points) - 1):
            return self
        return replace(self, points=self.points[:number] + self.points[number + 1 :])

    def windowed(self, low: float | None = None, high: float | None = None) -> Editor:
        """With one end of the window elsewhere, within the range of values and on its side of the other end."""
        thinnest = THINNEST * (self.most - self.least)
        new_low, new_high = self.low, self.high
        if low is not None:
            new_low = min(max(low, self.least), self.high - thinnest)
        if high is not None:
            new_high = max(min(high, self.most), self.low + thinnest)
        return replace(self, low=new_low, high=new_high)

    def recoloured(self, step: int = 1) -> Editor:
        """With the next of `COLORMAPS`."""
        following = (COLORMAPS.index(self.colormap) + step) % len(COLORMAPS)
        return replace(self, colormap=COLORMAPS[following])
