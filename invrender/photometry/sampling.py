"""What photographs show at points of a surface, and which of them see it.

A photograph sees a point where nothing of the surface lies in front of it (a depth buffer in the photograph's own
pixels), where the surface faces the camera, and where the mask says that the object is there.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender import ops
from invrender.kernels import Backend
from invrender.photometry.photos import Photos

Tensor = torch.Tensor

SLACK = 4.0  # pixels' sizes by which a point may lie behind the depth buffer: the surface between its samples
NO_DEPTH = 1e30


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


def look_up(pictures: Tensor, at: Tensor) -> Tensor:
    """Bilinear values [N,P,C] of pictures [N,H,W,C] at coordinates [N,P,2] in [-1, 1]; 0 beyond the border."""
    read = torch.nn.functional.grid_sample(
        pictures.permute(0, 3, 1, 2), at[:, None].to(pictures), mode="bilinear", align_corners=False
    )
    return read[:, :, 0].transpose(1, 2)


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


def look_at_points(points: Tensor, normals: Tensor, photos: Photos, depth: Tensor) -> Samples:
    """What the photographs show at points of the surface whose depth buffers are given.

    Args:
        points: [P,3] float64 on or near the surface.
        normals: [P,3] float64, unit.
        photos: N of them.
        depth: [N,H,W], see `depth_buffer`.
    """
    at, w = project(points, photos.clip_from_object)
    colours = look_up(photos.images, at)
    known = look_up((photos.masks * photos.confidence)[..., None], at)[..., 0]
    to_eye = torch.nn.functional.normalize(photos.eye[:, None] - points, dim=-1)
    cosine = (to_eye * normals).sum(-1).clamp(min=0)
    seen = (w > 0) & (at.abs() < 1).all(-1) & in_front(at, w, depth, photos)
    weight = torch.where(seen, cosine, torch.zeros_like(cosine)).float() * (known > 0.5)
    return Samples(colours, weight)


def in_front(at: Tensor, w: Tensor, depth: Tensor, photos: Photos) -> Tensor:
    """Which points [N,P] no surface hides: nearer than the farthest of the pixels around, but for some slack."""
    far = torch.nn.functional.max_pool2d(depth.clamp(max=NO_DEPTH)[:, None], 3, 1, 1)
    read = torch.nn.functional.grid_sample(far, at[:, None].to(far), mode="nearest", align_corners=False)[:, 0, 0]
    # a pixel's size in the depth's own units: what it is in normalised ones, times units per normalised unit
    unit = photos.clip_from_object[:, 3, :3].norm(dim=1)
    hidden: Tensor = w > read + (SLACK * photos.pixel * unit)[:, None]
    return ~hidden
