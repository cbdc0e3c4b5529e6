"""Photographs warped onto each other by the surface between them: 1 - ZNCC and colours, differentiable in the surface.

A pixel of one photograph looks at a point of the surface; other photographs show that point, too. Where the surface is
right they show the same: patches correlate, colours agree. The gradient moves the point along the pixel's ray, so that
the other photographs' pixels slide over their texture.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from invrender import ops
from invrender.kernels import Backend
from invrender.photometry.photos import Photos
from invrender.photometry.sampling import NO_DEPTH, in_front

Tensor = torch.Tensor

GRAZING = 0.2  # cosine below which another photograph sees too little of the surface


@dataclass(frozen=True)
class Window:
    """How pictures are compared.

    Attributes:
        radius: of the window, in pixels.
        noise: sRGB standard deviation below which a window counts as flat.
        tolerance: sRGB distance at which a colour counts half (Geman and McClure).
        filled: share of a window that both photographs have to show.
    """

    radius: int = 3
    noise: float = 0.01
    tolerance: float = 0.1
    filled: float = 0.6


@dataclass(frozen=True)
class Warped:
    """Sums over the pixels of one photograph that another shows, too, and how many there are.

    Attributes:
        apart: of 1 - ZNCC.
        colours: of the robust colour difference, each in [0, 1].
        count: of pixels.
    """

    apart: Tensor
    colours: Tensor
    count: int


def neighbours(photos: Photos, most: int, angle: float) -> list[list[int]]:
    """For every photograph the others, nearest first, seen from the origin within so many radians; `most` at most."""
    direction = torch.nn.functional.normalize(photos.eye, dim=1)
    between = torch.arccos((direction @ direction.T).clamp(-1, 1))
    between.fill_diagonal_(torch.inf)
    order = between.argsort(1)[:, :most]
    return [[int(j) for j in row if float(between[i, j]) < angle] for i, row in enumerate(order)]


def warped(
    vertices: Tensor, faces: Tensor, photos: Photos, view: int, others: Sequence[int], window: Window, backend: Backend
) -> Warped:
    """Compare a photograph with others that are warped onto it.

    Args:
        vertices: [V,3] float64 in the photographs' frame; the sums are differentiable in them.
        faces: [F,3] int64.
        photos: all of them, on the CPU.
        view: the photograph whose pixels are compared.
        others: the photographs that are warped.
        window: how.
        backend: what draws.
    """
    zero = vertices.sum() * 0
    clip = _clip(vertices, photos.clip_from_object[[view]])
    face_id, _ = ops.rasterize(backend, clip, faces, photos.size)
    rows, columns = _box(face_id[0] >= 0)
    if rows is None or not others:
        return Warped(zero, zero, 0)
    # Only the object's part of the picture: windows and warps beyond it would say nothing.
    there = ops.interpolate(backend, vertices.float(), faces, face_id, clip)[0, rows, columns]
    hit = (face_id[0] >= 0)[rows, columns]
    own = photos.images[view][rows, columns].permute(2, 0, 1)[None]
    at, depth = _projected(there, photos, others)
    shown = hit & _visible(vertices.detach(), faces, photos, others, at.detach(), depth.detach(), backend)
    corners = faces[face_id[0, rows, columns].clamp(min=0)]
    shown = shown & _facing(vertices.detach(), corners, there.detach(), photos, others)
    read = torch.nn.functional.grid_sample(
        photos.images[list(others)].permute(0, 3, 1, 2), at, mode="bilinear", align_corners=False
    )
    apart, good = _one_less_zncc(own, read, shown[:, None].float(), window)
    difference = ((read - own) ** 2).sum(1)
    colours = difference / (difference + window.tolerance**2)
    return Warped((apart * good).sum(), (colours * good).sum(), int(good.sum()))


def _clip(vertices: Tensor, matrices: Tensor) -> Tensor:
    return (torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1) @ matrices.transpose(1, 2)).float()


def _box(hit: Tensor) -> tuple[slice, slice] | tuple[None, None]:
    """Rows and columns that hold all pixels that are hit."""
    y, x = hit.nonzero(as_tuple=True)
    if not len(y):
        return None, None
    return slice(int(y.min()), int(y.max()) + 1), slice(int(x.min()), int(x.max()) + 1)


def _projected(points: Tensor, photos: Photos, others: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Picture coordinates [M,h,w,2] in [-1, 1] and depths [M,h,w] of points [h,w,3] in M photographs."""
    homogeneous = torch.cat([points, torch.ones_like(points[..., :1])], -1)
    clip = torch.einsum("hwk,mrk->mhwr", homogeneous, photos.clip_from_object[list(others)].float())
    w = torch.where(clip[..., 3].abs() < 1e-30, 1e-30, clip[..., 3])
    return torch.stack([clip[..., 0] / w, -clip[..., 1] / w], -1), w


def _visible(
    vertices: Tensor, faces: Tensor, photos: Photos, others: Sequence[int], at: Tensor, depth: Tensor, backend: Backend
) -> Tensor:
    """Which points [M,h,w] the other photographs see: nothing in front, within the picture, no background."""
    some = photos[others]
    clip = _clip(vertices, some.clip_from_object)
    face_id, _ = ops.rasterize(backend, clip, faces, some.size)
    along = ops.interpolate(backend, clip[..., 3:].contiguous(), faces, face_id, clip)[..., 0]
    buffer = torch.where(face_id >= 0, along, NO_DEPTH)
    points = at.flatten(1, 2)
    free = in_front(points.double(), depth.flatten(1), buffer, some)
    inside = (depth > 0) & (at.abs() < 1).all(-1)
    background = (some.confidence * (1 - some.masks))[:, None]
    beyond = torch.nn.functional.grid_sample(background, at, mode="bilinear", align_corners=False)[:, 0] > 0.5
    return free.reshape(depth.shape) & inside & ~beyond


def _facing(vertices: Tensor, corners: Tensor, there: Tensor, photos: Photos, others: Sequence[int]) -> Tensor:
    """Which points [M,h,w] of faces with the given corners [h,w,3] others do not see at a grazing angle."""
    a, b, c = vertices[corners].unbind(-2)
    normal = torch.nn.functional.normalize(torch.linalg.cross(b - a, c - a), dim=-1)
    ray = torch.nn.functional.normalize(photos.eye[list(others)][:, None, None] - there, dim=-1)
    return (ray * normal).sum(-1) > GRAZING


def _one_less_zncc(own: Tensor, read: Tensor, shown: Tensor, window: Window) -> tuple[Tensor, Tensor]:
    """1 - ZNCC [M,h,w] of windows of own [1,3,h,w] and read [M,3,h,w] where shown [M,1,h,w], and where it counts.

    The channels' correlations count by their contrast, as if a window were one vector.
    """
    share = _box_mean(shown, window.radius)

    def mean(x: Tensor) -> Tensor:
        return _box_mean(x * shown, window.radius) / share.clamp(min=1e-3)

    mean_a, mean_b = mean(own), mean(read)
    variance_a = (mean(own * own) - mean_a**2).clamp(min=0).mean(1) + window.noise**2
    variance_b = (mean(read * read) - mean_b**2).clamp(min=0).mean(1) + window.noise**2
    score = (mean(own * read) - mean_a * mean_b).mean(1) / (variance_a * variance_b).sqrt()
    return 1 - score, ((share > window.filled) & (shown > 0))[:, 0]


def _box_mean(x: Tensor, radius: int) -> Tensor:
    # rows, then columns: a box is the product of both
    high = torch.nn.functional.avg_pool2d(x, (2 * radius + 1, 1), 1, (radius, 0), count_include_pad=False)
    return torch.nn.functional.avg_pool2d(high, (1, 2 * radius + 1), 1, (0, radius), count_include_pad=False)
