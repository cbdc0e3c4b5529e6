"""A ground that is seen by the shadow on it alone: what stands on it keeps the light from everywhere away.

The shadow is ambient occlusion (`baked.openness_at`) on a grid of points of the ground, dark where things touch it and
soft farther away. A picture's pixels look it up where their rays meet the ground.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.cameras.rays import pixel_rays
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.render.baked import openness_at
from invrender.render.rays import Body, body
from invrender.shading.surface import Surface

Tensor = torch.Tensor

STRENGTH = 0.75  # opacity of the shadow where no light arrives
_POINTS = 96  # on each side of the grid
_RAYS = 64  # of each
_REACH = 0.8  # how far the ground's shadow comes from, in longest sides
_BEYOND = 0.7  # how far the grid reaches beyond the box, likewise
_CONTRAST = 1.4  # power of the shadow, so that it gathers where things touch the ground
_GAP = 1e-4  # between the ground and what stands on it, likewise
_VAST = 50.0  # how far the ground reaches that blocks light, likewise


@dataclass(frozen=True)
class Ground:
    """A plane below a mesh.

    Attributes:
        middle: [3] float64, a point of it below the mesh's middle, in the world.
        axes: [3,3] float64, unit rows: right, front, up.
        half: half the side of the grid, in world units.
        shade: [G,G] the share of the light that is missing, over front and right from -half to half.
        side: the longest side of the mesh.
    """

    middle: Tensor
    axes: Tensor
    half: float
    shade: Tensor
    side: float

    def triangles(self) -> Tensor:
        """Two triangles [2,3,3] of the ground in the world, far larger than the mesh."""
        right, front = (_VAST * self.side * axis for axis in self.axes[:2])
        a, b = self.middle - right - front, self.middle + right - front
        c, d = self.middle + right + front, self.middle - right + front
        return torch.stack([torch.stack([a, b, c]), torch.stack([a, c, d])])


def ground_below(surface: Surface, backend: Backend, up: tuple[float, float, float]) -> Ground:
    """The ground that a surface stands on, and the shadow on it."""
    solid = body(surface, backend)
    used = solid.vertices[surface.faces.reshape(-1)].double()
    axes = _axes(up).to(used)
    along = used @ axes.T
    low, high = along.amin(0), along.amax(0)
    middle = (low + high) / 2
    height = low[2] - _GAP * solid.side
    half = float((high - low)[:2].max()) / 2 + _BEYOND * solid.side
    at = torch.stack([middle[0], middle[1], height]) @ axes
    shade = _shade(solid, at, axes, half)
    return Ground(solid.centre + at * solid.unit, axes, half * solid.unit, shade, solid.side * solid.unit)


def shadows(ground: Ground, cameras: Cameras) -> Tensor:
    """The shadow's opacity [N,H,W,1] at each pixel, 0 from below the ground."""
    height, width = cameras.size
    row, column = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    pixels = torch.stack([column, row, torch.ones_like(row)], -1).double()
    middle, axes = ground.middle.cpu(), ground.axes.cpu()
    pictures = []
    for begins, matrix in zip(*pixel_rays(cameras), strict=True):
        start, way = (pixels @ begins.T - middle) @ axes.T, (pixels @ matrix.T) @ axes.T
        down = -way[..., 2]
        meets = (down > 1e-9) & (start[..., 2] > 0)
        distance = start[..., 2] / torch.where(meets, down, 1)
        place = (start[..., :2] + distance[..., None] * way[..., :2]) / ground.half
        looked_up = torch.nn.functional.grid_sample(
            ground.shade.cpu().double()[None, None], place[None].clamp(-2, 2), mode="bicubic", align_corners=True
        )[0, 0]
        pictures.append(torch.where(meets, looked_up.clamp(0, 1), 0) * STRENGTH)
    return torch.stack(pictures)[..., None]


def _shade(solid: Body, at: Tensor, axes: Tensor, half: float) -> Tensor:
    """[G,G] of a ground about `at` [3] in the frame: 0 at the grid's border."""
    step = torch.linspace(-1, 1, _POINTS, dtype=torch.float64, device=at.device)
    front, right = torch.meshgrid(step, step, indexing="ij")
    point = at + half * (right[..., None] * axes[0] + front[..., None] * axes[1])
    normal = axes[2].expand_as(point)
    given = [each.reshape(-1, 3).to(solid.vertices) for each in (point, normal)]
    shade = 1 - openness_at(solid, given[0], given[1], _RAYS, _REACH * solid.side).reshape(_POINTS, _POINTS)
    fade = (1 - torch.maximum(right.abs(), front.abs())).clamp(min=0).mul(3).clamp(max=1).to(shade)
    blurred = torch.nn.functional.avg_pool2d(shade[None, None], 3, 1, 1, count_include_pad=False)[0, 0]
    return blurred**_CONTRAST * fade * fade * (3 - 2 * fade)


def _axes(up: tuple[float, float, float]) -> Tensor:
    """Unit rows [3,3] float64: right, front, up."""
    above = torch.nn.functional.normalize(torch.tensor(up, dtype=torch.float64), dim=0)
    other = torch.zeros(3, dtype=torch.float64)
    other[int(above.abs().argmin())] = 1
    right = torch.nn.functional.normalize(torch.linalg.cross(other, above), dim=0)
    return torch.stack([right, torch.linalg.cross(above, right), above])
