"""Antialiasing of images on a Vulkan device: pieces of the contour and their sight first, then the blends of pixels.

The device finds which samples are mixed with what shares; the host mixes them, in an order that does not change. See
`invrender.backends.torch.antialias`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from invrender.backends.vulkan.contour import Mesh, corner_sums, packed_mesh
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload
from invrender.backends.vulkan.pieces import Pieces, contour_pieces
from invrender.nouns.topology import Topology

Tensor = torch.Tensor

SHADER = "antialias"

COLUMNS, SAMPLES, TARGET = 6, 5, 4


@dataclass(frozen=True)
class Blends:
    """One blend for all pieces of a pixel that part the same samples.

    Attributes:
        pieces: of the views.
        given: samples and owners of the pieces on the device.
        row: [B] int64, the blends' rows among the pieces.
        samples: [B,5] int64 flat pixels of [N,H,W], the last one is changed.
        shares: [B,5] float64, how much of each sample is added there.
    """

    pieces: Pieces
    given: dict[str, Any]
    row: Tensor
    samples: Tensor
    shares: Tensor


def antialias(
    vulkan: Vulkan, image: Tensor, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor, topology: Topology
) -> Tensor:
    """Image [N,H,W,C] blended across silhouettes and depth discontinuities; see the torch backend's `antialias`.

    Raises:
        InputError: an index names something that does not exist.
    """
    mesh = packed_mesh(vulkan, faces, topology, clip.shape[1])
    blended = image.detach().cpu().double().clone()
    for part in mesh.parts(len(clip), (face_id.shape[1], face_id.shape[2])):
        flat = blended[part].flatten(0, 2)
        blends = _blends(vulkan, mesh, face_id[part], depth[part], clip[part], faces)
        change = torch.einsum("bs,bsc->bc", blends.shares, flat[blends.samples])
        blended[part] = flat.index_add(0, blends.samples[:, TARGET], change).reshape(blended[part].shape)
    return blended.to(image)


def antialias_adjoint(
    vulkan: Vulkan,
    grad: Tensor,
    image: Tensor,
    face_id: Tensor,
    depth: Tensor,
    clip: Tensor,
    faces: Tensor,
    topology: Topology,
) -> tuple[Tensor, Tensor]:
    """d image [N,H,W,C] and d clip [N,V,4] from d output [N,H,W,C]."""
    mesh = packed_mesh(vulkan, faces, topology, clip.shape[1])
    d_image, d_clip = grad.detach().cpu().double().clone(), torch.zeros(clip.shape, dtype=torch.float64)
    for part in mesh.parts(len(clip), (face_id.shape[1], face_id.shape[2])):
        blends = _blends(vulkan, mesh, face_id[part], depth[part], clip[part], faces)
        given, flat = (values[part].detach().cpu().double().flatten(0, 2) for values in (grad, image))
        changed = given[blends.samples[:, TARGET]]
        spread = blends.shares[:, :, None] * changed[:, None]
        d_image[part].view(-1, image.shape[3]).index_add_(0, blends.samples.reshape(-1), spread.flatten(0, 1))
        d_shares = torch.einsum("bc,bsc->bs", changed, flat[blends.samples])
        _add_corners(vulkan, blends, d_shares, d_clip[part].view(-1, 4))
    return d_image.to(image), d_clip.to(clip)


def _blends(vulkan: Vulkan, mesh: Mesh, face_id: Tensor, depth: Tensor, clip: Tensor, faces: Tensor) -> Blends:
    """The blends of as many views as go at once."""
    pieces = contour_pieces(vulkan, mesh, clip, faces, (face_id.shape[1], face_id.shape[2]))
    count = pieces.count
    given = {"samples": empty(vulkan, COLUMNS * count, np.int32), "owner": empty(vulkan, count, np.int32)}
    shares = empty(vulkan, SAMPLES * count, np.float64)
    compute(
        vulkan, (SHADER, "resolve"), count, face_id=upload(vulkan, face_id, np.int32),
        depth=upload(vulkan, depth, np.float64), amounts=empty(vulkan, 3 * count, np.float64), shares=shares,
        **given, **pieces.given,
    )  # fmt: skip
    owner = torch.from_numpy(download(vulkan, given["owner"], (count,), np.int32))
    row = (owner == torch.arange(count)).nonzero()[:, 0]
    samples = torch.from_numpy(download(vulkan, given["samples"], (count, COLUMNS), np.int32))[row, :SAMPLES].long()
    return Blends(
        pieces, given, row, samples, torch.from_numpy(download(vulkan, shares, (count, SAMPLES), np.float64))[row]
    )


def _add_corners(vulkan: Vulkan, blends: Blends, d_shares: Tensor, d_clip: Tensor) -> None:
    """Add to the gradient [N V,4] of clip positions what comes through the shares [B,5]."""
    count = blends.pieces.count
    of_pieces = torch.zeros(count, SAMPLES, dtype=torch.float64)
    of_pieces[blends.row] = d_shares
    corner, d_corner = empty(vulkan, 4 * count, np.int32), empty(vulkan, 16 * count, np.float64)
    compute(
        vulkan, (SHADER, "adjoint"), count, d_shares=upload(vulkan, of_pieces, np.float64), corner=corner,
        d_corner=d_corner, **blends.given, **blends.pieces.given,
    )  # fmt: skip
    corner_sums(vulkan, corner, d_corner, 4 * count, d_clip)
