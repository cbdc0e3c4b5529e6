"""Antialiased silhouettes on a Vulkan device, in doubles, and their adjoint.

What ends of intervals add to pixels and to vertices is summed by the host, in an order that does not change from run to
run. See the torch backend's `silhouette`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from invrender.backends.vulkan.contour import SHADER, Ends, corner_sums, packed_mesh, pixels, visible_ends
from invrender.backends.vulkan.device import Vulkan
from invrender.backends.vulkan.launch import compute
from invrender.backends.vulkan.memory import download, empty, upload
from invrender.kernels import Size
from invrender.nouns.topology import Topology

Tensor = torch.Tensor


@dataclass(frozen=True)
class Tape:
    """What the adjoint needs.

    Attributes:
        clip: [N,V,4] the clip positions; their values are on the device.
        parts: of each part of the views its ends, and which of them [T] int64 are shown.
    """

    clip: Tensor
    parts: list[tuple[Ends, Tensor]]


def silhouette(vulkan: Vulkan, clip: Tensor, faces: Tensor, topology: Topology, size: Size) -> Tensor:
    """Coverage [N,H,W] of clip positions [N,V,4]."""
    return silhouette_taped(vulkan, clip, faces, topology, size)[0]


def silhouette_taped(
    vulkan: Vulkan, clip: Tensor, faces: Tensor, topology: Topology, size: Size
) -> tuple[Tensor, Tape]:
    """Coverage [N,H,W] of clip's dtype from clip [N,V,4], and the adjoint's tape.

    Raises:
        InputError: an index names something that does not exist.
    """
    mesh = packed_mesh(vulkan, faces, topology, clip.shape[1])
    image, parts = torch.zeros(len(clip), *size, dtype=torch.float64), []
    for part in mesh.parts(len(clip), size):
        given = upload(vulkan, clip[part], np.float64)
        ends = visible_ends(vulkan, mesh, given, part.stop - part.start, size)
        image[part], counting = _drawn(vulkan, ends)
        parts.append((ends, counting))
    return image.to(clip.device, clip.dtype), Tape(clip.detach(), parts)


def silhouette_adjoint(vulkan: Vulkan, grad: Tensor, tape: Tape) -> Tensor:
    """d clip [N,V,4] from d coverage [N,H,W]."""
    d_clip = torch.zeros(tape.clip.shape, dtype=torch.float64)
    first = 0
    for ends, counting in tape.parts:
        part = slice(first, first + ends.shape[0])
        _add_corners(vulkan, ends, counting, grad[part], d_clip[part].view(-1, 4))
        first = part.stop
    return d_clip.to(tape.clip)


def _drawn(vulkan: Vulkan, ends: Ends) -> tuple[Tensor, Tensor]:
    """Coverage [N,H,W] float64, and which of the ends [T] int64 are shown."""
    amount = empty(vulkan, ends.count, np.float64)
    compute(vulkan, (SHADER, "correct"), ends.count, amount=amount, **ends.given)
    image = torch.from_numpy(download(vulkan, ends.given["inside"], ends.shape)).double()
    pixel = pixels(vulkan, ends)
    counting = (pixel >= 0).nonzero()[:, 0]
    pieces = torch.from_numpy(download(vulkan, amount, (ends.count,), np.float64))
    image.view(-1).index_add_(0, pixel[counting], pieces[counting])
    return image, counting


def _add_corners(vulkan: Vulkan, ends: Ends, counting: Tensor, grad: Tensor, d_clip: Tensor) -> None:
    """Add to the gradient [N V,4] of clip positions what comes through ends."""
    count = len(counting)
    corner, d_corner = empty(vulkan, 4 * count, np.int32), empty(vulkan, 16 * count, np.float64)
    compute(
        vulkan, (SHADER, "adjoint"), count, grad=upload(vulkan, grad, np.float64),
        shown=upload(vulkan, counting, np.uint32), corner=corner, d_corner=d_corner, **ends.given,
    )  # fmt: skip
    corner_sums(vulkan, corner, d_corner, 4 * count, d_clip)
