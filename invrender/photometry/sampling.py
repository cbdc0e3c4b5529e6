"""What photographs show at points of a surface, and which of them see it.

A photograph sees a point where nothing of the surface lies in front of it (a depth buffer in the photograph's own
pixels), where the surface faces the camera, and where the mask says that the object is there.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import ops
from invrender.geometry.triples import Triple, dot, minus, normalized, point
from invrender.geometry.vectors import Bools, Floats, Ints
from invrender.jit import body, kernel
from invrender.kernels import Backend
from invrender.photometry.photos import Photos

Tensor = torch.Tensor
Array = NDArray[Any]

SLACK = 4.0  # pixels' sizes by which a point may lie behind the depth buffer: the surface between its samples
NO_DEPTH = 1e30
FAR = 1e6  # pixels: where a point that lies beside a camera projects to, which no whole number can count


@dataclass(frozen=True)
class Samples:
    """What N photographs show at P points.

    Attributes:
        colours: [N,P,3] float32, sRGB-encoded.
        weight: [N,P] float32: the cosine between normal and view direction where the photograph sees the point, else 0.
    """

    colours: Tensor
    weight: Tensor


def project(points: Tensor, matrices: Tensor) -> tuple[Tensor, Tensor]:
    """Picture coordinates [N,P,2] (x to the right, y down, both in [-1, 1]) and depths w [N,P] of points [P,3] float64.

    Args:
        points: in the frame of the matrices.
        matrices: [N,4,4] float64, to clip space.
    """
    clip = torch.cat([points, torch.ones_like(points[:, :1])], 1) @ matrices.transpose(1, 2)
    w = clip[..., 3]
    safe = torch.where(w.abs() < 1e-30, torch.full_like(w, 1e-30), w)
    return torch.stack([clip[..., 0] / safe, -clip[..., 1] / safe], -1), w


def depth_buffer(vertices: Tensor, faces: Tensor, matrices: Tensor, size: tuple[int, int], backend: Backend) -> Tensor:
    """Distances along the viewing axis [N,H,W] float32 of the nearest surface at every pixel's centre; inf: nothing.

    Args:
        vertices: [V,3] float64, in the frame of the matrices.
        faces: [F,3] int64.
        matrices: [N,4,4] float64, to clip space; w is the depth, in the cameras' (world) units.
        size: (H, W).
        backend: what draws.
    """
    homogeneous = torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1)
    clip = (homogeneous @ matrices.transpose(1, 2)).float().to(backend.device)
    face_id, _ = ops.rasterize(backend, clip, faces, size)
    along = ops.interpolate(backend, clip[..., 3:].contiguous(), faces, face_id, clip)[..., 0]
    return torch.where(face_id >= 0, along, torch.inf).cpu()


def look_at_points(
    points: Tensor, normals: Tensor, photos: Photos, depth: Tensor, asked: Sequence[int] | None = None
) -> Samples:
    """What the photographs show at points of the surface whose depth buffers are given.

    Args:
        points: [P,3] float64 on or near the surface.
        normals: [P,3] float64, unit.
        photos: N of them.
        depth: [N,H,W], see `depth_buffer`.
        asked: numbers of the photographs that are looked at; None: all of them.
    """
    views = np.asarray(range(len(photos)) if asked is None else asked, np.int64)
    colours = np.zeros((len(views), len(points), 3), np.float32)
    weight = np.zeros((len(views), len(points)), np.float32)
    _look(
        points.numpy(), normals.numpy(), views, pixel_matrices(photos), photos.eye.numpy(), photos.images.numpy(),
        photos.masks.numpy(), photos.confidence.numpy(), depth.numpy(), slack(photos).numpy(), colours, weight,
    )  # fmt: skip
    return Samples(torch.from_numpy(colours), torch.from_numpy(weight))


def pixel_matrices(photos: Photos) -> Floats:
    """[N,3,4] float64: homogeneous points to (column w, row w, w), in pixels; a pixel's centre has whole numbers."""
    height, width = photos.size
    clip = photos.clip_from_object.numpy()
    across, down, depth = clip[:, 0], -clip[:, 1], clip[:, 3]
    return np.stack(
        [(across + depth) * (width / 2) - depth / 2, (down + depth) * (height / 2) - depth / 2, depth], 1
    ).copy()


def slack(photos: Photos) -> Tensor:
    """By how much [N] float64 points may lie behind the depth buffers, in the buffers' units."""
    # a pixel's size in the depth's own units: what it is in normalised ones, times units per normalised unit
    unit: Tensor = photos.clip_from_object[:, 3, :3].norm(dim=1)
    return SLACK * photos.pixel * unit


def in_front(at: Tensor, w: Tensor, depth: Tensor, photos: Photos) -> Tensor:
    """Which points [N,P] no surface hides: nearer than the farthest of the pixels around, but for some slack.

    Args:
        at: [N,P,2] float64 picture coordinates, see `project`.
        w: [N,P] their depths.
        depth: [N,H,W], see `depth_buffer`.
        photos: N of them.
    """
    size = torch.tensor(photos.size[::-1], dtype=torch.float64)
    pixel = ((at + 1) * (size / 2) - 0.5).numpy()
    free = np.zeros(w.shape, bool)
    _free(pixel, w.double().numpy(), depth.numpy(), slack(photos).numpy(), free)
    return torch.from_numpy(free)


@kernel
def _look(
    points: Floats, normals: Floats, views: Ints, matrices: Floats, eyes: Floats, images: Array, masks: Array,
    confidence: Array, depth: Array, slack: Floats, colours: Array, weight: Array,
) -> None:  # fmt: skip
    """Fill colours [K,P,3] and weight [K,P] of the K views; colours also where a photograph does not see the point."""
    height, width = masks.shape[1], masks.shape[2]
    for k in range(len(views)):
        view = views[k]
        for p in range(len(points)):
            here = point(points, p)
            x, y, w = seen_at(matrices[view], here)
            if not (w > 0 and x > -0.5 and y > -0.5 and x < width - 0.5 and y < height - 0.5):
                continue
            i, j, v, u = _cell(y, height), _cell(x, width), _within(y, height), _within(x, width)
            below, right = min(i + 1, height - 1), min(j + 1, width - 1)
            for c in range(3):
                colours[k, p, c] = _between(
                    images[view, i, j, c], images[view, i, right, c], images[view, below, j, c],
                    images[view, below, right, c], u, v,
                )  # fmt: skip
            known = _between(
                masks[view, i, j] * confidence[view, i, j], masks[view, i, right] * confidence[view, i, right],
                masks[view, below, j] * confidence[view, below, j],
                masks[view, below, right] * confidence[view, below, right], u, v,
            )  # fmt: skip
            cosine = dot(normalized(minus(point(eyes, view), here)), point(normals, p))
            if cosine > 0 and known > 0.5 and _unhidden(x, y, w - slack[view], depth[view]):
                weight[k, p] = cosine


@kernel
def _free(pixel: Floats, w: Floats, depth: Array, slack: Floats, free: Bools) -> None:
    """Fill `free` [N,P] with whether points at pixels [N,P,2] are not hidden."""
    for view in range(len(pixel)):
        for p in range(pixel.shape[1]):
            x, y = pixel[view, p, 0], pixel[view, p, 1]
            free[view, p] = _unhidden(x, y, w[view, p] - slack[view], depth[view])


@body
def seen_at(matrix: Floats, p: Triple) -> Triple:
    """(column, row, depth) of a point in a photograph, see `pixel_matrices`."""
    w = matrix[2, 0] * p[0] + matrix[2, 1] * p[1] + matrix[2, 2] * p[2] + matrix[2, 3]
    x = matrix[0, 0] * p[0] + matrix[0, 1] * p[1] + matrix[0, 2] * p[2] + matrix[0, 3]
    y = matrix[1, 0] * p[0] + matrix[1, 1] * p[1] + matrix[1, 2] * p[2] + matrix[1, 3]
    return x / w, y / w, w


@body
def _between(a: float, b: float, c: float, d: float, u: float, v: float) -> float:
    """Bilinear, from the upper values a, b and the lower ones c, d."""
    upper, lower = a + u * (b - a), c + u * (d - c)
    return upper + v * (lower - upper)


@body
def _cell(at: float, count: int) -> int:
    """The pixel before a place between pixels; that before the last one at most."""
    return int(max(min(at, count - 1.001), 0.0))


@body
def _within(at: float, count: int) -> float:
    """How far behind the pixel before it a place lies, in [0, 1]."""
    return max(min(at, count - 1.001), 0.0) - _cell(at, count)


@body
def _unhidden(x: float, y: float, w: float, depth: Array) -> bool:
    """Whether a depth is at most the farthest of those of the pixels around; beyond the picture nothing hides."""
    if not (abs(x) < FAR and abs(y) < FAR):
        return True
    i, j = math.floor(y + 0.5), math.floor(x + 0.5)
    if i < 0 or j < 0 or i >= depth.shape[0] or j >= depth.shape[1]:
        return True
    for row in range(max(i - 1, 0), min(i + 2, depth.shape[0])):
        for column in range(max(j - 1, 0), min(j + 2, depth.shape[1])):
            if depth[row, column] >= w:
                return True
    return False
