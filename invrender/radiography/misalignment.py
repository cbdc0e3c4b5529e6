"""What a scanner's geometry is off by: few numbers that move all of its cameras alike."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.cameras.rays import pixel_rays
from invrender.nouns import Cameras

Tensor = torch.Tensor


@dataclass(frozen=True)
class Misalignment:
    """By how much the truth differs from what cameras say, in pixels at the detector and degrees.

    The signs are those of `invrender.nouns.scan.ScanSetup`, by which these numbers can be added to what it holds.

    Attributes:
        axis: by how many columns the image of the axis of rotation lies farther to the right, seen from the source:
            source and detector stand farther to the left of it.
        u, v: by how many columns and rows the detector's middle lies farther to the right, farther down.
        tilt: degrees by which the detector is turned farther in its own plane, clockwise seen from the source.
    """

    axis: float = 0.0
    u: float = 0.0
    v: float = 0.0
    tilt: float = 0.0


def moved(cameras: Cameras, by: Misalignment, axis: Tensor, pixel: float) -> Cameras:
    """Cameras of a scanner whose geometry is corrected.

    Args:
        cameras: N of them, which turn about an axis.
        by: the correction.
        axis: [3] float64 unit vector of the axis of rotation; see `invrender.cameras.orbit`.
        pixel: what a column of the detector covers at the axis, in world units; see `pixel_at_axis`.
    """
    to_camera = cameras.world_to_camera.clone()
    # A camera that stands s farther along some direction sees all points s farther back.
    shift = -by.axis * pixel * sideways(cameras, axis)
    to_camera[:, :3, 3] -= (to_camera[:, :3, :3] @ shift[:, :, None])[:, :, 0]
    projection = _detector_moved(cameras, by)
    if by.tilt:
        to_camera, projection = _rolled(to_camera, projection)
    return Cameras(to_camera, projection, cameras.size)


def _rolled(to_camera: Tensor, projection: Tensor) -> tuple[Tensor, Tensor]:
    """The same rays, with the camera turned about its viewing axis so that rows of pixels run along its x.

    A turn of the detector is then a turn of the camera, which every format of poses can hold.
    """
    shear = projection[:, :2, :2]
    up = torch.nn.functional.normalize(shear[:, 1], dim=1)
    turn = torch.stack([torch.stack([up[:, 1], -up[:, 0]], 1), up], 1)  # rows: right and up
    rolled, projection = to_camera.clone(), projection.clone()
    rolled[:, :2] = turn @ to_camera[:, :2]
    projection[:, :2, :2] = shear @ turn.transpose(1, 2)
    projection[:, 1, 0] = 0
    return rolled, projection


def sideways(cameras: Cameras, axis: Tensor) -> Tensor:
    """[N,3] float64: where right is, across the axis of rotation and the viewing axis."""
    back = cameras.world_to_camera[:, 2, :3]
    return torch.nn.functional.normalize(torch.linalg.cross(axis.expand_as(back), back), dim=1)


def pixel_at_axis(cameras: Cameras, centre: Tensor) -> float:
    """How many world units the step from a column to the next is where rays pass the axis, on average.

    Args:
        cameras: N of them.
        centre: [3] a point of the axis.
    """
    origin, direction = pixel_rays(cameras)
    back = cameras.world_to_camera[:, 2, :3]
    depth = ((origin[:, :, 2] - centre) * back).sum(1)  # along the viewing axis; directions have a depth of 1
    step = origin[:, :, 0] + depth[:, None] * direction[:, :, 0]
    return float(step.norm(dim=1).mean())


def _detector_moved(cameras: Cameras, by: Misalignment) -> Tensor:
    """[N,4,4] projections where the detector is moved in its plane.

    A point that fell on pixel p falls on q = m + T^-1 (p - m - (u, v)), with m the middle and T the turn in pixels.
    """
    height, width = cameras.size
    p = cameras.projection
    angle = math.radians(by.tilt)
    turn = torch.tensor(
        [[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]], dtype=torch.float64
    )  # along (right, down)
    to_pixels = torch.tensor([width / 2, -height / 2], dtype=torch.float64)[:, None]
    down = torch.tensor([1.0, -1.0], dtype=torch.float64)
    pixels = to_pixels * p[:, :2, :2] * down  # from right and down, where w is 1, to columns and rows
    inverse = pixels @ turn.T @ torch.linalg.inv(pixels)
    # In the picture's own coordinates, halves of it from the middle.
    inner = inverse / to_pixels * to_pixels.T
    shift = (inner @ torch.tensor([by.u * 2 / width, -by.v * 2 / height], dtype=torch.float64))[:, :, None]
    changed = p.clone()
    changed[:, :2] = inner @ p[:, :2] - shift * p[:, 3:4]
    return changed
