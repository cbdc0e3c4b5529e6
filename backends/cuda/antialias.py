"""Antialiasing of images on a GPU: pieces of the contour and their sight first, then the blends of every pixel.

A blend belongs to one piece, in whose row it is kept, so that nothing has to be counted. See
`invrender.backends.torch.antialias`.
"""

from __future__ import annotations

from typing import Any

import torch
from numba import cuda, float64

from invrender.backends.cuda.bodies import blend as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.pieces import Lists, contour_pieces, given, look
from invrender.backends.cuda.silhouette import Outline, outline, segment_at
from invrender.backends.cuda.target import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

COLUMNS, SAMPLES, TARGET = bodies.COLUMNS, bodies.SAMPLES, bodies.TARGET
pull, resolve, shares, shares_adjoint = bodies.pull, bodies.resolve, bodies.shares, bodies.shares_adjoint


def antialias(image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> Tensor:
    """Image [N,H,W,C] blended across silhouettes and depth discontinuities; see the torch backend's `antialias`."""
    _, found, blends = _blends(face_id, depth, clip, faces, topology)
    blended = image.detach().clone(memory_format=torch.contiguous_format)
    per_view, width = len(faces) + len(topology.edges), face_id.shape[2]
    images = (image.contiguous().flatten(1, 2), blended.flatten(1, 2))
    launch(_blend, len(found.pixel), per_view, width, found.segment, *blends, *images)
    return blended


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]."""
    shape, found, blends = _blends(face_id, depth, clip, faces, topology)
    grad = grad.to(image.dtype).contiguous()
    d_image, d_clip = grad.clone(), torch.zeros_like(shape.clip)
    per_view, width = len(faces) + len(topology.edges), face_id.shape[2]
    images = (image.contiguous().flatten(1, 2), grad.flatten(1, 2), d_image.flatten(1, 2))
    launch(_blend_adjoint, len(found.pixel), per_view, width, found.segment, *blends, *images)
    size = (face_id.shape[1], face_id.shape[2])
    launch(_pull, len(found.pixel), *given(shape, size), found.segment, found.values, *blends[1:], d_clip)
    return d_image, d_clip


def _blends(
    face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Outline, Lists, tuple[Tensor, Tensor, Tensor]]:
    """The views, the pieces of their contours, and samples, amounts and owner of the blends; see the bodies."""
    size = (face_id.shape[1], face_id.shape[2])
    shape = outline(clip, faces, topology, size)
    found = contour_pieces(shape, size)
    screen = look(shape, size, found)
    room, device = len(found.pixel), clip.device
    samples = torch.full((room, COLUMNS), -1, dtype=torch.int32, device=device)
    amounts = torch.zeros(room, 3, dtype=torch.float64, device=device)
    owner = torch.full((room,), -1, dtype=torch.int32, device=device)
    seen = (face_id.contiguous().flatten(1), depth.to(clip.dtype).contiguous().flatten(1))
    per_view = len(faces) + len(topology.edges)
    launch(_resolve, room, shape.mesh[0], per_view, *size, screen, *seen, *found.arrays, samples, amounts, owner)
    return shape, found, (samples, amounts, owner)


@kernel
def _resolve(
    faces: Any, per_view: int, height: int, width: int, screen: Any, face_id: Any, depth: Any,
    head: Any, following: Any, pixel: Any, segment: Any, values: Any, samples: Any, amounts: Any, owner: Any,
) -> None:  # fmt: skip
    """One pixel per thread: that of the first piece in its list."""
    k = cuda.grid(1)
    if k >= pixel.shape[0]:
        return
    view = segment[k] // per_view
    if head[view, pixel[k]] == k:
        resolve(
            k, following, pixel, values, screen[view, 0], screen[view, 1], screen[view, 2], faces, face_id[view],
            depth[view], height, width, samples, amounts, owner,
        )  # fmt: skip


@kernel
def _blend(
    per_view: int, width: int, segment: Any, samples: Any, amounts: Any, owner: Any, image: Any, blended: Any
) -> None:
    k = cuda.grid(1)
    if k >= owner.shape[0] or owner[k] != k:
        return
    share = cuda.local.array(SAMPLES, float64)
    shares(samples[k], amounts[k], width, share)
    view = segment[k] // per_view
    for channel in range(image.shape[2]):
        change = 0.0
        for i in range(SAMPLES):
            change += share[i] * image[view, samples[k, i], channel]
        cuda.atomic.add(blended, (view, samples[k, TARGET], channel), change)


@kernel
def _blend_adjoint(
    per_view: int, width: int, segment: Any, samples: Any, amounts: Any, owner: Any, image: Any, grad: Any,
    d_image: Any,
) -> None:  # fmt: skip
    """Gradients of the samples, and those of the amounts in their place."""
    k = cuda.grid(1)
    if k >= owner.shape[0] or owner[k] != k:
        return
    share, d_share = cuda.local.array(SAMPLES, float64), cuda.local.array(SAMPLES, float64)
    shares(samples[k], amounts[k], width, share)
    view, here = segment[k] // per_view, samples[k, TARGET]
    for i in range(SAMPLES):
        sample = samples[k, i]
        d_share[i] = 0.0
        for channel in range(image.shape[2]):
            cuda.atomic.add(d_image, (view, sample, channel), share[i] * grad[view, here, channel])
            d_share[i] += grad[view, here, channel] * image[view, sample, channel]
    shares_adjoint(samples[k], d_share, width, amounts[k])


@kernel
def _pull(
    clip: Any, faces: Any, edges: Any, edge_faces: Any, signs: Any, facing: Any, height: int, width: int,
    segment: Any, values: Any, amounts: Any, owner: Any, d_clip: Any,
) -> None:  # fmt: skip
    k = cuda.grid(1)
    if k >= owner.shape[0] or owner[k] < 0:
        return
    view, _, a, pa, b, pb, _ = segment_at(segment[k], clip, faces, edges, edge_faces, signs, facing)
    pull(values[k], amounts[owner[k]], a, pa, b, pb, clip[view], d_clip[view], height, width)
