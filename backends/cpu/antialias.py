"""Antialiasing of images on the CPU: one pass per view over its contour, its faces, and the pixels of its contour.

See `invrender.backends.torch.antialias`. The adjoint looks for the blends again: that costs less than keeping them.
"""

from __future__ import annotations

from functools import partial
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.blend import MISJUDGED, hidden_moment, neighbour, side_of, towards
from invrender.backends.bodies.contour import ndc_adjoint
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import packed_mesh, to_numpy
from invrender.backends.cpu.contour import Contour, Floats, Ints, Signs, contour, workspace
from invrender.backends.cpu.memory import empty
from invrender.backends.cpu.pieces import (
    AREA,
    AX,
    AY,
    BEGIN,
    BEHIND,
    BX,
    BY,
    END,
    OUT_X,
    OUT_Y,
    OWN,
    Pieces,
    X,
    Y,
    view_pieces,
)
from invrender.backends.cpu.sight import hide_doubled, look, mean_normal
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Ids = NDArray[np.int64]
_Seen: TypeAlias = tuple[Floats, Ints, Ints, Ints, Signs, Ids, Floats]
Blends: TypeAlias = tuple[int, Ints, Floats, Ints, Pieces, Contour]
"""Of one view: their number; pixels [K,6] (inner and the one behind it, outer and the one behind it, the one that
changes, and its role: 1 for inner, -1 for outer, 0 for neither); amounts [K,3], the area and its moment; the blend of
each piece [P], -1 for none; the pieces; the contour."""

INNER, OUTER, TARGET, ROLE = 0, 2, 4, 5
SAMPLES = 5  # of the pixels, those whose colours are mixed
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


def _seen(face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> _Seen:
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
    chosen_pixels, amounts = np.empty((room, 6), np.int32), np.zeros((room, 3), np.float64)
    owner, place = np.empty(room, np.int32), np.empty(6, np.int32)
    ids, z = face_id.reshape(-1), depth.reshape(-1)
    count = 0
    for k in range(room):
        if following[k] >= 0:  # only the first piece of each pixel ends its list
            continue
        first_blend, first = count, head[pixel[k]]
        hide_doubled(first, following, values)
        normal_x, normal_y, single = mean_normal(first, following, values)
        j = first
        while j >= 0:
            owner[j] = -1
            if values[j, OWN] > -np.inf:
                way_x = normal_x if single else values[j, OUT_X]
                way_y = normal_y if single else values[j, OUT_Y]
                if _place(pixel[j], way_x, way_y, values[j], clip, faces, ids, z, height, width, place):
                    owner[j] = _blend_like(place, chosen_pixels, first_blend, count)
                    count = max(count, owner[j] + 1)
                    _add_piece(values[j], amounts[owner[j]], place[ROLE])
            j = following[j]
        for blend in range(first_blend, count):
            if chosen_pixels[blend, ROLE] != 0 and amounts[blend, 0] < MISJUDGED:
                amounts[blend, 0] += 1.0
    return count, chosen_pixels, amounts, owner, pieces, outline


@device
def _add_piece(piece: Floats, amount: Floats, role: int) -> None:
    """Add a piece's area and moment to those of its blend."""
    sign = -1.0 if role == 1 else 1.0
    by_area = 1.0 if piece[OUT_X] * (piece[AY] - piece[BY]) + piece[OUT_Y] * (piece[BX] - piece[AX]) >= 0.0 else -1.0
    x, y = hidden_moment(piece[AX], piece[AY], piece[BX], piece[BY])
    amount[0] += sign * piece[AREA]
    amount[1] += sign * by_area * x
    amount[2] += sign * by_area * y


@device
def _place(
    pixel: int, way_x: float, way_y: float, piece: Floats, clip: Floats, faces: Ints, face_id: Ids, depth: Floats,
    height: int, width: int, place: Ints,
) -> bool:  # fmt: skip
    """Fill in the pixels of the blend that a piece takes part in; whether there are such."""
    role = side_of(pixel, piece[X], piece[Y], piece[OWN], piece[BEHIND], clip, faces, face_id, depth, height, width)
    place[TARGET], place[ROLE] = pixel, role
    for side in (-1, 1):
        column = INNER if side < 0 else OUTER
        place[column] = -1
        for kind in range(PLACES):
            near = neighbour(pixel, kind, side, way_x, way_y, height, width)
            if near >= 0 and side == -side_of(
                near, piece[X], piece[Y], piece[OWN], piece[BEHIND], clip, faces, face_id, depth, height, width
            ):
                far = neighbour(pixel, kind, 2 * side, way_x, way_y, height, width)
                fits = far >= 0 and side == -side_of(
                    far, piece[X], piece[Y], piece[OWN], piece[BEHIND], clip, faces, face_id, depth, height, width
                )
                place[column], place[column + 1] = near, far if fits else near
                break
        if place[column] < 0:
            if role != -side:
                return False
            place[column], place[column + 1] = pixel, pixel
    return True


@device
def _blend_like(place: Ints, pixels: Ints, first: int, count: int) -> int:
    """Number of the blend with these pixels among first ... count - 1, made if there is none."""
    for blend in range(first, count):
        same = True
        for i in range(len(place)):
            same = same and pixels[blend, i] == place[i]
        if same:
            return blend
    for i in range(len(place)):
        pixels[count, i] = place[i]
    return count


@device
def _tilt(pixels: Ints, column: int, width: int) -> tuple[float, float, float, float]:
    """Of the samples in two columns: the first one's share by area, and the second's, negated: by area and moment."""
    side = 1 if column == INNER else -1
    weight = 1.0 if pixels[ROLE] != 0 else float(side)
    if pixels[column] == pixels[column + 1]:
        return weight, 0.0, 0.0, 0.0
    x, y = towards(pixels[TARGET], pixels[column], width)
    mirrored = weight if pixels[ROLE] == side else -weight
    return 2.0 * weight, weight, mirrored * x, mirrored * y


@device
def _share(pixels: Ints, amount: Floats, width: int, share: Floats) -> None:
    """Fill in how much of each sample [SAMPLES] is added to the pixel that changes."""
    for column in (INNER, OUTER):
        near, far, x, y = _tilt(pixels, column, width)
        turned = x * amount[1] + y * amount[2]
        share[column], share[column + 1] = near * amount[0] + turned, -(far * amount[0] + turned)
    share[TARGET] = -2.0 * amount[0] if pixels[ROLE] != 0 else 0.0


@device
def _share_adjoint(pixels: Ints, d_share: Floats, width: int, d_amount: Floats) -> None:
    """Set the gradients of the area of the surface that ends and of its moment [3] from those of the shares."""
    sign = -1.0 if pixels[ROLE] == 1 else 1.0
    d_amount[:] = 0.0
    for column in (INNER, OUTER):
        near, far, x, y = _tilt(pixels, column, width)
        difference = d_share[column] - d_share[column + 1]
        d_amount[0] += sign * (near * d_share[column] - far * d_share[column + 1])
        d_amount[1] += sign * x * difference
        d_amount[2] += sign * y * difference
    if pixels[ROLE] != 0:
        d_amount[0] -= sign * 2.0 * d_share[TARGET]


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
    share = np.empty(SAMPLES, np.float64)
    for view in range(first, len(image), step):
        source, target = image[view].reshape(height * width, channels), blended[view].reshape(height * width, channels)
        _copy(image[view].reshape(-1), blended[view].reshape(-1))
        count, pixels, amounts, _, _, _ = _find(
            clip[view], faces, edges, edge_faces, signs, face_id[view], depth[view], *scratch
        )  # fmt: skip
        for k in range(count):
            _share(pixels[k], amounts[k], width, share)
            for i in range(SAMPLES):
                for channel in range(channels):
                    target[pixels[k, TARGET], channel] += share[i] * source[pixels[k, i], channel]


@kernel
def _apply_adjoint(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, face_id: Ids, depth: Floats,
    image: Floats, grad: Floats, d_image: Floats, d_clip: Floats, first: int, step: int,
) -> None:  # fmt: skip
    """Views first, first + step, ...: the adjoint of `_apply` and, through the pieces' areas, of `_find`."""
    _, height, width, channels = image.shape
    scratch = workspace(clip.shape[1], len(faces), len(edges))
    share, d_share = np.empty((2, SAMPLES), np.float64)
    for view in range(first, len(image), step):
        source, incoming = image[view].reshape(height * width, channels), grad[view].reshape(height * width, channels)
        outgoing = d_image[view].reshape(height * width, channels)
        d_clip[view] = 0.0
        _copy(grad[view].reshape(-1), d_image[view].reshape(-1))
        count, pixels, amounts, owner, pieces, outline = _find(
            clip[view], faces, edges, edge_faces, signs, face_id[view], depth[view], *scratch
        )  # fmt: skip
        for k in range(count):
            _share(pixels[k], amounts[k], width, share)
            here = pixels[k, TARGET]
            for i in range(SAMPLES):
                sample, d_share[i] = pixels[k, i], 0.0
                for channel in range(channels):
                    outgoing[sample, channel] += share[i] * incoming[here, channel]
                    d_share[i] += np.float64(incoming[here, channel]) * source[sample, channel]
            _share_adjoint(pixels[k], d_share, width, amounts[k])
        _pull(amounts, owner, pieces, outline, clip[view], d_clip[view], height, width)


@device
def _pull(
    d_amounts: Floats, owner: Ints, pieces: Pieces, outline: Contour, clip: Floats, d_clip: Floats, height: int,
    width: int,
) -> None:  # fmt: skip
    """Add the gradients of the contour's ends, from those of the blends' areas and moments."""
    _, _, ends, _, parents = outline
    _, _, _, segment, values = pieces
    between = np.empty(2, np.int32)
    for k in range(len(owner)):
        if owner[k] < 0:
            continue
        by, begin, end = d_amounts[owner[k]], values[k, BEGIN], values[k, END]
        # What is swept is linear along the piece, and so is the share of the segment's second end in the motion.
        at_begin = by[0] + by[1] * values[k, AX] + by[2] * values[k, AY]
        at_end = by[0] + by[1] * values[k, BX] + by[2] * values[k, BY]
        second = ((2.0 * at_begin + at_end) * begin + (at_begin + 2.0 * at_end) * end) / 6.0
        for number in range(2):
            point, share = ends[segment[k], number], second if number == 1 else 0.5 * (at_begin + at_end) - second
            d_x, d_y = share * values[k, OUT_X], share * values[k, OUT_Y]
            between[0], between[1] = point, -1
            if point >= len(clip):
                between[0], between[1] = parents[point - len(clip), 0], parents[point - len(clip), 1]
            to_x, to_y = d_x * (0.5 * width), -d_y * (0.5 * height)
            ndc_adjoint(clip, between[0], between[1], to_x, to_y, d_clip)
