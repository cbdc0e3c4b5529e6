"""From many posed photographs to a radiance field: coarse to fine, by Adam on random rays.

The grid begins as a fog wherever no view sees the background alone. The second level has sites only where the first
found something that light reaches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from invrender.kernels import Backend
from invrender.kernels.field import GREY, MOST, Field
from invrender.methods.photometric.field.objective import Misfit, parameters, with_index
from invrender.methods.photometric.field.rays import Targets, part, targets
from invrender.methods.photometric.field.sites import (
    box_of,
    dense,
    fog,
    grid_in,
    hull_sites,
    numbered,
    on_grid,
    refined,
)
from invrender.nouns import Views, Volume
from invrender.solve.adam import Adam
from invrender.solve.phase import Finished, Phase, Schedule, Start
from invrender.solve.protocol import Params
from invrender.solve.rates import exponential_decay

Tensor = torch.Tensor

INDEX, BOUNDS, LIGHT, HULL = "index", "bounds", "light", "hull"
SOLID = 20.0  # u of a field that is opaque everywhere
BETAS = (0.9, 0.99)
FEWEST_CELLS = 8  # of the first level
LIGHT_RAYS = 1 << 18  # at a time
ADVICE = "check the cameras and masks with `invrender inspect`, or lower the rate (--fresh --set rate=0.1)"


@dataclass(frozen=True)
class Level:
    """One grid: `coarser` than the last by a factor, for a `share` of the iterations, at `rate` falling to `cooled`."""

    coarser: int
    share: float
    rate: float
    cooled: float


LEVELS = (Level(2, 0.35, 1.0, 0.3), Level(1, 0.65, 0.67, 0.1))


@dataclass(frozen=True)
class FieldSettings:
    """How to find a field.

    Attributes:
        cells: along the longest side of the object's box, on the last level.
        functions: of direction in a colour: 1 (the same from everywhere), 4 or 9 (spherical harmonics of order 1, 2).
        iterations: steps of Adam, over all levels.
        rays: how many each step looks along.
        rate: Adam's step at first, in units of u.
        area: weight of the surface's area.
        seed: of the choice of rays.
    """

    cells: int = 128
    functions: int = 4
    iterations: int = 700
    rays: int = 8192
    rate: float = 0.3
    area: float = 0.01
    seed: int = 0


@dataclass(frozen=True)
class Fitted:
    """A field with its box, and what the views say of the space around it.

    Attributes:
        field: on the last grid.
        bounds: [2,3] float64 of the grid, in world units.
        light: [D,H,W], what reaches its vertices: the greatest transmittance of a ray that meets the hull.
        hull: [D,H,W] bool, the vertices where no view sees the background alone.
    """

    field: Field
    bounds: Tensor
    light: Tensor
    hull: Tensor


def field_schedule(views: Views, settings: FieldSettings, backend: Backend) -> Schedule:
    """The phases to a radiance field; their estimates are volumes of four channels (extinction, sRGB seen from all
    around).

    Args:
        views: with colours; straight alpha in `masks`.
        settings: how.
        backend: what renders.
    """
    box = box_of(views)

    def following(finished: tuple[Finished, ...]) -> Phase | None:
        if len(finished) == len(LEVELS):
            return None
        return _phase(views, box, finished, settings, backend)

    return following


def _phase(
    views: Views, box: Tensor, finished: tuple[Finished, ...], settings: FieldSettings, backend: Backend
) -> Phase:
    level = LEVELS[len(finished)]
    first, hull, bounds = begin(views, box, finished, settings)
    rays = targets(views, bounds, _solid(hull, settings.functions), settings.functions, backend)
    done = sum(each.steps for each in finished)
    count = settings.iterations - done if level.coarser == 1 else round(level.share * settings.iterations)
    objective = Misfit(first.index.to(backend.device), rays, settings.rays, settings.area, backend)

    def result(params: Params, state: Any) -> Params:
        del state
        found = with_index(params, first.index)
        light = light_in(found, rays, backend)
        return {**params, INDEX: first.index, BOUNDS: bounds, LIGHT: light, HULL: hull}

    return Phase(
        name=f"1/{level.coarser} of the resolution",
        title="field",
        steps=count,
        start=lambda: Start({name: value.to(backend.device) for name, value in parameters(first).items()}),
        objective=objective,
        solver=Adam(exponential_decay(settings.rate * level.rate, level.cooled, max(count, 1)), BETAS),
        decode=lambda params: volume_of(with_index(params, first.index), bounds),
        result=result,
        first=done,
        total=settings.iterations,
        keeps=1,
        seed=settings.seed,
        advice=ADVICE,
    )


def begin(
    views: Views, box: Tensor, finished: tuple[Finished, ...], settings: FieldSettings
) -> tuple[Field, Tensor, Tensor]:
    """What the level after those finished begins with, the hull's vertices [D,H,W] bool, and the grid's box [2,3]."""
    coarsest, coarser = LEVELS[0].coarser, LEVELS[len(finished)].coarser
    counts, bounds = grid_in(box, max(settings.cells // coarsest, FEWEST_CELLS))
    depth, height, width = ((n - 1) * coarsest // coarser + 1 for n in counts)
    if not finished:
        hull = hull_sites(views, bounds, (depth, height, width))
        return fog(hull, settings.functions), hull, bounds
    before = fitted_of(finished[-1].result)
    hull = on_grid(before.hull, (depth, height, width))
    return refined(before.field, before.light, hull), hull, bounds


def fitted_of(result: Mapping[str, Tensor]) -> Fitted:
    """What a level ended with."""
    index, bounds, light, hull = (result[name].cpu() for name in (INDEX, BOUNDS, LIGHT, HULL))
    return Fitted(with_index(result, index), bounds, light, hull)


def light_in(field: Field, rays: Targets, backend: Backend) -> Tensor:
    """[D,H,W] the greatest transmittance with which the rays reach each vertex."""
    light, there = torch.zeros(field.index.shape), field.to(backend.device)
    for begin_at in range(0, len(rays.shown), LIGHT_RAYS):
        some = torch.arange(begin_at, min(begin_at + LIGHT_RAYS, len(rays.shown)))
        light = torch.maximum(light, backend.field_light(there, part(rays.rays, some)).cpu())
    return light


def volume_of(field: Field, bounds: Tensor) -> Volume:
    """Extinction per world unit and the mean colour over directions, as a volume of four channels."""
    spacing = float(bounds[1, 0] - bounds[0, 0]) / (field.index.shape[2] - 1)
    sigma = MOST / spacing * torch.sigmoid(field.density[:, None])
    colour = (GREY + field.colours[:, :3]).clamp(0, 1)
    return Volume(dense(field, torch.cat([sigma, colour], 1), 0.0), bounds)


def _solid(hull: Tensor, functions: int) -> Field:
    count = int(hull.sum())
    return Field(torch.full((count,), SOLID), torch.zeros(count, 3 * functions), numbered(hull))
