"""Antialiasing of images on the CPU: one pass per view over its contour, its faces, and the pixels of its contour.

The algorithm is that of `invrender.backends.torch.antialias`. The adjoint looks for the blends again: that costs less
than keeping them would.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.blend import MISJUDGED, neighbour, side_of
from invrender.backends.bodies.contour import ndc_adjoint
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import packed_mesh, to_numpy
from invrender.backends.cpu.contour import Contour, Floats, Ints, Signs, contour, workspace
from invrender.backends.cpu.memory import empty
from invrender.backends.cpu.pieces import AREA, BEGIN, BEHIND, END, OUT_X, OUT_Y, OWN, Pieces, X, Y, look, view_pieces
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Ids = NDArray[np.int64]
Blends: TypeAlias = tuple[int, Ints, Floats, Ints, Pieces, Contour]
"""Of one view: their number; pixels [K,4] (the one that changes, inner, outer, and the role of the first: 1 for inner,
-1 for outer, 0 for neither); amounts [K]; the blend of each piece [P], -1 for none; the pieces; the contour."""

TARGET, INNER, OUTER, ROLE = range(4)
PLACES = 3  # neighbours that are asked for a colour on either side


def antialias(image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> Tensor:
    """Image [N,H,W,C] blended across silhouettes and depth discontinuities; see the torch backend's `antialias`."""
    blended = empty(image.shape, image.dtype)
    seen = _seen(face_id, depth, clip, faces, topology)
    parallel_for(partial(_apply, *seen, to_numpy(image), blended.numpy()), len(clip))
    return blended


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]."""
    d_image, d_clip = empty(image.shape, image.dtype), empty(tuple(clip.shape), clip.dtype)
    seen = _seen(face_id, depth, clip, faces, topology)
    given = (to_numpy(image), to_numpy(grad.to(image.dtype)))
    parallel_for(partial(_apply_adjoint, *seen, *given, d_image.numpy(), d_clip.numpy()), len(clip))
    return d_image, d_clip


def _seen(
    face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[NDArray[np.generic], ...]:
    mesh = packed_mesh(faces, topology, clip.shape[1])
    return to_numpy(clip), *mesh, to_numpy(face_id), to_numpy(depth.to(clip.dtype))


@device
def _find(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, face_id: Ids, depth: Floats,
    screen: Floats, facing: Signs, chosen: Ints,
) -> Blends:  # fmt: skip
    """The blends of one view, with face_id and depth [H,W]."""
    height, width = face_id.shape
    outline = contour(clip, faces, edges, edge_faces, signs, height, width, screen, facing, chosen)
    pieces = view_pieces(outline, clip, height, width)
    look(outline, clip, faces, height, width, pieces)
    head, following, pixel, _, values = pieces
    room = len(pixel)
    chosen_pixels, amounts = np.empty((room, 4), np.int32), np.zeros(room, np.float64)
    owner, place = np.empty(room, np.int32), np.empty(4, np.int32)
    ids, z = face_id.reshape(-1), depth.reshape(-1)
    count = 0
    for k in range(room):
        if following[k] >= 0:  # only the first piece of each pixel ends its list
            continue
        first_blend, first = count, head[pixel[k]]
        normal_x, normal_y, single = _mean_normal(first, following, values)
        j = first
        while j >= 0:
            owner[j] = -1
            if values[j, OWN] > -np.inf:
                way_x = normal_x if single else values[j, OUT_X]
                way_y = normal_y if single else values[j, OUT_Y]
                if _place(pixel[j], way_x, way_y, values[j], clip, faces, ids, z, height, width, place):
                    owner[j] = _blend_like(place, chosen_pixels, first_blend, count)
                    count = max(count, owner[j] + 1)
                    amounts[owner[j]] += values[j, AREA]
            j = following[j]
        for blend in range(first_blend, count):
            role = chosen_pixels[blend, ROLE]
            amount = -amounts[blend] if role == 1 else amounts[blend]
            amounts[blend] = amount + 1.0 if role != 0 and amount < MISJUDGED else amount
    return count, chosen_pixels, amounts, owner, pieces, outline


@device
def _mean_normal(first: int, following: Ints, values: Floats) -> tuple[float, float, bool]:
    """Sum of the normals of a pixel's seen pieces, and whether they agree."""
    x, y, length = 0.0, 0.0, 0.0
    j = first
    while j >= 0:
        if values[j, OWN] > -np.inf:
            x, y = x + values[j, OUT_X], y + values[j, OUT_Y]
            length += np.sqrt(values[j, OUT_X] * values[j, OUT_X] + values[j, OUT_Y] * values[j, OUT_Y])
        j = following[j]
    return x, y, np.sqrt(x * x + y * y) >= 0.5 * length


@device
def _place(
    pixel: int, way_x: float, way_y: float, piece: Floats, clip: Floats, faces: Ints, face_id: Ids, depth: Floats,
    height: int, width: int, place: Ints,
) -> bool:  # fmt: skip
    """Fill in the pixels of the blend that a piece takes part in; whether there are such."""
    role = side_of(pixel, piece[X], piece[Y], piece[OWN], piece[BEHIND], clip, faces, face_id, depth, height, width)
    place[TARGET], place[ROLE] = pixel, role
    for side in (-1, 1):
        found = -1
        for kind in range(PLACES):
            near = neighbour(pixel, kind, side, way_x, way_y, height, width)
            if near >= 0 and side == -side_of(
                near, piece[X], piece[Y], piece[OWN], piece[BEHIND], clip, faces, face_id, depth, height, width
            ):
                found = near
                break
        if found < 0 and role == -side:
            found = pixel
        if found < 0:
            return False
        place[INNER if side < 0 else OUTER] = found
    return True


@device
def _blend_like(place: Ints, pixels: Ints, first: int, count: int) -> int:
    """Number of the blend with these pixels among first ... count - 1, made if there is none."""
    for blend in range(first, count):
        same = pixels[blend, INNER] == place[INNER] and pixels[blend, OUTER] == place[OUTER]
        if same and pixels[blend, ROLE] == place[ROLE]:
            return blend
    for i in range(4):
        pixels[count, i] = place[i]
    return count


@device
def _copy(source: Floats, target: Floats) -> None:
    for i in range(len(source)):  # flat, so that it becomes one block copy
        target[i] = source[i]


@kernel
def _apply(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, face_id: Ids, depth: Floats,
    image: Floats, blended: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """Views first, first + step, ...: their pictures."""
    _, height, width, channels = image.shape
    scratch = workspace(clip.shape[1], len(faces), len(edges))
    for view in range(first, len(image), step):
        source, target = image[view].reshape(height * width, channels), blended[view].reshape(height * width, channels)
        _copy(image[view].reshape(-1), blended[view].reshape(-1))
        count, pixels, amounts, _, _, _ = _find(
            clip[view], faces, edges, edge_faces, signs, face_id[view], depth[view], *scratch
        )  # fmt: skip
        for k in range(count):
            here, inner, outer = pixels[k, TARGET], pixels[k, INNER], pixels[k, OUTER]
            by_outer, by_here = (1.0, -2.0) if pixels[k, ROLE] != 0 else (-1.0, 0.0)
            for channel in range(channels):
                change = source[inner, channel] + by_outer * source[outer, channel] + by_here * source[here, channel]
                target[here, channel] += amounts[k] * change


@kernel
def _apply_adjoint(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, face_id: Ids, depth: Floats,
    image: Floats, grad: Floats, d_image: Floats, d_clip: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """Views first, first + step, ...: the adjoint of `_apply` and, through the pieces' areas, of `_find`."""
    _, height, width, channels = image.shape
    scratch = workspace(clip.shape[1], len(faces), len(edges))
    for view in range(first, len(image), step):
        source, incoming = image[view].reshape(height * width, channels), grad[view].reshape(height * width, channels)
        outgoing = d_image[view].reshape(height * width, channels)
        d_clip[view] = 0.0
        _copy(grad[view].reshape(-1), d_image[view].reshape(-1))
        count, pixels, amounts, owner, pieces, outline = _find(
            clip[view], faces, edges, edge_faces, signs, face_id[view], depth[view], *scratch
        )  # fmt: skip
        for k in range(count):
            here, inner, outer = pixels[k, TARGET], pixels[k, INNER], pixels[k, OUTER]
            by_outer, by_here = (1.0, -2.0) if pixels[k, ROLE] != 0 else (-1.0, 0.0)
            d_area = 0.0
            for channel in range(channels):
                d_here = np.float64(incoming[here, channel])
                outgoing[inner, channel] += amounts[k] * d_here
                outgoing[outer, channel] += amounts[k] * by_outer * d_here
                outgoing[here, channel] += amounts[k] * by_here * d_here
                change = source[inner, channel] + by_outer * source[outer, channel] + by_here * source[here, channel]
                d_area += d_here * change
            amounts[k] = -d_area if pixels[k, ROLE] == 1 else d_area
        _pull(amounts, owner, pieces, outline, clip[view], d_clip[view], height, width)


@device
def _pull(
    d_area: Floats, owner: Ints, pieces: Pieces, outline: Contour, clip: Floats, d_clip: Floats, height: int, width: int
) -> None:
    """Add the gradients of the contour's ends, from those of the blends' areas."""
    _, _, ends, _, parents = outline
    _, _, _, segment, values = pieces
    between = np.empty(2, np.int32)
    for k in range(len(owner)):
        if owner[k] < 0:
            continue
        begin, end = values[k, BEGIN], values[k, END]
        last = 0.5 * (begin + end)  # of the piece's velocity the second end of its segment has this share
        d_x, d_y = d_area[owner[k]] * values[k, OUT_X], d_area[owner[k]] * values[k, OUT_Y]
        for number in range(2):
            point, share = ends[segment[k], number], last if number == 1 else 1.0 - last
            between[0], between[1] = point, -1
            if point >= len(clip):
                between[0], between[1] = parents[point - len(clip), 0], parents[point - len(clip), 1]
            to_x, to_y = share * d_x * (0.5 * width), -share * d_y * (0.5 * height)
            ndc_adjoint(clip, between[0], between[1], to_x, to_y, d_clip)
