"""Shapes, and the masks that their silhouettes are to fit, in the normalised frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.geometry.vectors import Bools
from invrender.kernels import Backend
from invrender.nouns import Views
from invrender.nouns.topology import topology
from invrender.parameters.frame import Frame

Tensor = torch.Tensor


@dataclass(frozen=True)
class Target:
    """The masks that silhouettes are to fit.

    Attributes:
        clip_from_object: [N,4,4] float64, normalised frame to clip space.
        masks: [N,H,W] coverage on the backend's device, float32 or in bytes (see `nouns.coverage`).
        pixel: [N] float64, size of a pixel at the object.
        confidence: [N,H,W] like the masks, how far they are to be believed; None: all of them.
    """

    clip_from_object: Tensor
    masks: Tensor
    pixel: Tensor
    confidence: Tensor | None = None

    def __getitem__(self, index: Sequence[int]) -> Target:
        """Some of the views."""
        chosen = list(index)
        believed = None if self.confidence is None else self.confidence[chosen]
        return Target(self.clip_from_object[chosen], self.masks[chosen], self.pixel[chosen], believed)


@dataclass(frozen=True)
class Shape:
    """A closed mesh in the normalised frame: vertices [V,3] float64, faces [F,3] int64."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int64]


def target_in(frame: Frame, views: Views, backend: Backend) -> Target:
    """The views as a target in a normalised frame."""
    believed = None if views.confidence is None else _ready(views.confidence, backend)
    pixel = frame.pixel(views.cameras).to(backend.device)
    return Target(frame.clip_matrices(views.cameras), _ready(views.masks, backend), pixel, believed)


def _ready(kept: Tensor, backend: Backend) -> Tensor:
    return kept.to(backend.device, torch.float32 if kept.is_floating_point() else kept.dtype)


def on_contours(shape: Shape, target: Target, backend: Backend) -> Bools:
    """Which vertices [V] a known pixel of a silhouette of the shape depends on, in any view.

    Compared with empty masks, every pixel of a silhouette contributes to the gradient, which reaches the vertices of
    the outline alone.
    """
    faces = torch.from_numpy(shape.faces)
    empty, weight = torch.zeros_like(target.masks), torch.ones_like(target.pixel)
    compare = backend.silhouette_misfit(faces, topology(faces), len(shape.vertices), empty, weight, target.confidence)
    gradient = compare(torch.from_numpy(shape.vertices), target.clip_from_object)[1]
    decided: Bools = (gradient != 0).any(1).numpy()
    return decided


def iou_with(shape: Shape, target: Target, backend: Backend) -> float:
    """Mean IoU of a shape's silhouettes with the masks of a target."""
    return float(ious_with(shape, target, backend).mean())


def ious_with(shape: Shape, target: Target, backend: Backend) -> Tensor:
    """IoU [N] of a shape's silhouettes with the masks of a target."""
    faces = torch.from_numpy(shape.faces)
    compare = backend.silhouette_misfit(
        faces, topology(faces), len(shape.vertices), target.masks, torch.zeros_like(target.pixel), target.confidence
    )
    return compare(torch.from_numpy(shape.vertices), target.clip_from_object)[2]
