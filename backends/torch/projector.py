"""Joseph's projector and its transpose in plain torch: the reference of the fast pair, for any device and dtype.

Joseph 1982: a ray is sampled on the grid planes across the axis that it follows most closely, bilinearly in each. Every
plane has the weight of the ray's length between two planes; the first and last that of their nearest part of the chord.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from invrender.cameras.rays import camera_rays
from invrender.nouns import Cameras

Tensor = torch.Tensor

PIECES = 1 << 21  # samples held at a time
INSET = 1e-4  # index units that positions stay below the last vertex, so that a cell always has two


@dataclass(frozen=True)
class TorchRays:
    """Rays through a grid as a linear operator; see `invrender.kernels.RayBundle`.

    Attributes:
        base, step, fraction, slope: per ray and axis of the grid, float64 [R,3] (x, y, z): index position on plane 0
            of the main axis, and its change from plane to plane.
        axis: [R] int64 main axis.
        ends: [R,2] int64 first and last plane.
        weight: [R,3] length that an inner, the first and the last plane stand for.
    """

    pixels: Tensor
    samples: int
    shape: tuple[int, int, int]
    base: Tensor
    step: Tensor
    axis: Tensor
    ends: Tensor
    weight: Tensor

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        out = grid.new_zeros(len(self.pixels))
        for part in self._parts():
            at, weights = self._samples(part)
            out[part] = (grid.reshape(-1)[at] * weights.to(grid.dtype)).sum((1, 2))
        return out

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        depth, height, width = self.shape
        grid = values.new_zeros(depth * height * width)
        for part in self._parts():
            at, weights = self._samples(part)
            grid.index_add_(0, at.reshape(-1), (weights.to(values.dtype) * values[part, None, None]).reshape(-1))
        return grid.reshape(self.shape)

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        difference = self.forward(grid) - target
        return self.adjoint(weight * difference), float((weight * difference.square()).sum()) / 2

    def _parts(self) -> Iterator[slice]:
        size = max(1, PIECES // (4 * max(self.shape)))
        return (slice(begin, begin + size) for begin in range(0, len(self.pixels), size))

    def _samples(self, part: slice) -> tuple[Tensor, Tensor]:
        """Flat indices and weights [r,K,4] of the four neighbours on every plane."""
        at, inside = _planes(self, part)
        count = torch.tensor(self.shape[::-1], device=at.device)
        cell = at.floor().clamp(min=0).minimum(count - 1).long()
        fraction = at - cell
        depth, height, width = self.shape
        strides = torch.tensor([1, width, width * height], device=at.device)
        main = torch.nn.functional.one_hot(self.axis[part], 3).bool()[:, None]
        fraction = torch.where(main, 0.0, fraction)
        across = torch.tensor([[1, 2], [0, 2], [0, 1]], device=at.device)[self.axis[part]]
        u, v = (fraction.gather(2, across[:, None, i : i + 1].expand(-1, fraction.shape[1], 1))[..., 0] for i in (0, 1))
        su, sv = strides[across].unbind(1)
        base = (cell * strides).sum(-1)
        corners = torch.stack([base, base + su[:, None], base + sv[:, None], base + (su + sv)[:, None]], -1).clamp(
            max=depth * height * width - 1
        )
        shares = torch.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v], -1)
        return corners, shares * inside[..., None]


def joseph_rays(
    shape: tuple[int, int, int],
    bounds: Tensor,
    cameras: Cameras,
    chosen: Tensor | None = None,
    support: Tensor | None = None,
) -> TorchRays:
    """The rays of the chosen pixels that meet the support; see `invrender.kernels.MakeRays`."""
    device = bounds.device
    count = torch.tensor(shape[::-1], dtype=torch.float64, device=device)
    spacing = (bounds[1] - bounds[0]) / (count - 1)
    rays = camera_rays(cameras)
    pixels = torch.arange(len(rays.origin)) if chosen is None else chosen.cpu().reshape(-1).nonzero()[:, 0]
    o = (rays.origin[pixels].to(device) - bounds[0]) / spacing
    d = rays.direction[pixels].to(device) / spacing
    axis = d.abs().argmax(1)
    entry, leave = _chord(o, d, count)
    along = d.gather(1, axis[:, None])[:, 0]
    start = o.gather(1, axis[:, None])[:, 0]
    reach = torch.stack([start + entry * along, start + leave * along], 1).sort(1).values
    top = count[axis] - 1
    ends = torch.stack([(reach[:, 0] - 1e-9).ceil().clamp(min=0), (reach[:, 1] + 1e-9).floor().minimum(top)], 1)
    keep = (leave > entry) & (ends[:, 0] <= ends[:, 1])
    step = d / along[:, None]
    base = o - start[:, None] * step
    pitch = 1 / along.abs()
    weight = torch.stack([pitch, pitch * (ends[:, 0] + 0.5 - reach[:, 0]), pitch * (reach[:, 1] - ends[:, 1] + 0.5)], 1)
    every = TorchRays(pixels.to(device), 0, shape, base, step, axis, ends.long(), weight)
    return _kept(every, keep if support is None else keep & _meets(every, keep, support.to(device)))


def _chord(o: Tensor, d: Tensor, count: Tensor) -> tuple[Tensor, Tensor]:
    """t of entry and exit [R] of the box; entry > exit for a miss."""
    flat = d.abs() <= 1e-12 * d.abs().amax(1, keepdim=True)
    safe = torch.where(flat, 1.0, d)
    near, far = -o / safe, (count - 1 - o) / safe
    outside = (flat & ((o < 0) | (o > count - 1))).any(1)
    entry = torch.where(flat, -torch.inf, torch.minimum(near, far)).amax(1).clamp(min=0)
    leave = torch.where(flat, torch.inf, torch.maximum(near, far)).amin(1)
    return entry, torch.where(outside, -1.0, leave)


def _planes(rays: TorchRays, part: slice) -> tuple[Tensor, Tensor]:
    """Index positions [r,K,3] on the planes of each ray's main axis, and the length [r,K] each stands for."""
    planes = torch.arange(max(rays.shape), device=rays.base.device)
    first, last = rays.ends[part, :1], rays.ends[part, 1:]
    pitch, head, tail = (weight[:, None] for weight in rays.weight[part].unbind(1))
    length = torch.where((planes >= first) & (planes <= last), pitch, 0.0)
    length = length + torch.where(planes == first, head - pitch, 0.0) + torch.where(planes == last, tail - pitch, 0.0)
    at = rays.base[part, None] + planes[:, None] * rays.step[part, None]
    count = torch.tensor(rays.shape[::-1], device=at.device)
    main = torch.nn.functional.one_hot(rays.axis[part], 3).bool()[:, None]
    return torch.where(main, planes[:, None].double(), at.clamp(min=0).minimum(count - 1 - INSET)), length


def _meets(rays: TorchRays, keep: Tensor, support: Tensor) -> Tensor:
    """Which rays touch the support at all [R]."""
    bundle = _kept(rays, keep)
    touched = torch.zeros_like(keep)
    touched[keep] = bundle.forward(support.double().reshape(rays.shape)) > 0
    return touched


def _kept(rays: TorchRays, keep: Tensor) -> TorchRays:
    ends = rays.ends[keep]
    samples = int((ends[:, 1] - ends[:, 0] + 1).sum())
    return TorchRays(
        rays.pixels[keep], samples, rays.shape, rays.base[keep], rays.step[keep], rays.axis[keep], ends,
        rays.weight[keep],
    )  # fmt: skip
