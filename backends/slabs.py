"""A backend for grids that no process holds as a whole: projectors and solver's steps on slabs, one on each rank.

A projection is linear: that of a grid is the sum of those of its slabs, each between slices of zeros. So a rank
projects its own slab, and the leader adds up what rays have collected; back to the grid each slab takes what rays bring
it. Two slices of zeros are enough: of a ray's samples the first and the last have weights of their own where the ray
enters and leaves a box, and both lie among the zeros. At the grid's own ends there are none.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from torch import distributed

from invrender.kernels import Backend
from invrender.kernels.volume import RayBundle
from invrender.nouns import Cameras
from invrender.ranks.calls import Kept, Part, count, shared, whose
from invrender.ranks.slabs import in_slabs, made, number, slab, stretches

Tensor = torch.Tensor
Shape = tuple[int, int, int]

ZEROS = 2  # slices


def in_slabs_backend(backend: Backend, plain: Backend) -> Backend:
    """`backend` with projectors and solver's steps that keep grids in slabs; `plain`: what each rank computes with."""
    return replace(backend, joseph_rays=_Bundles(plain), smooth_step=_Steps(plain), in_slabs=None)


@dataclass(frozen=True)
class _Bundles:
    """See `kernels.volume.MakeRays`."""

    backend: Backend

    def __call__(
        self,
        shape: Shape,
        bounds: Tensor,
        cameras: Cameras,
        chosen: Tensor | None = None,
        support: Tensor | None = None,
    ) -> RayBundle:
        held = None if support is None else in_slabs(support)
        common = (self.backend, shape, bounds, cameras, chosen, None if held is None else number(held))
        kept = Kept(_make_rays, common, stretches(shape[0]))
        every = torch.cat([pixels for pixels, _ in kept.told])
        pixels, places = torch.unique(every, return_inverse=True)
        sizes = [len(pixels) for pixels, _ in kept.told]
        return _Bundle(kept, pixels, list(places.split(sizes)), sum(samples for _, samples in kept.told), shape)


@dataclass
class _Projector:
    """A rank's rays through its slab between zeros, and how many slices of those there are on each side."""

    rays: RayBundle
    below: int
    above: int


def _make_rays(
    backend: Backend, shape: Shape, bounds: Tensor, cameras: Cameras, chosen: Tensor | None, place: int | None,
    begin: int, end: int,
) -> tuple[_Projector, tuple[Tensor, int]]:  # fmt: skip
    below, above = min(ZEROS, begin), min(ZEROS, shape[0] - end)
    low, high = bounds.double()
    pitch = (high[2] - low[2]) / max(shape[0] - 1, 1)
    ends = low.clone(), high.clone()
    ends[0][2] = low[2] + (begin - below) * pitch
    if end + above < shape[0]:
        ends[1][2] = low[2] + (end + above - 1) * pitch
    inside = torch.ones(end - begin, *shape[1:], dtype=torch.bool) if place is None else slab(place).cpu()
    padded = _between(inside, below, above)
    rays = backend.joseph_rays(tuple(padded.shape), torch.stack(ends), cameras, chosen, padded)  # type: ignore[arg-type]
    return _Projector(rays, below, above), (rays.pixels, rays.samples)


def _between(part: Tensor, below: int, above: int) -> Tensor:
    """A slab between slices of zeros."""
    return torch.nn.functional.pad(part, (0, 0, 0, 0, below, above)) if below or above else part


@dataclass
class _Bundle:
    """See `kernels.volume.RayBundle`; `places`: where each rank's rays are among all."""

    kept: Kept
    pixels: Tensor
    places: list[Tensor]
    samples: int
    shape: Shape

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        held = in_slabs(grid)
        parts = self.kept(_project, (number(held),))
        depths = torch.zeros(len(self.pixels), device=grid.device)
        for place, part in zip(self.places, parts, strict=True):
            depths.index_add_(0, place.to(grid.device), part.own.to(grid.device))
        return depths

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        shares = [(values[place.to(values.device)],) for place in self.places]
        return made(_spread, (self.kept.number,), self.shape[0], shares)

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        difference = self.forward(grid) - target
        residual = weight * difference
        return self.adjoint(residual), 0.5 * float((residual.double() * difference).sum())


def _project(projector: _Projector, place: int) -> Part:
    grid = _between(slab(place).float(), projector.below, projector.above)
    return Part((), projector.rays.forward(grid))


def _spread(at: int, values: Tensor) -> Tensor:
    projector: _Projector = whose(at)
    padded = projector.rays.adjoint(values)
    return padded[projector.below : len(padded) - projector.above].clone()


@dataclass(frozen=True)
class _Steps:
    """See `kernels.volume.SmoothStep`."""

    backend: Backend

    def __call__(
        self, at: Tensor, gradient: Tensor, curvature: Tensor, before: Tensor, smoothing: tuple[float, float],
        beta: float,
    ) -> tuple[Tensor, Tensor, float]:  # fmt: skip
        held = [in_slabs(grid) for grid in (at, gradient, curvature, before)]
        moved = Kept(_step, (self.backend, [number(grid) for grid in held], smoothing, beta), [()] * count())
        extrapolated = made(_second, (moved.number,), len(at), [()] * count())
        uphill = sum(part.own for part in shared(_third, (moved.number,), [()] * count()))
        return made(_first, (moved.number,), len(at), [()] * count()), extrapolated, uphill


def _step(
    backend: Backend, places: list[int], smoothing: tuple[float, float], beta: float
) -> tuple[tuple[Tensor, Tensor, float], None]:
    """The step on this rank's slab, with a slice of each neighbour's, which stays as it is."""
    at, gradient, curvature, before = (slab(place) for place in places)
    below, above = _neighbours(at)
    parts = [part for part in (below, at, above) if part is not None]
    sides = (0 if below is None else 1, 0 if above is None else 1)
    wide = torch.cat(parts)
    held = torch.nn.functional.pad(curvature, (0, 0, 0, 0, *sides), value=math.inf)
    after, extrapolated, uphill = backend.smooth_step(
        wide, _between(gradient, *sides), held, _between(before, *sides), smoothing, beta
    )
    own = slice(sides[0], sides[0] + len(at))
    return (after[own].clone(), extrapolated[own].clone(), uphill), None


def _neighbours(part: Tensor) -> tuple[Tensor | None, Tensor | None]:
    """The slices next to this rank's slab, below and above; None at the grid's ends."""
    if not distributed.is_initialized():
        return None, None
    rank, last = distributed.get_rank(), distributed.get_world_size() - 1
    others = {-1: rank - 1, 1: rank + 1}
    found: dict[int, Tensor] = {}
    waiting = []
    for side, other in others.items():
        if 0 <= other <= last:
            own = part[0 if side < 0 else -1].cpu().contiguous()
            found[side] = torch.empty_like(own)
            waiting += [distributed.isend(own, other), distributed.irecv(found[side], other)]
    for work in waiting:
        if work is not None:
            work.wait()
    sides = {side: piece[None].to(part.device) for side, piece in found.items()}
    return sides.get(-1), sides.get(1)


def _first(at: int) -> Tensor:
    moved: Tensor = whose(at)[0]
    return moved


def _second(at: int) -> Tensor:
    extrapolated: Tensor = whose(at)[1]
    return extrapolated


def _third(at: int) -> Part:
    return Part((), whose(at)[2])
