"""From a scanner's numbers to its source and detector, and from these to cameras.

A source and a flat detector are a pinhole whose principal point is the foot of the source on the detector's plane. A
detector that is turned any way is just a pinhole that looks elsewhere, and pixels that are no rectangles are a shear.
"""

from __future__ import annotations

import math

import torch

from invrender.nouns import Cameras
from invrender.nouns.scan import ScanGeometry, ScanSetup

Tensor = torch.Tensor


def scan_geometry(setup: ScanSetup) -> ScanGeometry:
    """Where source and detector stand for each angle; see `ScanSetup` for the axes."""
    angle = torch.deg2rad(setup.angles.double())
    zero = torch.zeros_like(angle)
    right = torch.stack([angle.cos(), angle.sin(), zero], 1)
    ahead = torch.stack([-angle.sin(), angle.cos(), zero], 1)
    up = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64).expand_as(right)
    lift = (setup.rise * (setup.angles.double() - setup.angles[0]) / 360)[:, None] * up
    parallel = setup.beam == "parallel"
    near, far = (0.0, 0.0) if parallel else (setup.source_object, setup.source_detector - setup.source_object)
    aside = -setup.axis_offset * right
    across, down = setup.detector_offset
    level = -down * up if setup.beam == "fan" else 0.0  # along its rows a fan is parallel: its rays stay level
    turned = _turned(setup)
    frame = torch.stack([right, -up, ahead], 2)  # columns: along columns, rows, and away from the source
    axes = frame @ turned
    return ScanGeometry(
        setup.beam,
        ahead if parallel else aside - near * ahead + lift + level,
        aside + far * ahead + lift + across * right - down * up,
        axes[:, :, 0] * setup.pixel[0],
        axes[:, :, 1] * setup.pixel[1],
        setup.size,
    )


def _turned(setup: ScanSetup) -> Tensor:
    """[3,3] the detector's own axes (right, down, away) in those that it would have if it were straight."""
    tilt, yaw, pitch = (math.radians(angle) for angle in (setup.tilt, setup.yaw, setup.pitch))
    roll = [[math.cos(tilt), -math.sin(tilt), 0], [math.sin(tilt), math.cos(tilt), 0], [0, 0, 1]]
    turn = [[math.cos(yaw), 0, math.sin(yaw)], [0, 1, 0], [-math.sin(yaw), 0, math.cos(yaw)]]
    nod = [[1, 0, 0], [0, math.cos(pitch), -math.sin(pitch)], [0, math.sin(pitch), math.cos(pitch)]]
    roll_, turn_, nod_ = (torch.tensor(matrix, dtype=torch.float64) for matrix in (roll, turn, nod))
    return turn_ @ nod_ @ roll_


def scan_cameras(geometry: ScanGeometry) -> Cameras:
    """The cameras that see what the detector sees.

    Of a cone or parallel beam there are N; of a fan N times H, each with one row of pixels, in the order of the rows
    and then of the projections.
    """
    if geometry.beam == "parallel":
        return _parallel(geometry)
    if geometry.beam == "fan" and geometry.size[0] > 1:
        return _cone(_rows_apart(geometry))
    return _cone(geometry)


def by_camera(frames: Tensor, geometry: ScanGeometry) -> Tensor:
    """Frames [N,H,W] in the order of `scan_cameras`: [N,H,W], or of a fan [N*H,1,W]."""
    if geometry.beam != "fan" or geometry.size[0] == 1:
        return frames
    return frames.transpose(0, 1).reshape(-1, 1, geometry.size[1])


def _rows_apart(geometry: ScanGeometry) -> ScanGeometry:
    """A fan beam's rows as projections of their own: each is seen from a source at its height."""
    height, width = geometry.size
    steps = (torch.arange(height, dtype=torch.float64) + 0.5 - height / 2)[:, None, None] * geometry.v
    many = (height, len(geometry), 3)
    return ScanGeometry(
        "cone",
        (geometry.source + steps).reshape(-1, 3),
        (geometry.centre + steps).reshape(-1, 3),
        geometry.u.expand(many).reshape(-1, 3),
        geometry.v.expand(many).reshape(-1, 3),
        (1, width),
    )


def _cone(geometry: ScanGeometry) -> Cameras:
    normal = torch.nn.functional.normalize(torch.linalg.cross(geometry.u, geometry.v), dim=1)
    to_camera, inverse = _looking(geometry, normal, geometry.source)
    offset = geometry.centre - geometry.source
    reach = (offset * normal).sum(1)
    at = (to_camera[:, :2, :3] @ offset[:, :, None])[:, :, 0]
    projection = torch.zeros(len(geometry), 4, 4, dtype=torch.float64)
    projection[:, :2, :2] = inverse * reach[:, None, None]
    projection[:, :2, 2] = (inverse @ at[:, :, None])[:, :, 0]
    near, far = reach / 1000, reach * 1000
    projection[:, 2, 2], projection[:, 2, 3] = (far + near) / (near - far), 2 * far * near / (near - far)
    projection[:, 3, 2] = -1
    return Cameras(to_camera, projection, geometry.size)


def _parallel(geometry: ScanGeometry) -> Cameras:
    height, width = geometry.size
    # Rays count from the camera's position on: far before anything that the detector could be meant for.
    extent = (geometry.u.norm(dim=1) * width).square() + (geometry.v.norm(dim=1) * height).square()
    back = extent.sqrt() + (geometry.centre * geometry.source).sum(1).abs()
    reach = 2 * back.amax().expand_as(back)
    position = geometry.centre - reach[:, None] * geometry.source
    to_camera, inverse = _looking(geometry, geometry.source, position)
    projection = torch.zeros(len(geometry), 4, 4, dtype=torch.float64)
    projection[:, :2, :2] = inverse
    projection[:, 2, 2], projection[:, 2, 3] = -1 / reach, torch.full_like(reach, -1.0)
    projection[:, 3, 3] = 1
    return Cameras(to_camera, projection, geometry.size)


def _looking(geometry: ScanGeometry, ahead: Tensor, position: Tensor) -> tuple[Tensor, Tensor]:
    """World to camera [N,4,4], which looks ahead with columns to the right, and the way from x, y to NDC [N,2,2]."""
    right = geometry.u - (geometry.u * ahead).sum(1, keepdim=True) * ahead
    right = torch.nn.functional.normalize(right, dim=1)
    rotation = torch.stack([right, torch.linalg.cross(-ahead, right), -ahead], 1)
    to_camera = torch.eye(4, dtype=torch.float64).repeat(len(geometry), 1, 1)
    to_camera[:, :3, :3] = rotation
    to_camera[:, :3, 3] = -(rotation @ position[:, :, None])[:, :, 0]
    height, width = geometry.size
    # Steps of a column and a row in the camera's x and y, then back, in halves of the picture.
    steps = torch.stack([geometry.u, geometry.v], 2)
    a, b, c, d = (rotation[:, :2] @ steps).reshape(-1, 4).unbind(1)
    scale = torch.tensor([2 / width, -2 / height], dtype=torch.float64)
    inverse = torch.stack([torch.stack([d, -b], 1), torch.stack([-c, a], 1)], 1) / (a * d - b * c)[:, None, None]
    return to_camera, scale[:, None] * inverse
