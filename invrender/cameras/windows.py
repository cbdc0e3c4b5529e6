"""Parts of pictures as pictures of their own: cameras that see a window of what others see; calm orders of views."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import torch

from invrender.cameras.parallel import standpoints
from invrender.cameras.projection import common_point
from invrender.nouns import Cameras

Tensor = torch.Tensor

MARGIN = 0.3  # around what is occupied, in its own longest side
WHOLE = 0.85  # a window that takes more of a picture's sides than this is all of it


@dataclass(frozen=True)
class Window:
    """A part of a picture, in pixels.

    Attributes:
        top, left: its first row and column.
        height, width: how many there are.
    """

    top: int
    left: int
    height: int
    width: int

    def of(self, picture: Tensor) -> Tensor:
        """This part of a picture [H,W,...]."""
        return picture[self.top : self.top + self.height, self.left : self.left + self.width]


def windows_on(occupied: Iterable[Tensor]) -> list[Window]:
    """Windows of one size, in the pictures' proportions, on what is occupied in each of them, with some room around.

    Args:
        occupied: [H,W] bool of each; a picture without any gets a window in its middle.
    """
    boxes, height, width = [], 1, 1
    for picture in occupied:  # one at a time: all of them may be large
        height, width = picture.shape
        boxes.append(_box(picture))
    share = max((max((b - t) / height, (r - x) / width) for t, b, x, r in boxes), default=1.0) * (1 + MARGIN)
    if share > WHOLE:
        return [Window(0, 0, height, width)] * len(boxes)
    high, wide = max(1, math.ceil(share * height)), max(1, math.ceil(share * width))
    return [
        Window(_start((t + b) / 2, high, height), _start((x + r) / 2, wide, width), high, wide) for t, b, x, r in boxes
    ]


def _box(occupied: Tensor) -> tuple[int, int, int, int]:
    """First row, the one after the last, and the same of columns."""
    rows, columns = occupied.any(1).nonzero()[:, 0], occupied.any(0).nonzero()[:, 0]
    if not len(rows):
        height, width = occupied.shape
        return height // 2, height // 2, width // 2, width // 2
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _start(middle: float, count: int, whole: int) -> int:
    return min(max(round(middle - count / 2), 0), whole - count)


def through(camera: Cameras, window: Window, size: tuple[int, int]) -> Cameras:
    """A camera [1] that sees a window of another's picture, with `size` (H, W) pixels."""
    height, width = camera.size
    share = torch.tensor([window.width / width, window.height / height], dtype=torch.float64)
    middle = torch.tensor(
        [(2 * window.left + window.width) / width - 1, 1 - (2 * window.top + window.height) / height],
        dtype=torch.float64,
    )
    projection = camera.projection.clone()
    projection[:, :2] = (projection[:, :2] - middle[:, None] * projection[:, 3:]) / share[:, None]
    return Cameras(camera.world_to_camera, projection, size)


def calm_order(cameras: Cameras, count: int) -> list[int]:
    """The numbers of some views, spread around what they look at, in an order in which neighbours follow each other.

    Views are chosen as far from each other as can be, beginning with the first one; then each is followed by the
    nearest that has not been shown.

    Args:
        cameras: of the views.
        count: how many, at most.
    """
    off = standpoints(cameras) - common_point(cameras)[0]
    way = off / off.norm(dim=1, keepdim=True).clamp(min=1e-300)
    chosen, nearest = [0], (way - way[0]).norm(dim=1)
    while len(chosen) < min(count, len(way)):
        nearest[chosen] = -1.0
        chosen.append(int(nearest.argmax()))
        nearest = torch.minimum(nearest, (way - way[chosen[-1]]).norm(dim=1))
    order, left = [chosen[0]], chosen[1:]
    while left:
        here = way[order[-1]]
        order.append(min(left, key=lambda view: (round(float((way[view] - here).norm()), 6), view)))
        left.remove(order[-1])
    return order
