"""A backend whose kernels are worked on by all ranks of a run: each takes its share of the views or of the rays.

What comes back is what the backend itself gives, but for the order in which sums are added up. Kernels that draw single
pictures, and those of differentiation by torch, stay with the leader: whole pictures are shared out above
(`invrender.render`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import numpy as np
import torch

from invrender.backends.shared_rays import SharedRays
from invrender.backends.slabs import in_slabs_backend
from invrender.kernels import Backend
from invrender.kernels.mesh import ColourMisfit, Compared, SilhouetteMisfit
from invrender.kernels.volume import RayBundle
from invrender.nouns import Cameras
from invrender.nouns.topology import Topology
from invrender.ranks.calls import Kept, Part, count

Tensor = torch.Tensor


def shared_backend(backend: Backend) -> Backend:
    """The backend, with kernels that all ranks work on; see `invrender.ranks.calls.leading`."""
    rays = SharedRays(backend)
    company = replace(
        backend,
        description=f"{backend.description}; on {count()} processes",
        silhouette_misfit=_Silhouettes(backend),
        colour_misfit=_Colours(backend),
        joseph_rays=_Bundles(backend),
        trace=rays.trace,
        line_integral=rays.line_integral,
        line_integral_adjoint=rays.line_integral_adjoint,
        composite=rays.composite,
        composite_adjoint=rays.composite_adjoint,
        field=rays.field,
        field_misfit=rays.field_misfit,
        field_light=rays.field_light,
        radiance=rays.radiance,
        radiance_adjoint=rays.radiance_adjoint,
    )
    return replace(company, in_slabs=partial(in_slabs_backend, company, backend))


def _owned(views: int) -> list[list[int]]:
    """The numbers of each rank's views."""
    ranks = count()
    return [list(range(rank, views, ranks)) for rank in range(ranks)]


@dataclass(frozen=True)
class _Silhouettes:
    """See `kernels.mesh.MakeMisfit`; each rank holds the masks of its own views."""

    backend: Backend

    def __call__(
        self, faces: Tensor, topology: Topology, count: int, masks: Tensor, weight: Tensor,
        confidence: Tensor | None = None,
    ) -> SilhouetteMisfit:  # fmt: skip
        owned = _owned(len(masks))
        shares = [(masks[own], weight[own], None if confidence is None else confidence[own]) for own in owned]
        return _Silhouette(Kept(_make_silhouette, (self.backend, faces, topology, count), shares), owned)


def _make_silhouette(backend: Backend, faces: Tensor, topology: Topology, count: int, *data: Any) -> tuple[Any, None]:
    return backend.silhouette_misfit(faces, topology, count, *data), None


@dataclass(frozen=True)
class _Silhouette:
    """See `kernels.mesh.SilhouetteMisfit`."""

    kept: Kept
    owned: list[list[int]]

    def __call__(
        self, vertices: Tensor, clip_from_object: Tensor, views: Sequence[int] | None = None
    ) -> tuple[float, Tensor, Tensor]:
        total = len(clip_from_object)
        asked = np.arange(total) if views is None else np.arange(total)[np.asarray(views, np.int64)]
        ranks = len(self.owned)
        places = [np.flatnonzero(asked % ranks == rank) for rank in range(ranks)]
        local = [None if views is None else (asked[place] // ranks).tolist() for place in places]
        shares = [(clip_from_object[own], some) for own, some in zip(self.owned, local, strict=True)]
        parts = self.kept(_compare_silhouette, (vertices,), shares)
        value, gradient = parts[0].sums
        iou = torch.zeros(len(asked), dtype=torch.float64, device=parts[0].own.device)
        for place, part in zip(places, parts, strict=True):
            iou[torch.from_numpy(place)] = part.own.to(iou.device)
        return float(value), gradient, iou


def _compare_silhouette(compare: SilhouetteMisfit, vertices: Tensor, matrices: Tensor, views: list[int] | None) -> Part:
    if not len(matrices) or (views is not None and not views):
        nothing = torch.zeros(0, dtype=torch.float64)
        return Part((torch.zeros(1, dtype=torch.float64), torch.zeros_like(vertices, dtype=torch.float64)), nothing)
    value, gradient, iou = compare(vertices, matrices, views)
    return Part((torch.tensor([value], dtype=torch.float64), gradient), iou)


@dataclass(frozen=True)
class _Colours:
    """See `kernels.mesh.MakeColourMisfit`; each rank holds all pictures, for a batch may be of any."""

    backend: Backend

    def __call__(self, faces: Tensor, count: int, images: Tensor, weight: Tensor, softness: float) -> ColourMisfit:
        given = (self.backend, faces, count, images, weight, softness)
        return _Colour(Kept(_make_colour, given, [()] * len(_owned(0))))


def _make_colour(backend: Backend, *given: Any) -> tuple[Any, None]:
    return backend.colour_misfit(*given), None


@dataclass(frozen=True)
class _Colour:
    """See `kernels.mesh.ColourMisfit`."""

    kept: Kept

    def __call__(self, vertices: Tensor, colours: Tensor, clip_from_object: Tensor, views: Sequence[int]) -> Compared:
        ranks = len(self.kept.told)
        shares = [(list(views)[rank::ranks],) for rank in range(ranks)]
        value, *gradients = self.kept(_compare_colour, (vertices, colours, clip_from_object), shares)[0].sums
        return Compared(float(value), *gradients)


def _compare_colour(
    compare: ColourMisfit, vertices: Tensor, colours: Tensor, matrices: Tensor, views: list[int]
) -> Part:
    if not views:
        nothing = tuple(torch.zeros_like(vertices, dtype=torch.float64) for _ in range(3))
        return Part((torch.zeros(1, dtype=torch.float64), *nothing))
    found = compare(vertices, colours, matrices, views)
    return Part((torch.tensor([found.misfit], dtype=torch.float64), *found[1:]))


@dataclass(frozen=True)
class _Bundles:
    """See `kernels.volume.MakeRays`; each rank holds the rays of its own views."""

    backend: Backend

    def __call__(
        self, shape: tuple[int, int, int], bounds: Tensor, cameras: Cameras, chosen: Tensor | None = None,
        support: Tensor | None = None,
    ) -> RayBundle:  # fmt: skip
        owned = _owned(len(cameras))
        shares = [(cameras[own], None if chosen is None else chosen[own]) for own in owned]
        kept = Kept(_make_rays, (self.backend, shape, bounds, support), shares)
        size = cameras.size[0] * cameras.size[1]
        numbers = [
            torch.tensor(own, dtype=torch.int64, device=pixels.device)[pixels // size] * size + pixels % size
            for own, (pixels, _) in zip(owned, kept.told, strict=True)
        ]
        return _Bundle(kept, torch.cat(numbers), [len(each) for each in numbers], sum(s for _, s in kept.told))


@dataclass
class _Projector:
    """A rank's rays, and the data that they were last compared with."""

    rays: RayBundle | None
    shape: tuple[int, int, int]
    device: torch.device
    data: tuple[Tensor, Tensor] | None = None


def _make_rays(
    backend: Backend, shape: tuple[int, int, int], bounds: Tensor, support: Tensor | None, cameras: Cameras,
    chosen: Tensor | None,
) -> tuple[_Projector, tuple[Tensor, int]]:  # fmt: skip
    if not len(cameras):
        return _Projector(None, shape, backend.device), (torch.zeros(0, dtype=torch.int64), 0)
    rays = backend.joseph_rays(shape, bounds, cameras, chosen, support)
    return _Projector(rays, shape, backend.device), (rays.pixels, rays.samples)


@dataclass
class _Bundle:
    """See `kernels.volume.RayBundle`."""

    kept: Kept
    pixels: Tensor
    sizes: list[int]
    samples: int
    compared: tuple[Tensor, Tensor] | None = field(default=None, repr=False)

    def forward(self, grid: Tensor) -> Tensor:
        """[D,H,W] to the optical depths [R]."""
        return torch.cat([part.own.to(grid.device) for part in self.kept(_project, (grid,))])

    def adjoint(self, values: Tensor) -> Tensor:
        """[R] to [D,H,W]."""
        return self.kept(_spread, (), [(part,) for part in values.split(self.sizes)])[0].sums[0]

    def normal(self, grid: Tensor, target: Tensor, weight: Tensor) -> tuple[Tensor, float]:
        """The gradient [D,H,W] and the value of half the weighted sum of squared differences."""
        if self.compared is None or self.compared[0] is not target or self.compared[1] is not weight:
            shares = list(zip(target.split(self.sizes), weight.split(self.sizes), strict=True))
            self.kept(_take_data, (), shares)
            self.compared = target, weight
        gradient, value = self.kept(_compare_rays, (grid,))[0].sums
        return gradient, float(value)


def _project(projector: _Projector, grid: Tensor) -> Part:
    return Part((), grid.new_zeros(0) if projector.rays is None else projector.rays.forward(grid))


def _spread(projector: _Projector, values: Tensor) -> Part:
    return Part((_nothing(projector) if projector.rays is None else projector.rays.adjoint(values),))


def _take_data(projector: _Projector, target: Tensor, weight: Tensor) -> Part:
    projector.data = target.clone(), weight.clone()
    return Part()


def _compare_rays(projector: _Projector, grid: Tensor) -> Part:
    if projector.rays is None or projector.data is None:
        return Part((_nothing(projector), torch.zeros(1, dtype=torch.float64)))
    gradient, value = projector.rays.normal(grid, *projector.data)
    return Part((gradient, torch.tensor([value], dtype=torch.float64)))


def _nothing(projector: _Projector) -> Tensor:
    return torch.zeros(projector.shape, device=projector.device)
