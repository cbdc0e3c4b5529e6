"""The pieces of contours on a Vulkan device: each in one pixel and crossed by no other, and which of them are seen.

Shaders count before they store, and the host sorts and adds up, so that nothing depends on the order of threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.torch.cut import GUARD_PIXELS, project, screen_triangles
from invrender.backends.vulkan.contour import Mesh, segments, starts
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload, zeros
from invrender.kernels import Size

Tensor = torch.Tensor

SHADER = "antialias_pieces"

PIECE = np.dtype((np.float64, 12))  # the shaders' `Piece`


@dataclass(frozen=True)
class Pieces:
    """Pieces in the order of their pixels.

    Attributes:
        given: what shaders of contours and pieces take.
        count: of pieces.
    """

    given: dict[str, Any]
    count: int


def contour_pieces(vulkan: Vulkan, mesh: Mesh, clip: Tensor, faces: Tensor, size: Size) -> Pieces:
    """The pieces in views of clip positions [N,V,4], held against all faces [F,3]."""
    given, listed, number = segments(vulkan, mesh, upload(vulkan, clip, np.float64), len(clip), size)
    crossed, pixel = _by_pixel(vulkan, given, np.sort(download(vulkan, listed, (number,), np.uint32)), len(clip))
    counts = empty(vulkan, crossed.count, np.uint32)
    compute(vulkan, (SHADER, "count_parts"), crossed.count, counts=counts, **crossed.given)
    start = starts(download(vulkan, counts, (crossed.count,), np.uint32))
    total = int(start[-1])
    parts = _stored(vulkan, total)
    sight = {name: empty(vulkan, total, np.uint32) for name in ("behind", "hidden")}
    compute(
        vulkan, (SHADER, "part"), crossed.count, start=upload(vulkan, start, np.uint32), parts=parts["piece"],
        part_pixel=parts["pixel"], part_segment=parts["segment"], **sight, **crossed.given,
    )  # fmt: skip
    found = _marked(vulkan, given | sight, parts, total, len(clip))
    _look(vulkan, found, clip, faces, size, pixel)
    return found


def _by_pixel(vulkan: Vulkan, given: dict[str, Any], listed: NDArray[np.uint32], views: int) -> tuple[Pieces, Tensor]:
    """The pieces of segments between borders of pixels, and their pixels [K] int64."""
    listed_buffer, counts = upload(vulkan, listed, np.uint32), empty(vulkan, len(listed), np.uint32)
    compute(vulkan, (SHADER, "count"), len(listed), listed=listed_buffer, counts=counts, **given)
    start = starts(download(vulkan, counts, (len(listed),), np.uint32))
    cut = _stored(vulkan, int(start[-1]))
    compute(
        vulkan, (SHADER, "cut"), len(listed), listed=listed_buffer, start=upload(vulkan, start, np.uint32),
        **cut, **given,
    )  # fmt: skip
    pixel = torch.from_numpy(download(vulkan, cut["pixel"], (int(start[-1]),), np.int32)).long()
    order = torch.argsort(pixel, stable=True)
    order = order[pixel[order] >= 0]
    sorted_ = _stored(vulkan, len(order))
    compute(
        vulkan, (SHADER, "gather"), len(order), order=upload(vulkan, order, np.uint32), parts=sorted_["piece"],
        part_pixel=sorted_["pixel"], part_segment=sorted_["segment"], **cut, **given,
    )  # fmt: skip
    return _marked(vulkan, given, sorted_, len(order), views), pixel[order]


def _stored(vulkan: Vulkan, count: int) -> dict[str, Any]:
    """Room for pieces."""
    return {
        "piece": empty(vulkan, count, PIECE),
        "pixel": empty(vulkan, count, np.int32),
        "segment": empty(vulkan, count, np.uint32),
    }


def _marked(vulkan: Vulkan, given: dict[str, Any], stored: dict[str, Any], count: int, views: int) -> Pieces:
    """Pieces that pixels can find."""
    head = zeros(vulkan, views * given["rows"] * given["columns"], np.uint32)
    found = Pieces({**given, **stored, "head": head, "piece_count": count}, count)
    compute(vulkan, (SHADER, "mark"), count, **found.given)
    return found


def _look(vulkan: Vulkan, found: Pieces, clip: Tensor, faces: Tensor, size: Size, pixel: Tensor) -> None:
    """Hold all faces against the pieces, which lie in those pixels."""
    views, count = len(clip), len(faces)
    items = views * count if found.count else 0
    occupied = torch.zeros(views * size[0] * size[1], dtype=torch.int32)
    occupied[pixel] = 1
    sums = torch.zeros(views, size[0] + 1, size[1] + 1, dtype=torch.int32)
    sums[:, 1:, 1:] = occupied.reshape(views, *size).cumsum(1).cumsum(2)
    given = {**found.given, "sums": upload(vulkan, sums, np.int32)}
    left, number = empty(vulkan, items, np.uint32), zeros(vulkan, 1, np.uint32)
    compute(vulkan, (SHADER, "look"), items, left=left, left_count=number, guard=GUARD_PIXELS, **given)
    cut = int(download(vulkan, number, (1,), np.uint32)[0])
    if cut:
        item = torch.from_numpy(download(vulkan, left, (cut,), np.uint32).astype(np.int64))
        corner, view, _ = screen_triangles(project(clip.cpu(), size), faces.cpu(), item // count, item % count)
        corners = {"corner": upload(vulkan, corner, np.float64), "corner_view": upload(vulkan, view, np.uint32)}
        compute(vulkan, (SHADER, "look_cut"), len(view), **corners, **given)
