"""Ambient occlusion: the share of the light from everywhere that nothing near by blocks.

At a point with the unit normal n it is the share of the hemisphere about n, weighted by the cosine, in which rays meet
nothing within a reach,

    1/pi  integral over the hemisphere of  V(w) (n . w) dw,

as Landis 2002 ("Production-ready global illumination") has it; 1 on a plane, 1/2 in the edge of a right angle, 0 in a
closed box that is smaller than the reach. It is estimated by directions drawn in proportion to the cosine from the R2
sequence (Roberts 2018), shifted at random at each point (Cranley and Patterson 1976), so that no pattern shows. It is
a number: no gradient passes through it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch

from invrender.errors import UsageError
from invrender.kernels.paths import LIFT
from invrender.render.rays import Body, Places, escapes

Tensor = torch.Tensor

_RAYS_AT_ONCE = 2**20
_PLASTIC = 1.324717957244746  # the R2 sequence steps by its inverse and that squared
_SEED = 1


@dataclass(frozen=True)
class Occlusion:
    """How ambient occlusion is estimated.

    Attributes:
        rays: per pixel, whose samples share them; where points are asked one by one, per point.
        reach: how far something blocks, as a share of the mesh's longest side.
    """

    rays: int = 64
    reach: float = 0.25

    def __post_init__(self) -> None:
        if self.rays < 1:
            raise UsageError(f"ambient occlusion cannot be told from {self.rays} rays", "use at least 1")
        if not self.reach > 0:  # NaN, too
            raise UsageError(f"ambient occlusion cannot reach {self.reach:g}", "use a share above 0, such as 0.25")

    def shared(self, supersample: int) -> Occlusion:
        """What each of `supersample` x `supersample` samples of a pixel has of it."""
        return replace(self, rays=-(-self.rays // supersample**2))


def openness(body: Body, at: Places, settings: Occlusion) -> Tensor:
    """The share [R,1] in [0, 1] of the light from everywhere that arrives at places on the surface; no gradient."""
    with torch.no_grad():
        shift = torch.rand(len(at.point), 2, generator=torch.Generator().manual_seed(_SEED)).to(at.point)
        step = max(1, _RAYS_AT_ONCE // settings.rays)
        parts = [
            _open(body, at.some(slice(begin, begin + step)), shift[begin : begin + step], settings)
            for begin in range(0, len(at.point), step)
        ]
    return torch.cat(parts)[:, None] if parts else at.point.new_zeros(0, 1)


def cosine_directions(normal: Tensor, shift: Tensor, count: int) -> Tensor:
    """Unit vectors [R,count,3] about normals [R,3], dense in proportion to the cosine; `shift` [R,2] in [0, 1)."""
    step = torch.arange(count, dtype=torch.float64)[:, None] * torch.tensor([1 / _PLASTIC, 1 / _PLASTIC**2]).double()
    u, v = ((step.to(shift) + shift[:, None]) % 1).unbind(-1)
    radius, angle = u.sqrt(), 2 * math.pi * v
    local = torch.stack([radius * angle.cos(), radius * angle.sin(), (1 - u).clamp(min=0).sqrt()], -1)
    return torch.einsum("rij,rcj->rci", _axes(normal), local)


def _open(body: Body, at: Places, shift: Tensor, settings: Occlusion) -> Tensor:
    """[R] the share of directions that escape, of those above the face; see `openness`."""
    towards = cosine_directions(at.normal, shift, settings.rays)
    above = (towards * at.flat[:, None]).sum(-1) > 0
    point, ray = above.nonzero(as_tuple=True)
    free = escapes(body, (at.point + LIFT * at.flat)[point], towards[point, ray], settings.reach * body.side)
    total = torch.zeros_like(shift[:, 0]).index_add(0, point, free.to(shift))
    return total / above.sum(1).clamp(min=1)


def _axes(normal: Tensor) -> Tensor:
    """Rotations [R,3,3] that take +Z to unit normals [R,3] (Duff et al. 2017, "Building an orthonormal basis")."""
    x, y, z = normal.unbind(-1)
    sign = torch.where(z >= 0, 1.0, -1.0).to(normal)
    a = -1 / (sign + z)
    b = x * y * a
    first = torch.stack([1 + sign * x * x * a, sign * b, -sign * x], -1)
    second = torch.stack([b, sign + y * y * a, -y], -1)
    return torch.stack([first, second, normal], -1)
