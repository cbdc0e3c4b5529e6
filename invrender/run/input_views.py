"""Views of a run's input as films and comparisons show them: in a calm order, from their own cameras."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from invrender.cameras.windows import Window, calm_order, through, windows_on
from invrender.nouns import Cameras
from invrender.run.film import HOLD, Moment

Tensor = torch.Tensor

SIDE = 384  # pixels of the longer side of a view that is compared, at most
WORST, EACH = 3, 8  # views that a film ends with, those that the result explains worst, and pictures of each


@dataclass(frozen=True)
class Seat:
    """A view of the input, and the camera that sees what is shown of it.

    Attributes:
        number: of the view.
        name: as the user knows it: its picture's file, or its number.
        camera: [1] that sees the window, with as many pixels as are drawn.
        window: of the view's picture.
    """

    number: int
    name: str
    camera: Cameras
    window: Window

    @property
    def label(self) -> str:
        """For people."""
        unnamed = self.name == f"view {self.number}"
        return f"input {self.name}" if unnamed else f"input view {self.number}: {self.name}"

    def small(self, picture: Tensor) -> Tensor:
        """What is shown of the view's picture [H,W] or [H,W,C], averaged over the pixels that are drawn; float32."""
        part = self.window.of(picture).cpu().float()
        planes = part[None, None] if part.ndim == 2 else part.permute(2, 0, 1)[None]
        drawn = torch.nn.functional.interpolate(planes, self.camera.size, mode="area")[0]
        return drawn[0] if part.ndim == 2 else drawn.permute(1, 2, 0)


@dataclass(frozen=True)
class InputViews:
    """The views of a run's input.

    Attributes:
        cameras: N of them.
        names: N, as the user knows them.
        windows: N of one size, on what is occupied.
        side: pixels of the longer side of what is drawn, at most.
    """

    cameras: Cameras
    names: Sequence[str]
    windows: Sequence[Window]
    side: int

    @staticmethod
    def of(cameras: Cameras, names: Sequence[str], occupied: Iterable[Tensor], side: int) -> InputViews:
        """Views in which `occupied`, [H,W] bool of each, tells where something is."""
        return InputViews(cameras, names, windows_on(occupied), side)

    def __len__(self) -> int:
        return len(self.cameras)

    def seat(self, number: int) -> Seat:
        """One of the views."""
        window = self.windows[number]
        factor = min(1.0, self.side / max(window.height, window.width))
        size = max(1, round(window.height * factor)), max(1, round(window.width * factor))
        return Seat(number, self.names[number], through(self.cameras[[number]], window, size), window)

    def panel_shape(self, side: int) -> tuple[int, int]:
        """Rows and columns of a view in a frame."""
        window = self.windows[0]
        factor = side / max(window.height, window.width)
        return max(1, round(window.height * factor)), max(1, round(window.width * factor))

    def in_turn(self, frames: int) -> list[Seat]:
        """The views that a film shows while the estimate forms: as many as are held for HOLD of its pictures."""
        return [self.seat(number) for number in calm_order(self.cameras, max(1, frames // HOLD))]


def at(seats: Sequence[Seat], moment: Moment) -> Seat:
    """The view that is shown at a moment."""
    return seats[moment.number // HOLD % len(seats)]


def worst_first(scores: Sequence[float], most: int) -> list[int]:
    """The numbers of the views with the lowest scores; those that cannot be told (NaN) are the lowest."""
    values = np.nan_to_num(np.asarray(scores, np.float64), nan=-np.inf)
    order: list[int] = np.argsort(values, kind="stable")[:most].tolist()
    return order


def told_worst(place: int, count: int) -> str:
    """The caption of a view by how badly it is explained, from 0."""
    ranks = ("least explained", "second least explained", "third least explained")
    return f"the result: the {ranks[place]} of {count} views" if place < len(ranks) else "the result"
