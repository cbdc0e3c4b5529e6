"""Cameras as homogeneous maps to the pixels of their images, for points and lines that may reach behind the eye."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.kernels.intersect import approached
from invrender.nouns import Cameras
from invrender.shading.surface import Surface

Tensor = torch.Tensor

OUTSIDE = 4.0  # of a frame, from its middle: rays start no farther away
_AT_INFINITY = 1e-12  # of a homogeneous point's length: a last number below this is rounding


@dataclass(frozen=True)
class Frame:
    """Coordinates (x - centre) / unit of at most 1, whatever the world's offset and units; constant in gradients.

    Attributes:
        centre: [3] float64.
        unit: world units.
    """

    centre: Tensor
    unit: float

    def local(self, points: Tensor) -> Tensor:
        """Points [...,3] of the world in the frame."""
        return (points - self.centre) / self.unit

    def world(self, points: Tensor) -> Tensor:
        """Points [...,3] of the frame in the world."""
        return points * self.unit + self.centre

    def local_point(self, point: Tensor) -> Tensor:
        """A homogeneous point [4] of the world in the frame: (position, 1), or (direction, 0), which becomes a unit."""
        point = point.to(self.centre)
        place, direction = self.local(point[:3]), torch.nn.functional.normalize(point[:3], dim=0)
        return torch.cat([torch.where(point[3] == 0, direction, place), point[3:]])


def frame_of(surface: Surface) -> Frame:
    """The frame of a mesh, about the middle of its box."""
    at = surface.positions.detach().double()
    at = at[surface.faces.reshape(-1)] if len(surface.faces) else at.new_zeros(1, 3)
    centre = (at.amin(0) + at.amax(0)) / 2
    unit = float((at - centre).norm(dim=1).max())
    return Frame(centre, unit if unit > 0 else 1.0)


def screen_from_frame(cameras: Cameras, frame: Frame) -> Tensor:
    """[N,4,4] float64: takes (x, 1) of points in a frame to (column w, row w, z w, w); differentiable in the cameras.

    Columns and rows are in pixels, centres at +0.5, and z is the depth from -1 (near) to 1 (far).
    """
    height, width = cameras.size
    view = torch.tensor(
        [[width / 2, 0, 0, width / 2], [0, -height / 2, 0, height / 2], [0, 0, 1, 0], [0, 0, 0, 1]], dtype=torch.float64
    )
    world = torch.diag(torch.tensor([frame.unit] * 3 + [1.0], dtype=torch.float64))
    world[:3, 3] = frame.centre.cpu()
    on_camera = cameras.world_to_camera @ world.to(cameras.world_to_camera)
    screen: Tensor = (view.to(on_camera) @ cameras.projection @ on_camera).to(frame.centre.device)
    return screen


def eye_points(screen: Tensor) -> Tensor:
    """Homogeneous points [N,4] that cameras [N,4,4] look from; of orthographic ones, (viewing direction, 0)."""
    eye = torch.linalg.inv(screen)[:, :, 2]
    eye = eye / eye.abs().amax(1, keepdim=True)
    at_infinity = eye[:, 3:].abs() <= _AT_INFINITY
    return torch.cat([eye[:, :3], torch.where(at_infinity, 0.0, eye[:, 3:])], 1)


def screen_rays(screen: Tensor, view: Tensor, points: Tensor) -> tuple[Tensor, Tensor]:
    """Origins and unit directions [K,3] of the rays through points [K,2] of the images of cameras view [K] of [N,4,4].

    Rays start in the eye, those of an orthographic camera on its near plane; where that is far from the mesh, near it.
    """
    eye, inverse = eye_points(screen)[view], torch.linalg.inv(screen)[view]
    homogeneous = torch.cat([points, points.new_tensor([-1.0, 1.0]).expand(len(points), 2)], 1)
    near = (inverse @ homogeneous[:, :, None])[..., 0]
    central = eye[:, 3:] != 0
    position = eye[:, :3] / torch.where(central, eye[:, 3:], 1)
    origin = torch.where(central, position, near[:, :3] / near[:, 3:])
    direction = torch.where(central, near[:, :3] - position * near[:, 3:], eye[:, :3])
    direction = torch.nn.functional.normalize(direction, dim=1)
    return approached(origin, direction, OUTSIDE), direction


def clipped(ends: Tensor, size: tuple[int, int]) -> Tensor:
    """The parts of lines that an image shows, from homogeneous ends [E,2,4] on the screen: [E,2,2] in pixels.

    Lines are cut where they leave the image or pass behind the eye (Liang and Barsky 1984, in homogeneous
    coordinates, before the division); of lines that are not seen both ends are equal.
    """
    height, width = size
    x, y, _, w = ends.unbind(-1)
    inside = torch.stack([x, width * w - x, y, height * w - y, w], -1)  # >= 0 within the image and before the eye
    one, other = inside[:, 0], inside[:, 1]
    crossing = one / torch.where(one == other, 1, one - other)
    start = torch.where((one < 0) & (other >= 0), crossing, 0.0).amax(1)
    stop = torch.where((other < 0) & (one >= 0), crossing, 1.0).amin(1)
    hidden = ((one < 0) & (other < 0)).any(1) | (start >= stop)
    at = torch.stack([start, stop], 1)[..., None]
    cut = ends[:, :1] * (1 - at) + ends[:, 1:] * at
    points = cut[..., :2] / torch.where(cut[..., 3:] > 0, cut[..., 3:], 1)
    hidden |= (cut[..., 3] <= 0).any(1)
    points = torch.stack([points[..., 0].clamp(0, width), points[..., 1].clamp(0, height)], -1)
    return torch.where(hidden[:, None, None], 0.0, points)
