"""Turntables of a reconstruction: cameras on a circle around it, and the input's views beside them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.cameras.framing import fitting_distance
from invrender.cameras.projection import look_at, perspective
from invrender.nouns import Cameras, Lights, Material
from invrender.parameters.frame import Frame

Tensor = torch.Tensor

DISTANCE, FOV, ELEVATION = 3.0, 42.0, 12.0
PAPER = (0.93, 0.94, 0.96)  # linear RGB of the background
CLAY = Material(albedo=(0.46, 0.5, 0.57), name="clay")
LIGHT = Lights(intensity=0.85, ambient=0.22)
LEVEL = 0.1  # cameras count as held level whose sides leave a plane this little, relative to their spread in it


@dataclass(frozen=True)
class Turntable:
    """Cameras on a full circle around the origin of the normalised frame.

    Attributes:
        cameras: one per frame, looking at the origin.
        directions: [frames,3] float64, unit vectors from the origin to the cameras.
        distance: of the cameras.
    """

    cameras: Cameras
    directions: Tensor
    distance: float = DISTANCE


def make_turntable(frames: int, size: int, views: Cameras, points: Tensor | None = None) -> Turntable:
    """A turntable about the views' common up direction, beginning at the first view's azimuth.

    Args:
        frames: on the circle.
        size: of the square pictures, in pixels.
        views: whose up direction it has.
        points: [P,3] float64 that have to be in the pictures: cameras stand back where DISTANCE is too near for them.
    """
    rotation = views.world_to_camera[:, :3, :3]
    up = _common_up(rotation)
    front = _unit(rotation[0, 2] - (rotation[0, 2] @ up) * up, fallback=_any_across(up))
    side = torch.linalg.cross(up, front)
    azimuth = torch.arange(frames, dtype=torch.float64)[:, None] * (2 * math.pi / frames)
    ring = torch.cos(azimuth) * front + torch.sin(azimuth) * side
    tilt = math.radians(ELEVATION)
    directions = math.cos(tilt) * ring + math.sin(tilt) * up
    distance = DISTANCE
    if points is not None:
        upright = points @ torch.stack([side, up, front], 1)
        distance = max(DISTANCE, fitting_distance(upright, "orbit", (size, size), FOV, ELEVATION))
    world_to_camera = look_at(distance * directions, (0.0, 0.0, 0.0), up=up.tolist())
    projection = perspective(FOV, (size, size), distance - 1.8, distance + 1.8).expand(frames, 4, 4)
    return Turntable(Cameras(world_to_camera, projection, (size, size)), directions, distance)


def nearest_views(views: Cameras, turntable: Turntable) -> list[int]:
    """For each frame of the turntable the number of the view from the nearest direction."""
    towards = torch.linalg.inv(views.world_to_camera)[:, :3, 2]
    nearest: list[int] = (turntable.directions @ towards.T).argmax(1).tolist()
    return nearest


def zoomed(picture: Tensor, camera: Cameras, frame: Frame, turntable: Turntable) -> Tensor:
    """A view's picture, centred and scaled like those of the turntable.

    Args:
        picture: [H,W,C] float.
        camera: [1] of the view.
        frame: the normalised frame of the turntable.
        turntable: whose pictures are squares of S pixels.

    Returns:
        [S,S,C], 0 beyond the picture's border.
    """
    size = turntable.cameras.size[0]
    height, width = camera.size
    x, y, _, w = frame.clip_matrices(camera)[0, :, 3].tolist()
    half = (
        turntable.distance * math.tan(math.radians(FOV / 2)) / float(frame.pixel(camera)[0])
    )  # of the picture, in pixels
    fine = min(math.ceil(2 * half / size), 8)  # samples on each side of a pixel
    offset = ((torch.arange(size * fine) + 0.5) / (size * fine) * 2 - 1) * 2 * half
    rows, columns = torch.meshgrid(offset / height - y / w, offset / width + x / w, indexing="ij")
    drawn = torch.nn.functional.grid_sample(
        picture.permute(2, 0, 1)[None],
        torch.stack([columns, rows], -1)[None],
        padding_mode="zeros",
        align_corners=False,
    )
    small: Tensor = torch.nn.functional.avg_pool2d(drawn, fine)[0]
    return small.permute(1, 2, 0)


def _common_up(rotation: Tensor) -> Tensor:
    """Up [3] of cameras [N,3,3] that are held level: across all their sides; else the mean of their own ups."""
    mean = rotation[:, 1].mean(0)
    spread, axis = torch.linalg.eigh(rotation[:, 0].T @ rotation[:, 0])
    if float(spread[0]) < LEVEL * float(spread[1]):
        up: Tensor = axis[:, 0]
        return up if float(up @ mean) >= 0 else -up
    return _unit(mean, fallback=(0.0, 1.0, 0.0))


def _unit(vector: Tensor, fallback: tuple[float, float, float]) -> Tensor:
    length = float(vector.norm())
    return vector / length if length > 1e-6 else torch.tensor(fallback, dtype=torch.float64)


def _any_across(up: Tensor) -> tuple[float, float, float]:
    axis = torch.zeros(3, dtype=torch.float64)
    axis[int(up.abs().argmin())] = 1.0
    across = axis - (axis @ up) * up
    x, y, z = (across / across.norm()).tolist()
    return x, y, z
