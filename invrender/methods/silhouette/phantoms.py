"""Phantoms: parts of a visual hull that no silhouette needs.

Where the view cones of separate parts cross, hulls have phantoms: pieces that hide in front of or behind real parts in
every view. A part without which the rest explains the masks just as well is taken to be one.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import ops
from invrender.geometry.connectivity import components, drop_unused
from invrender.kernels import Backend
from invrender.methods.silhouette.target import Shape, Target
from invrender.nouns.topology import topology

Tensor = torch.Tensor

MOST_PARTS = 16  # beyond the largest ones, parts are left as they are
NOISE = 2.0  # pixels; a part that adds no more than this to any mask adds nothing,
SHARE = 0.05  # nor does one that adds no more than this share of its own largest silhouette


def without_phantoms(shape: Shape, target: Target, backend: Backend) -> Shape:
    """The shape without those parts that add nothing to any view, tried from the smallest on; one at least stays."""
    part = components(shape.faces)
    count = np.bincount(part)
    if len(count) == 1:
        return shape
    order = np.argsort(count)[max(0, len(count) - MOST_PARTS) :]
    kept = np.ones(len(count), bool)
    whole = _coverage(shape, target, backend)
    for candidate in order:
        if kept.sum() == 1:
            break
        kept[candidate] = False
        less = _coverage(_parts(shape, kept[part]), target, backend)
        own = _coverage(_parts(shape, part == candidate), target, backend)
        if _needed(whole, less, own, target):
            kept[candidate] = True
        else:
            whole = less
    return _parts(shape, kept[part])


def _parts(shape: Shape, faces: NDArray[np.bool_]) -> Shape:
    return Shape(*drop_unused(shape.vertices, shape.faces[faces]))


def _coverage(shape: Shape, target: Target, backend: Backend) -> Tensor:
    """Coverage [N,H,W] float32 of a shape in the target's views."""
    device, faces = backend.device, torch.from_numpy(shape.faces)
    matrix, vertices = target.clip_from_object, torch.from_numpy(shape.vertices)
    clip = torch.einsum("nij,vj->nvi", matrix[:, :, :3], vertices) + matrix[:, None, :, 3]
    size = (target.masks.shape[1], target.masks.shape[2])
    return ops.silhouette(backend, clip.float().to(device), faces.to(device), topology(faces).to(device), size)


def _needed(whole: Tensor, less: Tensor, own: Tensor, target: Target) -> bool:
    """Whether in some view `less` leaves more of the mask uncovered than `whole`, as measured by the part's `own`."""
    lost = (torch.minimum(whole, target.masks) - torch.minimum(less, target.masks)).clamp(min=0)
    if target.confidence is not None:
        lost, own = lost * target.confidence, own * target.confidence
    lost = lost.sum((1, 2))
    return float(lost.max()) > max(NOISE, SHARE * float(own.sum((1, 2)).max()))
