"""Phantoms: parts of a visual hull that no silhouette needs.

Where the view cones of separate parts cross, hulls have phantoms: pieces that hide in front of or behind real parts in
every view. A part without which the rest explains the masks just as well is taken to be one.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import ops
from invrender.geometry.connectivity import components, drop_unused
from invrender.kernels import Backend
from invrender.methods.silhouette.target import Shape, Target
from invrender.nouns.coverage import coverage
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
    for candidate in order:
        if kept.sum() == 1:
            break
        before = kept[part]
        kept[candidate] = False
        whole, less, own = (
            _silhouettes(_parts(shape, chosen), target, backend) for chosen in (before, kept[part], part == candidate)
        )
        kept[candidate] = _needed(whole, less, own, target)
    return _parts(shape, kept[part])


def _parts(shape: Shape, faces: NDArray[np.bool_]) -> Shape:
    return Shape(*drop_unused(shape.vertices, shape.faces[faces]))


def _silhouettes(shape: Shape, target: Target, backend: Backend) -> Iterator[Tensor]:
    """Coverage [H,W] float32 of a shape in the target's views, one after the other."""
    device, faces = backend.device, torch.from_numpy(shape.faces)
    triangles, edges, vertices = faces.to(device), topology(faces).to(device), torch.from_numpy(shape.vertices)
    size = (target.masks.shape[1], target.masks.shape[2])
    for matrix in target.clip_from_object:
        clip = (vertices @ matrix[:, :3].T + matrix[:, 3]).float().to(device)
        yield ops.silhouette(backend, clip[None], triangles, edges, size)[0]


def _needed(whole: Iterator[Tensor], less: Iterator[Tensor], own: Iterator[Tensor], target: Target) -> bool:
    """Whether in some view `less` leaves more of the mask uncovered than `whole`, as measured by the part's `own`."""
    lost, largest = 0.0, 0.0
    for view, (all_parts, others, part) in enumerate(zip(whole, less, own, strict=True)):
        mask = coverage(target.masks[view])
        believed = 1.0 if target.confidence is None else coverage(target.confidence[view])
        uncovered = (torch.minimum(all_parts, mask) - torch.minimum(others, mask)).clamp(min=0)
        lost, largest = max(lost, float((uncovered * believed).sum())), max(largest, float((part * believed).sum()))
    return lost > max(NOISE, SHARE * largest)
