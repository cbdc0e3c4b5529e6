"""Parallel cameras in the place of perspective ones: the same poses, and the same scale at one point."""

from __future__ import annotations

import math

import torch

from invrender.cameras.rays import pixel_rays
from invrender.errors import UsageError
from invrender.nouns import Cameras

Tensor = torch.Tensor

FAR = 1e4
_SKEW = 1e-9  # of the scale of a projection: less is rounding


def parallel_like(cameras: Cameras, point: Tensor) -> Cameras:
    """Parallel cameras that stand where the given ones do and show what lies as deep as `point` just as they do.

    A perspective camera maps x to (p00 x + p02 z) / -z. With -z put as the point's depth d, that is (p00 / d) x - p02,
    which a parallel camera does for every depth. Cameras that are parallel already stay as they are.

    Args:
        cameras: N of them.
        point: [3] in the world, before all of them.

    Raises:
        UsageError: the point does not lie before a camera.
    """
    depth = -(cameras.world_to_camera[:, 2, :3] @ point.to(cameras.world_to_camera) + cameras.world_to_camera[:, 2, 3])
    flat = cameras.parallel
    if not bool((flat | (depth > 0)).all()):
        raise UsageError("a camera looks away from what it shows", "let it look at the object")
    near, far = depth_range(cameras)
    old = cameras.projection
    new = torch.zeros_like(old)
    new[:, :2, :2] = old[:, :2, :2] / depth[:, None, None]
    new[:, :2, 3] = -old[:, :2, 2]
    new[:, 2, 2], new[:, 2, 3] = -2 / (far - near), -(far + near) / (far - near)
    new[:, 3, 3] = 1
    return Cameras(cameras.world_to_camera, torch.where(flat[:, None, None], old, new), cameras.size)


def with_extent(cameras: Cameras, extent: float) -> Cameras:
    """The same parallel cameras with `extent` world units across the smaller side of the picture.

    Raises:
        UsageError: the extent is not above 0.
    """
    check_extent(extent)
    factor = torch.ones(len(cameras), 4, 1, dtype=torch.float64)
    factor[:, :2, 0] = (extents(cameras) / extent)[:, None]
    return Cameras(cameras.world_to_camera, cameras.projection * factor, cameras.size)


def check_extent(extent: float) -> None:
    """
    Raises:
        UsageError: it is not above 0.
    """
    if not 0 < extent < math.inf:
        raise UsageError(f"a picture of {extent:g} world units across is impossible", "use an extent > 0")


def extents(cameras: Cameras) -> Tensor:
    """[N] float64, the world units across the smaller side of parallel cameras' pictures."""
    widest: Tensor = 2 / cameras.projection[:, :2, :2].norm(dim=2).amax(dim=1)
    return widest


def pixels_per_unit(cameras: Cameras, depth: Tensor) -> Tensor:
    """How many pixels a world unit at a depth [N,...] takes along a column of each picture, in the shape of `depth`.

    Of a perspective camera that is fy / depth; of a parallel one it is the same everywhere.
    """
    rows = cameras.projection[:, 1, :2].norm(dim=1) * cameras.size[0] / 2
    many = (-1,) + (1,) * (depth.dim() - 1)
    rows, flat = rows.to(depth).reshape(many), cameras.parallel.to(depth.device).reshape(many)
    return torch.where(flat, rows.expand_as(depth), rows / torch.where(flat, torch.ones_like(depth), depth))


def to_viewers(cameras: Cameras, points: Tensor, origin: Tensor) -> Tensor:
    """Unit vectors [N,...,3] from points [N,...,3], given relative to `origin` [3], to who sees them, in their dtype.

    To the eye of a perspective camera; against the rays of a parallel one, wherever the point is.
    """
    many = (len(cameras),) + (1,) * (points.dim() - 2) + (3,)
    eye = (cameras.position.to(origin) - origin).to(points).reshape(many)
    if not bool(cameras.parallel.any()):
        return torch.nn.functional.normalize(eye - points, dim=-1)
    back = -torch.nn.functional.normalize(ray_directions(cameras), dim=1).to(points).reshape(many)
    flat = cameras.parallel.to(points.device).reshape((*many[:-1], 1))
    return torch.nn.functional.normalize(torch.where(flat, back.expand_as(points), eye - points), dim=-1)


def standpoints(cameras: Cameras) -> Tensor:
    """[N,3] float64, where the ray through the middle of each picture starts: the eye of a perspective camera."""
    height, width = cameras.size
    return pixel_rays(cameras)[0] @ torch.tensor([width / 2, height / 2, 1], dtype=torch.float64)


def ray_directions(cameras: Cameras) -> Tensor:
    """[N,3] float64, along the ray through the middle of each picture in the world; a parallel camera has no other."""
    height, width = cameras.size
    middle = torch.tensor([width / 2, height / 2, 1], dtype=torch.float64)
    return pixel_rays(cameras)[1] @ middle


def depth_range(cameras: Cameras) -> tuple[Tensor, Tensor]:
    """Near and far of each camera, [N] float64 each: distances along the viewing axis."""
    p, flat = cameras.projection, cameras.parallel
    down, shift = p[:, 2, 2], p[:, 2, 3]
    near = torch.where(flat, (1 + shift) / down, shift / (down - 1))
    far = torch.where(flat, (shift - 1) / down, shift / (down + 1))
    return near, far


def far_pinholes(cameras: Cameras, about: Tensor, reach: float) -> Cameras:
    """The cameras, parallel ones as pinholes FAR times `reach` behind a point, in whose plane they show the same.

    For what needs an eye and depths in clip space's w. Within `reach` of the point pictures differ by 1 / FAR of the
    distance from the middle, and directions by 1 / FAR.

    Args:
        cameras: N of them; perspective ones stay as they are.
        about: [3] in the world.
        reach: in world units.
    """
    flat = cameras.parallel
    if not bool(flat.any()):
        return cameras
    rotation, about = cameras.world_to_camera[:, :3, :3], about.to(cameras.world_to_camera)
    way = torch.nn.functional.normalize(ray_directions(cameras), dim=1)
    eye = about - FAR * reach * way
    depth = -((rotation @ (about - eye)[:, :, None])[:, 2, 0])
    matrix = cameras.world_to_camera.clone()
    matrix[:, :3, 3] = -(rotation @ eye[:, :, None])[:, :, 0]
    foot = eye - depth[:, None] * rotation[:, 2]  # straight ahead of the eye, in the plane
    seen = cameras.clip_from_world @ torch.nn.functional.pad(foot, (0, 1), value=1.0)[:, :, None]
    projection = torch.zeros_like(cameras.projection)
    projection[:, :2, :2] = cameras.projection[:, :2, :2] * depth[:, None, None]
    projection[:, :2, 2] = -seen[:, :2, 0]
    near, far = depth - 4 * reach, depth + 4 * reach
    projection[:, 2, 2], projection[:, 2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    projection[:, 3, 2] = -1
    chosen = flat[:, None, None]
    return Cameras(
        torch.where(chosen, matrix, cameras.world_to_camera),
        torch.where(chosen, projection, cameras.projection),
        cameras.size,
    )


def check_straight(cameras: Cameras) -> None:
    """
    Raises:
        UsageError: pixels are no rectangles, or parallel rays meet them at a slant.
    """
    p = cameras.projection.detach()
    scale = p[:, :2, :2].norm(dim=(1, 2))
    skew = p[:, [0, 1], [1, 0]].abs().amax(1) + torch.where(cameras.parallel, p[:, :2, 2].abs().amax(1), 0.0)
    if bool((skew > _SKEW * scale).any()):
        raise UsageError(
            "rays meet the pixels of a camera at a slant, or its pixels are no rectangles",
            "keep the geometry of such a detector in a scan.toml",
        )
