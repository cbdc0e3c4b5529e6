"""Antialiasing of images on the CPU, view by view: the contour's pieces, what is seen of them, the blends they make.

See `invrender.backends.torch.antialias`. The adjoint looks for the blends again: that costs less than keeping them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.blend import (
    COLUMNS,
    SAMPLES,
    TARGET,
    pull,
    resolve,
    shares,
    shares_adjoint,
    vertex_depth,
)
from invrender.backends.bodies.target import device
from invrender.backends.cpu.arrays import packed_mesh, to_numpy
from invrender.backends.cpu.contour import Contour, Floats, Ints, Signs, contour, workspace
from invrender.backends.cpu.memory import empty
from invrender.backends.cpu.pieces import Pieces, view_pieces
from invrender.backends.cpu.sight import look
from invrender.backends.cpu.threads import parallel_for
from invrender.jit import kernel
from invrender.nouns.topology import Topology

Tensor = torch.Tensor
Ids = NDArray[np.int64]
Blends: TypeAlias = tuple[Ints, Floats, Ints, Ints, Floats, Contour]
"""Of one view: samples, amounts and owner, each piece's segment and values, and the contour; see the bodies."""


def antialias(image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology) -> Tensor:
    """Image [N,H,W,C] blended across silhouettes and depth discontinuities; see the torch backend's `antialias`."""
    blended = empty(image.shape, image.dtype)
    source, target = to_numpy(image), blended.numpy()

    def work(view: int, blends: Blends) -> None:
        _apply(source[view], target[view], *blends[:3])

    _for_each_view(work, face_id, depth, clip, faces, topology)
    return blended


def antialias_adjoint(
    grad: Tensor, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]."""
    d_image, d_clip = empty(image.shape, image.dtype), empty(tuple(clip.shape), clip.dtype)
    source, incoming, positions = to_numpy(image), to_numpy(grad.to(image.dtype)), to_numpy(clip)
    outgoing, moved = d_image.numpy(), d_clip.numpy()

    def work(view: int, blends: Blends) -> None:
        _apply_adjoint(source[view], incoming[view], outgoing[view], positions[view], moved[view], *blends)

    _for_each_view(work, face_id, depth, clip, faces, topology)
    return d_image, d_clip


def _for_each_view(
    work: Callable[[int, Blends], None], face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> None:
    height, width = face_id.shape[1:]
    mesh = packed_mesh(faces, topology, clip.shape[1])
    positions, ids, z = to_numpy(clip), to_numpy(face_id), to_numpy(depth.to(clip.dtype))

    def some(first: int, step: int) -> None:
        scratch = workspace(clip.shape[1], len(faces), len(topology.edges))
        for view in range(first, len(positions), step):
            # Kernels of their own, as Numba optimises all that one calls once more for each caller.
            own = positions[view]
            outline, near, pieces = _cut(own, *mesh, height, width, *scratch)
            _look(outline, near, own, mesh[0], height, width, pieces)
            found = _resolve(outline, near, mesh[0], ids[view], z[view], pieces)
            work(view, (*found, *pieces[3:], outline))

    parallel_for(some, len(positions))


@kernel
def _cut(
    clip: Floats, faces: Ints, edges: Ints, edge_faces: Ints, signs: Signs, height: int, width: int,
    screen: Floats, facing: Signs, chosen: Ints,
) -> tuple[Contour, Floats, Pieces]:  # fmt: skip
    """The contour of one view, the depth of all vertices [V], and the contour's pieces."""
    outline = contour(clip, faces, edges, edge_faces, signs, height, width, screen, facing, chosen)
    z = np.empty(len(clip), np.float64)
    for i in range(len(clip)):
        z[i] = vertex_depth(clip, i)
    return outline, z, view_pieces(outline, clip, height, width)


@kernel
def _look(
    outline: Contour, z: Floats, clip: Floats, faces: Ints, height: int, width: int, pieces: Pieces
) -> None:  # fmt: skip
    look(outline[0], outline[1], z, clip, faces, height, width, pieces)


@kernel
def _resolve(
    outline: Contour, z: Floats, faces: Ints, face_id: Ids, depth: Floats, pieces: Pieces
) -> tuple[Ints, Floats, Ints]:
    """Samples, amounts and owner of one view's blends, with face_id and depth [H,W]."""
    height, width = face_id.shape
    head, following, pixel, _, values = pieces
    samples, owner = np.empty((len(pixel), COLUMNS), np.int32), np.empty(len(pixel), np.int32)
    owner[:] = -1
    amounts = np.empty((len(pixel), 3), np.float64)
    ids, depths = face_id.reshape(-1), depth.reshape(-1)
    for k in range(len(pixel)):
        if head[pixel[k]] == k:
            resolve(
                k, following, pixel, values, outline[0], outline[1], z, faces, ids, depths, height, width,
                samples, amounts, owner,
            )  # fmt: skip
    return samples, amounts, owner


@device
def _copy(source: Floats, target: Floats) -> None:
    for i in range(len(source)):  # flat, so that it becomes one block copy
        target[i] = source[i]


@kernel
def _apply(image: Floats, blended: Floats, samples: Ints, amounts: Floats, owner: Ints) -> None:
    """One view's picture."""
    height, width, channels = image.shape
    share = np.empty(SAMPLES, np.float64)
    source, target = image.reshape(height * width, channels), blended.reshape(height * width, channels)
    _copy(image.reshape(-1), blended.reshape(-1))
    for k in range(len(owner)):
        if owner[k] == k:
            shares(samples[k], amounts[k], width, share)
            for i in range(SAMPLES):
                for channel in range(channels):
                    target[samples[k, TARGET], channel] += share[i] * source[samples[k, i], channel]


@kernel
def _apply_adjoint(
    image: Floats, grad: Floats, d_image: Floats, clip: Floats, d_clip: Floats,
    samples: Ints, amounts: Floats, owner: Ints, segment: Ints, values: Floats, outline: Contour,
) -> None:  # fmt: skip
    """The adjoint of `_apply` and, through the pieces' areas, of how they were found; amounts turn into gradients."""
    height, width, channels = image.shape
    share, d_share = np.empty(SAMPLES, np.float64), np.empty(SAMPLES, np.float64)
    source, incoming = image.reshape(height * width, channels), grad.reshape(height * width, channels)
    outgoing = d_image.reshape(height * width, channels)
    d_clip[:] = 0.0
    _copy(grad.reshape(-1), d_image.reshape(-1))
    for k in range(len(owner)):
        if owner[k] != k:
            continue
        shares(samples[k], amounts[k], width, share)
        here = samples[k, TARGET]
        for i in range(SAMPLES):
            sample, d_share[i] = samples[k, i], 0.0
            for channel in range(channels):
                outgoing[sample, channel] += share[i] * incoming[here, channel]
                d_share[i] += np.float64(incoming[here, channel]) * source[sample, channel]
        shares_adjoint(samples[k], d_share, width, amounts[k])
    _, _, ends, _, parents = outline
    for k in range(len(owner)):
        if owner[k] >= 0:
            a, partner_a = _end(ends[segment[k], 0], len(clip), parents)
            b, partner_b = _end(ends[segment[k], 1], len(clip), parents)
            pull(values[k], amounts[owner[k]], a, partner_a, b, partner_b, clip, d_clip, height, width)


@device
def _end(point: int, vertices: int, parents: Ints) -> tuple[int, int]:
    """A segment's end as a vertex and -1, or as the two vertices between which it was cut."""
    if point < vertices:
        return int(np.int64(point)), -1  # Numba keeps the width of what int() is given
    return int(np.int64(parents[point - vertices, 0])), int(np.int64(parents[point - vertices, 1]))
