"""The grids of a medium in plain torch: values at points, where rays are in the box, what the boundary encloses.

Vectors are [3,N]. Differentiable in the grids' values, and in the points.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.backends.torch.medium_tables import headroom, majorants
from invrender.kernels.mesh import Trace
from invrender.kernels.radiance import SceneArrays, Transport

Tensor = torch.Tensor

SKEW = (0.48, 0.6, 0.64)
"""A unit vector along which few things lie: what a point sees there tells whether it is inside."""


@dataclass(frozen=True)
class Matter:
    """A medium ready for questions.

    Attributes:
        scene: whose grids they are.
        low, size: [3] of the box.
        majorants: [m_z,m_y,m_x].
        voxel: [3] spacing of the extinction's vertices; inf where there is one.
        trace, corners: what the boundary is asked by; corners [B,3,3], none: all of the box.
    """

    scene: SceneArrays
    low: Tensor
    size: Tensor
    majorants: Tensor
    voxel: Tensor
    trace: Trace
    corners: Tensor

    def sampled(self, grid: Tensor, point: Tensor) -> Tensor:
        """Values [C,N] of a grid [D,H,W,C] at points [3,N] of the box."""
        return trilinear(grid, (point - self.low[:, None]) / self.size[:, None])

    def extinction(self, point: Tensor) -> Tensor:
        """[C,N] within the boundary."""
        return self.sampled(self.scene.extinction, point)

    @property
    def fixed(self) -> Matter:
        """The same with an extinction that no gradient reaches."""
        return replace(self, scene=replace(self.scene, extinction=self.scene.extinction.detach()))

    def encloses(self, point: Tensor) -> Tensor | None:
        """Whether [N] points are within the boundary; None: all are."""
        if not len(self.corners):
            return None
        place = point.detach().T.contiguous()
        along = place.new_tensor(SKEW).expand_as(place).contiguous()
        faces = torch.arange(3 * len(self.corners), device=place.device).reshape(-1, 3)
        face = self.trace(self.corners.reshape(-1, 3), faces, place, along)[0]
        a, b, c = self.corners.unbind(1)
        back = (torch.linalg.cross(b - a, c - a) * place.new_tensor(SKEW)).sum(1) > 0
        within: Tensor = (face >= 0) & back[face.clamp(min=0)]
        return within

    def interval(self, origin: Tensor, direction: Tensor, far: Tensor) -> tuple[Tensor, Tensor]:
        """Where [N] rays [3,N] are in the box, from 0 to `far` [N]; the end is not behind the begin if they are."""
        safe = torch.where(direction == 0, 1e-20, direction)
        ends = torch.stack([(self.low + k * self.size)[:, None] - origin for k in (0, 1)]) / safe
        enter, leave = ends.amin(0).amax(0).clamp(min=0), ends.amax(0).amin(0)
        return enter, torch.minimum(leave, far)


def matter(trace: Trace, scene: SceneArrays, transport: Transport) -> Matter | None:
    """The medium of a scene; None where there is none, or nobody asks for it."""
    box = scene.box.detach()
    if not transport.indirect or not scene.extinction.numel() or not bool((box[1] > box[0]).all()):
        return None
    size = box[1] - box[0]
    count = torch.tensor(scene.extinction.shape[:3][::-1], device=size.device)
    voxel = torch.where(count > 1, size / (count - 1).clamp(min=1), torch.inf)
    bound = majorants(scene.extinction, transport.floor, box, headroom(transport))
    return Matter(scene, box[0], size, bound, voxel, trace, scene.boundary.detach())


def trilinear(grid: Tensor, share: Tensor) -> Tensor:
    """Values [C,N] of a grid [D,H,W,C] at shares [3,N] (x, y, z) of the way from its first to its last vertices."""
    count = share.shape[1]
    if not grid.numel():
        return share.new_zeros(grid.shape[-1], count)
    if grid[..., 0].numel() == 1:
        return grid.reshape(-1, 1).expand(-1, count)
    corner, weight, stride = torch.zeros_like(share[0], dtype=torch.int64), [], []
    for axis, steps in ((0, 1), (1, grid.shape[2]), (2, grid.shape[2] * grid.shape[1])):
        last = grid.shape[2 - axis] - 1
        place = (share[axis] * last).clamp(0, last)
        first = place.detach().floor().clamp(max=max(last - 1, 0))
        corner = corner + first.long() * steps
        weight.append(place - first)
        stride.append(steps if last else 0)
    rows, total = grid.reshape(-1, grid.shape[-1]), torch.zeros(1, 1, dtype=share.dtype, device=share.device)
    for k in range(8):
        factor, at = torch.ones_like(share[0]), corner
        for axis in range(3):
            beyond = k >> axis & 1
            factor = factor * (weight[axis] if beyond else 1 - weight[axis])
            at = at + (stride[axis] if beyond else 0)
        total = total + rows.index_select(0, at).T * factor
    return total
