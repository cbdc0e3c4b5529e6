"""Antialiased silhouettes on a GPU: crossings are counted, stored by scanline, and sorted and swept along each of them.

The algorithm is that of `invrender.backends.torch.silhouette`; ends of intervals keep the index of their crossing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from numba import cuda

from invrender.backends.cuda.bodies import contour as bodies
from invrender.backends.cuda.launch import launch, packed_mesh
from invrender.backends.cuda.target import device, kernel
from invrender.kernels import Size
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

before_centre, crossing_t, line_after, pixel_of = (
    bodies.before_centre, bodies.crossing_t, bodies.line_after, bodies.pixel_of,
)  # fmt: skip
face_orientation, point, ndc_adjoint, segment_of, sort_line = (
    bodies.face_orientation, bodies.point, bodies.ndc_adjoint, bodies.segment_of, bodies.sort_line,
)  # fmt: skip
screen_x, screen_y = bodies.screen_x, bodies.screen_y


@dataclass(frozen=True)
class Outline:
    """Views of a mesh, prepared: clip [N,V,4], the mesh as int32, and the faces' orientations [N,F+1] (0 for none)."""

    clip: Tensor
    mesh: tuple[Tensor, Tensor, Tensor, Tensor]
    facing: Tensor

    @property
    def segments(self) -> int:
        """Segment numbers of all views together."""
        return len(self.clip) * (len(self.mesh[0]) + len(self.mesh[1]))


@dataclass(frozen=True)
class Tape:
    """Ends of visible intervals, at the indices of their crossings.

    Attributes:
        outline, size: what was drawn.
        pixel: [K] int64 flat index into [N,H,W]; -1 where a crossing ends nothing.
        segment: [K] int32 number of the segment in its view.
        share: [K,4] d coverage / d position of both ends along the scanline, the slope, and the axis of the line.
    """

    outline: Outline
    size: Size
    pixel: Tensor
    segment: Tensor
    share: Tensor


def outline(clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> Outline:
    """Orientations of all faces in all views."""
    clip = clip.detach().contiguous()
    facing = torch.zeros(len(clip), len(faces) + 1, dtype=torch.int8, device=clip.device)
    mesh = packed_mesh(faces, topology, clip.shape[1])
    launch(_orient, len(clip) * len(faces), clip, mesh[0], size[0], size[1], facing)
    return Outline(clip, mesh, facing)


def silhouette(clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> Tensor:
    """Coverage [N,H,W] of clip positions [N,V,4]."""
    return silhouette_taped(clip, faces, topology, size)[0]


def silhouette_taped(clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> tuple[Tensor, Tape]:
    """Coverage [N,H,W] of clip's dtype from clip [N,V,4], and the adjoint's tape."""
    shape = outline(clip, faces, topology, size)
    height, width = size
    lines = len(clip) * (height + width)
    image = torch.zeros(len(clip), height, width, dtype=clip.dtype, device=clip.device)
    counts = torch.zeros(lines, dtype=torch.int32, device=clip.device)
    given = (shape.clip, *shape.mesh, shape.facing, height, width)
    launch(_count, shape.segments, *given, counts)
    start = torch.zeros(lines + 1, dtype=torch.int64, device=clip.device)
    start[1:] = counts.cumsum(0)
    total = int(start[-1])
    room = max(total, 1)
    position, amount = torch.empty(2, room, dtype=torch.float64, device=clip.device)
    segment, layers = torch.empty(2, room, dtype=torch.int32, device=clip.device)
    pixel = torch.full((room,), -1, dtype=torch.int64, device=clip.device)
    share = torch.zeros(room, 4, dtype=torch.float64, device=clip.device)
    counts.zero_()
    launch(_store, shape.segments if total else 0, *given, start, counts, position, segment, layers)
    launch(_sweep, lines if total else 0, *given, start, position, segment, layers, image, pixel, share, amount)
    launch(_resolve_centres, total, image.reshape(-1), pixel, amount)
    launch(_correct, total, image.reshape(-1), pixel, amount)
    return image, Tape(shape, size, pixel, segment, share)


def silhouette_adjoint(grad: Tensor, tape: Tape) -> Tensor:
    """d clip [N,V,4] from d coverage [N,H,W]."""
    shape = tape.outline
    d_clip = torch.zeros_like(shape.clip)
    given = (shape.clip, *shape.mesh, shape.facing, tape.size[0], tape.size[1])
    flat = grad.to(d_clip.dtype).contiguous().reshape(-1)
    launch(_draw_adjoint, len(tape.pixel), *given, flat, tape.pixel, tape.segment, tape.share, d_clip)
    return d_clip


@kernel
def _orient(clip: Any, faces: Any, height: int, width: int, facing: Any) -> None:
    i = cuda.grid(1)
    if i < clip.shape[0] * faces.shape[0]:
        view, face = i // faces.shape[0], i % faces.shape[0]
        facing[view, face] = face_orientation(
            clip[view], faces[face, 0], faces[face, 1], faces[face, 2], 0.5 * width, 0.5 * height
        )


@device
def segment_at(
    i: int, clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any
) -> tuple[int, int, int, int, int, int, int]:
    """View of the i-th segment of all views, its number there, and what `segment_of` says; 0 layers past the last."""
    items = faces.shape[0] + edges.shape[0]
    if i >= clip.shape[0] * items:
        return 0, 0, 0, 0, 0, 0, 0
    view, item = i // items, i % items
    a, partner_a, b, partner_b, coefficient = segment_of(
        item, clip[view], faces, edges, edge_faces, signs, facing[view]
    )
    return view, item, a, partner_a, b, partner_b, coefficient


@device
def ends_on_screen(
    clip: Any, a: int, partner_a: int, b: int, partner_b: int, axis: int, height: int, width: int
) -> tuple[float, float, float, float]:
    """Of both ends of a segment the coordinates along and across the scanlines of an axis: along, across, along, ..."""
    xa, ya, _, wa = point(clip, a, partner_a)
    xb, yb, _, wb = point(clip, b, partner_b)
    sxa, sya = screen_x(xa, wa, 0.5 * width), screen_y(ya, wa, 0.5 * height)
    sxb, syb = screen_x(xb, wb, 0.5 * width), screen_y(yb, wb, 0.5 * height)
    if axis == 0:
        return sxa, sya, sxb, syb
    return sya, sxa, syb, sxb


@kernel
def _count(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int, counts: Any
) -> None:
    """Crossings per line [N (H + W)], each view's rows before its columns."""
    view, _, a, pa, b, pb, coefficient = segment_at(cuda.grid(1), clip, faces, edges, edge_faces, signs, facing)
    if coefficient == 0:
        return
    own = clip[view]
    for axis in range(2):
        lines = height if axis == 0 else width
        _, begin, _, end = ends_on_screen(own, a, pa, b, pb, axis, height, width)
        first = view * (height + width) + axis * height
        for line in range(line_after(min(begin, end), lines), line_after(max(begin, end), lines)):
            cuda.atomic.add(counts, first + line, 1)


@kernel
def _store(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    start: Any, stored: Any, position: Any, segment: Any, layers: Any,
) -> None:  # fmt: skip
    """Store every crossing with its line, in any order."""
    view, item, a, pa, b, pb, coefficient = segment_at(cuda.grid(1), clip, faces, edges, edge_faces, signs, facing)
    if coefficient == 0:
        return
    own = clip[view]
    for axis in range(2):
        lines = height if axis == 0 else width
        along, begin, along_end, end = ends_on_screen(own, a, pa, b, pb, axis, height, width)
        rise = end - begin
        change = coefficient if (rise > 0.0) == (axis == 0) else -coefficient
        first = view * (height + width) + axis * height
        for line in range(line_after(min(begin, end), lines), line_after(max(begin, end), lines)):
            k = start[first + line] + cuda.atomic.add(stored, first + line, 1)
            position[k] = along + crossing_t(line, begin, rise) * (along_end - along)
            segment[k], layers[k] = item, change


@kernel
def _sweep(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    start: Any, position: Any, segment: Any, layers: Any, image: Any, pixel: Any, share: Any, amount: Any,
) -> None:  # fmt: skip
    """One line per thread: sort its crossings, find where the union begins and ends, fill rows at pixel centres."""
    i = cuda.grid(1)
    if i >= clip.shape[0] * (height + width):
        return
    view, line = i // (height + width), i % (height + width)
    axis = 0 if line < height else 1
    line -= axis * height
    length = width if axis == 0 else height
    own = clip[view]
    sort_line(position, layers, segment, start[i], start[i + 1])
    count, opened = 0, 0
    for k in range(start[i], start[i + 1]):
        before, count = count, count + layers[k]
        begins = count > 0
        if (before > 0) == begins:
            continue
        if axis == 0:
            right = line_after(position[k], length)
            if begins:
                opened = right
            else:
                for column in range(opened, right):
                    image[view, line, column] = 1.0
        at = pixel_of(position[k], length)
        if at < 0 or at >= length:
            continue
        a, pa, b, pb, _ = segment_of(segment[k], own, faces, edges, edge_faces, signs, facing[view])
        along, begin, along_end, end = ends_on_screen(own, a, pa, b, pb, axis, height, width)
        slope, t = (along_end - along) / (end - begin), crossing_t(line, begin, end - begin)
        sign = 1.0 if begins else -1.0
        weight, gap = 1.0 / (1.0 + slope * slope), before_centre(position[k])
        row, column = (line, at) if axis == 0 else (at, line)
        pixel[k] = (view * height + row) * width + column
        share[k, 0], share[k, 1] = -sign * weight * (1.0 - t), -sign * weight * t
        share[k, 2], share[k, 3] = slope, axis
        # On a centre, rows decide whether it is inside and columns follow: `_resolve_centres` reads the pixel.
        amount[k] = weight + 1.0 if gap == 0.0 else sign * (gap - 0.5) * weight


@kernel
def _resolve_centres(image: Any, pixel: Any, amount: Any) -> None:
    """Amounts above 1 stand for ends on a centre, of weight amount - 1."""
    k = cuda.grid(1)
    if k < pixel.shape[0] and pixel[k] >= 0 and amount[k] > 1.0:
        amount[k] = (amount[k] - 1.0) * (0.5 - image[pixel[k]])


@kernel
def _correct(image: Any, pixel: Any, amount: Any) -> None:
    """Correct point samples to coverage."""
    k = cuda.grid(1)
    if k < pixel.shape[0] and pixel[k] >= 0:
        cuda.atomic.add(image, pixel[k], amount[k])


@kernel
def _draw_adjoint(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    grad: Any, pixel: Any, segment: Any, share: Any, d_clip: Any,
) -> None:  # fmt: skip
    k = cuda.grid(1)
    if k >= pixel.shape[0] or pixel[k] < 0:
        return
    view = pixel[k] // (height * width)
    own = clip[view]
    a, pa, b, pb, _ = segment_of(segment[k], own, faces, edges, edge_faces, signs, facing[view])
    for end in range(2):
        along = grad[pixel[k]] * share[k, end]
        across = -share[k, 2] * along
        d_x, d_y = (along, across) if share[k, 3] == 0.0 else (across, along)
        vertex, partner = (a, pa) if end == 0 else (b, pb)
        ndc_adjoint(own, vertex, partner, d_x * (0.5 * width), d_y * (-0.5 * height), d_clip[view])
