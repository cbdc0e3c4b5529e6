"""The pieces of the contours of all views on a GPU, in lists by pixel, and which of them are seen.

The bodies are those of the cpu backend. Segments first count how many pieces they may have, and then store them in rows
of their own; pieces count those that cross them, and are stored again. So rows do not depend on the order of threads,
though the order of lists does. See `invrender.backends.torch.pieces` and `sight`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numba import cuda, float64

from invrender.backends.cuda.bodies import blend, contour, sight
from invrender.backends.cuda.bodies import clip as cutting
from invrender.backends.cuda.bodies import pieces as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.silhouette import Outline, ends_on_screen, segment_at
from invrender.backends.cuda.target import kernel
from invrender.kernels import Size

Tensor = torch.Tensor

COLUMNS = bodies.COLUMNS
GUARD_PIXELS, PIECES, cut, is_safe = cutting.GUARD_PIXELS, cutting.PIECES, cutting.cut, cutting.is_safe
complete, count_crossings, cut_at_pixels, cut_mutually, room_for = (
    bodies.complete, bodies.count_crossings, bodies.cut_at_pixels, bodies.cut_mutually, bodies.room_for,
)  # fmt: skip
hold, hold_cut = sight.hold, sight.hold_cut
point, screen_x, screen_y, vertex_depth = contour.point, contour.screen_x, contour.screen_y, blend.vertex_depth


@dataclass(frozen=True)
class Lists:
    """Pieces of all views, as the bodies have them: head [N,H*W], and K rows of the rest.

    Attributes:
        head: [N,H*W] int32.
        following, pixel: [K] int32, the pixel in its view.
        segment: [K] int32, number of the segment among those of all views.
        values: [K,COLUMNS] float64.
    """

    head: Tensor
    following: Tensor
    pixel: Tensor
    segment: Tensor
    values: Tensor

    @property
    def arrays(self) -> tuple[Tensor, ...]:
        """As kernels take them."""
        return self.head, self.following, self.pixel, self.segment, self.values


def given(shape: Outline, size: Size) -> tuple[Any, ...]:
    """What kernels over segments begin with."""
    return (shape.clip, *shape.mesh, shape.facing, *size)


def contour_pieces(shape: Outline, size: Size) -> Lists:
    """All pieces, each in one pixel and crossed by no other."""
    counts = torch.zeros(shape.segments, dtype=torch.int32, device=shape.clip.device)
    launch(_count, shape.segments, *given(shape, size), counts)
    whole = _lists(shape, size, int(counts.sum()))
    launch(_cut, shape.segments, *given(shape, size), _starts(counts), *whole.arrays)
    counts = torch.zeros_like(whole.pixel)
    launch(_count_parts, len(counts), *given(shape, size), *whole.arrays, counts)
    parts = _lists(shape, size, int(counts.sum()))
    launch(_cut_again, len(counts), *given(shape, size), *whole.arrays, _starts(counts), *parts.arrays)
    launch(_complete, len(parts.pixel), *given(shape, size), *parts.arrays)
    return parts


def look(shape: Outline, size: Size, found: Lists) -> Tensor:
    """Hold all faces against the pieces; gives the vertices on the screen and their depth [N,3,V] float64."""
    views, count = shape.clip.shape[:2]
    screen = torch.empty(views, 3, count, dtype=torch.float64, device=shape.clip.device)
    safe = torch.empty(views, count, dtype=torch.int8, device=shape.clip.device)
    launch(_project, views * count, shape.clip, *size, screen, safe)
    sums = torch.zeros(views, size[0] + 1, size[1] + 1, dtype=torch.int32, device=shape.clip.device)
    occupied = (found.head >= 0).reshape(views, *size)
    sums[:, 1:, 1:] = occupied.cumsum(1).cumsum(2)
    faces = shape.mesh[0]
    launch(
        _look, views * len(faces), shape.clip, faces, *size, screen, safe, sums.flatten(1), found.head,
        found.following, found.values,
    )  # fmt: skip
    return screen


def _lists(shape: Outline, size: Size, room: int) -> Lists:
    def fresh(*extent: int) -> Tensor:
        return torch.full(extent, -1, dtype=torch.int32, device=shape.clip.device)

    values = torch.zeros(room, COLUMNS, dtype=torch.float64, device=shape.clip.device)
    return Lists(fresh(len(shape.clip), size[0] * size[1]), fresh(room), fresh(room), fresh(room), values)


def _starts(counts: Tensor) -> Tensor:
    return counts.cumsum(0) - counts


@kernel
def _count(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int, counts: Any
) -> None:
    i = cuda.grid(1)
    view, _, a, pa, b, pb, coefficient = segment_at(i, clip, faces, edges, edge_faces, signs, facing)
    if coefficient != 0:
        ax, ay, bx, by = ends_on_screen(clip[view], a, pa, b, pb, 0, height, width)
        counts[i] = room_for(ax, ay, bx, by, height, width)


@kernel
def _cut(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    start: Any, head: Any, following: Any, pixel: Any, segment: Any, values: Any,
) -> None:  # fmt: skip
    i = cuda.grid(1)
    view, _, a, pa, b, pb, coefficient = segment_at(i, clip, faces, edges, edge_faces, signs, facing)
    if coefficient != 0:
        ax, ay, bx, by = ends_on_screen(clip[view], a, pa, b, pb, 0, height, width)
        cut_at_pixels(
            i, ax, ay, bx, by, height, width, start[i], head[view], following, pixel, segment, values
        )  # fmt: skip


@kernel
def _count_parts(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    head: Any, following: Any, pixel: Any, segment: Any, values: Any, counts: Any,
) -> None:  # fmt: skip
    k = cuda.grid(1)
    if k < pixel.shape[0] and pixel[k] >= 0:
        view = segment[k] // (faces.shape[0] + edges.shape[0])
        counts[k] = 1 + count_crossings(k, head[view, pixel[k]], following, values)


@kernel
def _cut_again(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    head: Any, following: Any, pixel: Any, segment: Any, values: Any, start: Any,
    new_head: Any, new_following: Any, new_pixel: Any, new_segment: Any, new_values: Any,
) -> None:  # fmt: skip
    k = cuda.grid(1)
    if k < pixel.shape[0] and pixel[k] >= 0:
        view = segment[k] // (faces.shape[0] + edges.shape[0])
        cut_mutually(
            k, start[k], head[view, pixel[k]], following, pixel, segment, values,
            new_head[view], new_following, new_pixel, new_segment, new_values,
        )  # fmt: skip


@kernel
def _complete(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    head: Any, following: Any, pixel: Any, segment: Any, values: Any,
) -> None:  # fmt: skip
    k = cuda.grid(1)
    if k >= pixel.shape[0]:
        return
    view, _, a, pa, b, pb, coefficient = segment_at(segment[k], clip, faces, edges, edge_faces, signs, facing)
    ax, ay, bx, by = ends_on_screen(clip[view], a, pa, b, pb, 0, height, width)
    _, _, za, wa = point(clip[view], a, pa)
    _, _, zb, wb = point(clip[view], b, pb)
    complete(values[k], pixel[k], ax, ay, bx, by, za / wa, zb / wb, coefficient > 0, width)


@kernel
def _project(clip: Any, height: int, width: int, screen: Any, safe: Any) -> None:
    i = cuda.grid(1)
    if i >= clip.shape[0] * clip.shape[1]:
        return
    view, v = i // clip.shape[1], i % clip.shape[1]
    x, y, z, w = point(clip[view], v, -1)
    screen[view, 0, v], screen[view, 1, v] = screen_x(x, w, 0.5 * width), screen_y(y, w, 0.5 * height)
    screen[view, 2, v] = vertex_depth(clip[view], v)
    safe[view, v] = is_safe(x, y, z, w, 2 * GUARD_PIXELS / width, 2 * GUARD_PIXELS / height)


@kernel
def _look(
    clip: Any, faces: Any, height: int, width: int, screen: Any, safe: Any, sums: Any, head: Any, following: Any,
    values: Any,
) -> None:  # fmt: skip
    i = cuda.grid(1)
    if i >= clip.shape[0] * faces.shape[0]:
        return
    view, f = i // faces.shape[0], i % faces.shape[0]
    a, b, c = faces[f, 0], faces[f, 1], faces[f, 2]
    if safe[view, a] and safe[view, b] and safe[view, c]:
        x, y, z = screen[view, 0], screen[view, 1], screen[view, 2]
        hold(
            x[a], y[a], z[a], x[b], y[b], z[b], x[c], y[c], z[c], sums[view], height, width, head[view], following,
            values,
        )  # fmt: skip
        return
    work = cuda.local.array((2, PIECES, 3, 4), float64)
    for k in range(3):
        for axis in range(4):
            work[0, 0, k, axis] = clip[view, faces[f, k], axis]
    hold_cut(work, cut(work, height, width), sums[view], height, width, head[view], following, values)
