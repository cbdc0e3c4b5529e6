"""Antialiasing of images on a GPU, in three passes over the crossings of every contour segment.

The first finds, for each pixel pair, the greatest distance of a crossing from the inner pixel; the second resolves ties
by the lowest number; and the third blends, or propagates gradients backwards. See `invrender.backends.torch.antialias`.
"""

from __future__ import annotations

from typing import Any

import torch
from numba import cuda

from invrender.backends.cuda.bodies import blend as bodies
from invrender.backends.cuda.bodies import contour
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.silhouette import Outline, ends_on_screen, outline, segment_at
from invrender.backends.cuda.target import device, kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

KINDS, is_seen, pair_of = bodies.KINDS, bodies.is_seen, bodies.pair_of
crossing_t, line_after, point = contour.crossing_t, contour.line_after, contour.point
ndc_adjoint = contour.ndc_adjoint

NO_OWNER = 2**62


def antialias(image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> Tensor:
    """Image [N,H,W,C] blended across silhouettes and depth discontinuities; see the torch backend's `antialias`."""
    shape, claims = _claims(face_id, depth, clip, faces, topology)
    blended = image.detach().clone(memory_format=torch.contiguous_format)
    given = (*_given(shape, face_id), *claims)
    launch(_blend, shape.segments, *given, image.contiguous().flatten(1, 2), blended.flatten(1, 2))
    return blended


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]."""
    shape, claims = _claims(face_id, depth, clip, faces, topology)
    grad = grad.to(image.dtype).contiguous()
    d_image, d_clip = grad.clone(), torch.zeros_like(shape.clip)
    given = (*_given(shape, face_id), *claims, grad.flatten(1, 2), image.contiguous().flatten(1, 2))
    launch(_blend_adjoint, shape.segments, *given, d_image.flatten(1, 2), d_clip)
    return d_image, d_clip


def _given(shape: Outline, face_id: Tensor) -> tuple[Any, ...]:
    return (shape.clip, *shape.mesh, shape.facing, face_id.shape[1], face_id.shape[2])


def _claims(
    face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Outline, tuple[Tensor, Tensor]]:
    """For both axes and every pixel as the first of its pair: the greatest distance and its owner, [N,2,HW]."""
    views, height, width = face_id.shape
    shape = outline(clip, faces, topology, (height, width))
    size = (views, 2, height * width)
    furthest = torch.full(size, -torch.inf, dtype=torch.float64, device=clip.device)
    owner = torch.full(size, NO_OWNER, dtype=torch.int64, device=clip.device)
    seen = (face_id.contiguous().flatten(1), depth.to(clip.dtype).contiguous().flatten(1))
    for phase in range(2):
        launch(_claim, shape.segments, *_given(shape, face_id), *seen, phase, furthest, owner)
    return shape, (furthest, owner)


@device
def entry_of(kind: int, item: int, faces: Any, edges: Any) -> int:
    """A number for a segment and the kind of its pixel pair: the lowest wins a tie."""
    segments: int = faces.shape[0] + edges.shape[0]
    return kind * segments + item


@device
def pair_at(
    position: float, kind: int, axis: int, line: int, height: int, width: int, begins: bool
) -> tuple[int, int, int]:
    """The first pixel of the pair that a crossing may blend, and the pair's inner and outer pixel; -1 for no pair."""
    length, stride = (width, 1) if axis == 0 else (height, width)
    low = pair_of(position, kind, length)
    if low < 0:
        return -1, -1, -1
    pixel = line * width + low if axis == 0 else low * width + line
    return (pixel, pixel + stride, pixel) if begins else (pixel, pixel, pixel + stride)


@device
def offset_of(position: float, pixel: int, axis: int, width: int, begins: bool) -> float:
    """Distance from the inner pixel to a crossing of the pair whose first pixel is given."""
    low = pixel % width if axis == 0 else pixel // width
    return 1.0 - (position - (low + 0.5)) if begins else position - (low + 0.5)


@kernel
def _claim(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    face_id: Any, depth: Any, phase: int, furthest: Any, owner: Any,
) -> None:  # fmt: skip
    view, item, a, pa, b, pb, coefficient = segment_at(cuda.grid(1), clip, faces, edges, edge_faces, signs, facing)
    if coefficient == 0:
        return
    own, ids, depths = clip[view], face_id[view], depth[view]
    _, _, za, wa = point(own, a, pa)
    _, _, zb, wb = point(own, b, pb)
    for axis in range(2):
        lines = height if axis == 0 else width
        along, begin, along_end, end = ends_on_screen(own, a, pa, b, pb, axis, height, width)
        rise = end - begin
        begins = ((coefficient > 0) == (rise > 0.0)) == (axis == 0)
        for line in range(line_after(min(begin, end), lines), line_after(max(begin, end), lines)):
            t = crossing_t(line, begin, rise)
            position = along + t * (along_end - along)
            for kind in range(KINDS):
                pixel, inner, outer = pair_at(position, kind, axis, line, height, width, begins)
                if pixel < 0:
                    continue
                d = offset_of(position, pixel, axis, width, begins)
                if d < furthest[view, axis, pixel]:
                    continue
                x, y = (position, line + 0.5) if axis == 0 else (line + 0.5, position)
                edge_depth = za / wa + t * (zb / wb - za / wa)
                if is_seen(inner, outer, x, y, edge_depth, own, faces, ids, depths, height, width):
                    if phase == 0:
                        cuda.atomic.max(furthest, (view, axis, pixel), d)
                    else:
                        cuda.atomic.min(owner, (view, axis, pixel), entry_of(kind, item, faces, edges))


@kernel
def _blend(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    furthest: Any, owner: Any, image: Any, blended: Any,
) -> None:  # fmt: skip
    view, item, a, pa, b, pb, coefficient = segment_at(cuda.grid(1), clip, faces, edges, edge_faces, signs, facing)
    if coefficient == 0:
        return
    own, source, target = clip[view], image[view], blended[view]
    for axis in range(2):
        lines = height if axis == 0 else width
        along, begin, along_end, end = ends_on_screen(own, a, pa, b, pb, axis, height, width)
        rise, run = end - begin, along_end - along
        begins = ((coefficient > 0) == (rise > 0.0)) == (axis == 0)
        for line in range(line_after(min(begin, end), lines), line_after(max(begin, end), lines)):
            position = along + crossing_t(line, begin, rise) * run
            for kind in range(KINDS):
                pixel, inner, outer = pair_at(position, kind, axis, line, height, width, begins)
                if pixel < 0 or owner[view, axis, pixel] != entry_of(kind, item, faces, edges):
                    continue
                d = furthest[view, axis, pixel]
                amount = (d - 0.5) / (1.0 + (run / rise) * (run / rise))
                changed = outer if d > 0.5 else inner
                for channel in range(source.shape[1]):
                    difference = source[inner, channel] - source[outer, channel]
                    cuda.atomic.add(target, (changed, channel), amount * difference)


@kernel
def _blend_adjoint(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    furthest: Any, owner: Any, grad: Any, image: Any, d_image: Any, d_clip: Any,
) -> None:  # fmt: skip
    view, item, a, pa, b, pb, coefficient = segment_at(cuda.grid(1), clip, faces, edges, edge_faces, signs, facing)
    if coefficient == 0:
        return
    own, channels = clip[view], image.shape[2]
    source, incoming, outgoing = image[view], grad[view], d_image[view]
    for axis in range(2):
        lines = height if axis == 0 else width
        along, begin, along_end, end = ends_on_screen(own, a, pa, b, pb, axis, height, width)
        rise, run = end - begin, along_end - along
        slope = run / rise
        weight = 1.0 / (1.0 + slope * slope)
        begins = ((coefficient > 0) == (rise > 0.0)) == (axis == 0)
        for line in range(line_after(min(begin, end), lines), line_after(max(begin, end), lines)):
            t = crossing_t(line, begin, rise)
            position = along + t * run
            for kind in range(KINDS):
                pixel, inner, outer = pair_at(position, kind, axis, line, height, width, begins)
                if pixel < 0 or owner[view, axis, pixel] != entry_of(kind, item, faces, edges):
                    continue
                d = furthest[view, axis, pixel]
                changed = outer if d > 0.5 else inner
                d_amount = 0.0
                for channel in range(channels):
                    d_changed = incoming[changed, channel]
                    cuda.atomic.add(outgoing, (inner, channel), weight * (d - 0.5) * d_changed)
                    cuda.atomic.add(outgoing, (outer, channel), -weight * (d - 0.5) * d_changed)
                    d_amount += d_changed * (source[inner, channel] - source[outer, channel])
                d_position = -d_amount * weight if begins else d_amount * weight
                for end_number in range(2):
                    d_along = d_position * ((1.0 - t) if end_number == 0 else t)
                    d_across = -slope * d_along
                    d_x, d_y = (d_along, d_across) if axis == 0 else (d_across, d_along)
                    vertex, partner = (a, pa) if end_number == 0 else (b, pb)
                    ndc_adjoint(own, vertex, partner, d_x * (0.5 * width), d_y * (-0.5 * height), d_clip[view])
