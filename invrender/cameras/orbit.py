"""Cameras on a circle: the axis that they turn about, read back from their poses.

Scanners turn, and so do datasets of them; whoever filters projections, or looks for a wrong axis, asks here whether
cameras are one source and one detector at many angles, and about which axis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch

from invrender.cameras.rays import pixel_rays
from invrender.nouns import Cameras

Tensor = torch.Tensor

TOLERANCE = 0.5  # pixels at the axis by which a camera may be off the circle


@dataclass(frozen=True)
class Orbit:
    """One source and one detector that turn about an axis.

    At every angle there is a frame that turns along: t, the direction in which cameras move as the angle grows; the
    axis; and r, from the axis to the source (of parallel rays: against them), across the axis; t x axis = r.

    Attributes:
        parallel: whether rays are parallel.
        axis: [3] float64 unit vector, the one of the axis's two directions that lies nearer to the pictures' up.
        centre: [3] float64, a point of the axis: the middle of the circle; of parallel cameras, as high as they are on
            average.
        radius: of the circle, in world units: from the axis to the sources; inf of parallel cameras.
        angles: [N] float64 radians in [0, 2 pi), counterclockwise seen from where the axis points to; 0: first camera.
        heights: [N] float64, positions along the axis, from the centre, in world units; 0 but on a helix.
        radial: [3] float64, r at the angle 0.
        frame: [3,3] float64, the camera's axes (rows: right, up, back) along t, the axis and r (columns); the identity
            of a camera that is upright and looks at the axis. The same for all.
        projection: [4,4] float64, the same for all.
        aside: of parallel cameras, by how many world units their position lies along t from the axis; 0 otherwise.
    """

    parallel: bool
    axis: Tensor
    centre: Tensor
    radius: float
    angles: Tensor
    heights: Tensor
    radial: Tensor
    frame: Tensor
    projection: Tensor
    aside: float

    @property
    def arc(self) -> float:
        """Radians that the cameras cover: a whole turn less the widest gap, and one usual step of theirs."""
        order = self.angles.sort().values
        gaps = torch.cat([order.diff(), order[:1] + 2 * math.pi - order[-1:]])
        inner = gaps.sort().values[:-1]
        return min(2 * math.pi, float(inner.sum() + inner.median()))

    def frames(self) -> Tensor:
        """[N,3,3] float64: the turning frames in the world, rows t, axis, r."""
        return _frames(self.axis, self.radial, self.angles)


def circular_orbit(cameras: Cameras, helix: bool = False, tolerance: float = TOLERANCE) -> Orbit | None:
    """The circle that cameras lie on, or None where they do not.

    Args:
        cameras: at least three, all perspective or all parallel.
        helix: whether they may climb along the axis while they turn.
        tolerance: by how many pixels, at the axis, a camera may be off its place.

    Returns:
        None where there is no such circle: other places, detectors that turn or zoom on their own, a single place.
    """
    parallel = bool(cameras.parallel[0])
    if len(cameras) < 3 or bool((cameras.parallel != parallel).any()):
        return None
    axes = cameras.world_to_camera[:, :3, :3]  # rows: right, up, back
    scatter = torch.einsum("nij,nik->jk", axes - axes.mean(0), axes - axes.mean(0))
    values, vectors = torch.linalg.eigh(scatter)
    if not float(values[1]) > 1e-10 * len(cameras):
        return None  # they all look the same way
    axis = vectors[:, 0]
    axis = axis if float((axes[:, 1] @ axis).sum()) >= 0 else -axis
    back = axes[:, 2] - (axes[:, 2] @ axis)[:, None] * axis
    if not float(back.norm(dim=1).min()) > 1e-6:
        return None  # they look along the axis
    centre = _centre(cameras, axis, torch.nn.functional.normalize(back, dim=1), parallel)
    out = back if parallel else cameras.position - centre
    out = out - (out @ axis)[:, None] * axis
    if not float(out.norm(dim=1).min()) > 0:
        return None
    orbit = _orbit(cameras, axis, centre, torch.nn.functional.normalize(out, dim=1))
    return orbit if _off(cameras, orbit, helix) <= tolerance else None


def _centre(cameras: Cameras, axis: Tensor, back: Tensor, parallel: bool) -> Tensor:
    """[3] a point of the axis."""
    middle = cameras.position.mean(0)
    place = cameras.position - middle
    e = torch.linalg.svd(axis[None]).Vh[1:]  # [2,3], across the axis
    flat = place @ e.T
    if parallel:
        # A position lies along t from the axis by the same length in all views: p t = c t + s.
        t = torch.linalg.cross(axis.expand_as(back), back)
        system, right = torch.cat([t @ e.T, torch.ones(len(t), 1, dtype=torch.float64)], 1), (place * t).sum(1)
    else:
        # |p|^2 = 2 c p + (r^2 - c^2): Kasa's fit of a circle.
        system = torch.cat([2 * flat, torch.ones(len(flat), 1, dtype=torch.float64)], 1)
        right = flat.square().sum(1)
    found = (torch.linalg.pinv(system, rtol=1e-9) @ right)[:2]
    centre: Tensor = middle + found @ e
    return centre


def _orbit(cameras: Cameras, axis: Tensor, centre: Tensor, radial: Tensor) -> Orbit:
    parallel = bool(cameras.parallel[0])
    first = radial[0]
    along = torch.linalg.cross(axis, first)
    angles = torch.atan2(radial @ along, radial @ first) % (2 * math.pi)
    frames = _frames(axis, first, angles)
    place = cameras.position - centre
    local = (cameras.world_to_camera[:, :3, :3] @ frames.transpose(1, 2)).mean(0)
    left, _, right = torch.linalg.svd(local)
    return Orbit(
        parallel,
        axis,
        centre,
        math.inf if parallel else float((place * radial).sum(1).mean()),
        angles,
        place @ axis,
        first,
        left @ right,
        cameras.projection.mean(0),
        float((place * frames[:, 0]).sum(1).mean()) if parallel else 0.0,
    )


def _frames(axis: Tensor, radial: Tensor, angles: Tensor) -> Tensor:
    along = torch.linalg.cross(axis, radial)
    c, s = angles.cos()[:, None], angles.sin()[:, None]
    return torch.stack([c * along - s * radial, axis.expand(len(angles), 3), c * radial + s * along], 1)


def _off(cameras: Cameras, orbit: Orbit, helix: bool) -> float:
    """By how many pixels, at the axis, the worst pixel ray of a camera misses where it would go on the circle."""
    frames = orbit.frames()
    turned = torch.eye(4, dtype=torch.float64).repeat(len(cameras), 1, 1)
    rotation = orbit.frame @ frames
    heights = orbit.heights if helix else torch.zeros_like(orbit.heights)
    out = 0.0 if orbit.parallel else orbit.radius
    place = orbit.centre + out * frames[:, 2] + orbit.aside * frames[:, 0] + heights[:, None] * orbit.axis
    turned[:, :3, :3] = rotation
    turned[:, :3, 3] = -(rotation @ place[:, :, None])[:, :, 0]
    ideal = Cameras(turned, orbit.projection.expand(len(cameras), 4, 4), cameras.size)
    here, there = (_at_axis(each, orbit, frames) for each in (cameras, ideal))
    step = (there[:, 1] - there[:, 0]).norm(dim=1) / cameras.size[1]
    return float(((here - there).norm(dim=2).amax(1) / step).max())


def _at_axis(cameras: Cameras, orbit: Orbit, frames: Tensor) -> Tensor:
    """[N,3,3]: where the rays of three corners meet the plane through the axis across r."""
    height, width = cameras.size
    corners = torch.tensor([[0, 0, 1], [width, 0, 1], [0, height, 1]], dtype=torch.float64)
    origin, direction = (matrix @ corners.T for matrix in pixel_rays(cameras))  # [N,3,3]: xyz, corner
    r = frames[:, 2]
    ahead = (r[:, :, None] * direction).sum(1)
    t = ((r * orbit.centre).sum(1, keepdim=True) - (r[:, :, None] * origin).sum(1)) / ahead
    return (origin + t[:, None] * direction).transpose(1, 2)
