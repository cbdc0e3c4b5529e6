"""A first shape: what the pictures show as if the medium glowed by itself and scattered nothing.

Emission and absorption with colours that depend on the direction (a linear function of it, the first spherical
harmonics) explain pictures of a cloud well, and cost no paths of light. How dense it is does not follow: light that is
scattered gets through more than such a model lets pass. Where it is does, and paths of light tell the rest.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch

from invrender.kernels import Backend
from invrender.kernels.field import FAINT, MOST, Field, FieldRays
from invrender.methods.photometric.field.objective import COLOUR_UNIT, COLOURS, DENSITY, area, parameters
from invrender.methods.photometric.field.rays import jittered, joined, part, rays_through
from invrender.methods.photometric.field.sites import DARK, dense, fog, grid_in
from invrender.methods.scattering.task import Task
from invrender.nouns.medium import on_grid
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

FUNCTIONS = 4  # of direction, in a colour
CELLS = 16  # along the longest side of the box
RAYS, MOST_RAYS = 2048, 1 << 18  # a step, and to choose from
HELD = 0.05  # optical depth of a cell that holds something
AREA = 0.01  # weight of the surface's area, relative to a ray's squared difference
BRIGHT = 0.99  # share of the pixels that are no brighter than what counts as 1


@dataclass(frozen=True)
class Glow:
    """The model of a run: a `ValueAndGrad`.

    Attributes:
        task: of the run.
        bare: [N,H,W,3] linear RGB of the environment without the medium.
        backend: what renders.
    """

    task: Task
    bare: Tensor
    backend: Backend

    @cached_property
    def _grid(self) -> tuple[tuple[int, int, int], Tensor]:
        """Counts and box of a grid of cubes, with a layer without sites around the medium's box."""
        (depth, height, width), bounds = grid_in(self.task.bounds.cpu(), CELLS)
        spacing = (bounds[1, 0] - bounds[0, 0]) / (width - 1)
        return (depth + 2, height + 2, width + 2), torch.stack([bounds[0] - spacing, bounds[1] + spacing])

    @cached_property
    def _begun(self) -> Field:
        """A fog wherever the medium can be."""
        shape, bounds = self._grid
        reach = math.ceil(max(self.task.shape) / CELLS)  # vertices of the support within a cell
        near = torch.nn.functional.max_pool3d(self.task.support.float()[None], 2 * reach + 1, 1, reach)[0]
        inside = read_at(near, self.task.bounds, shape, bounds) > 0
        border = torch.ones_like(inside)
        border[1:-1, 1:-1, 1:-1] = False
        return fog(inside & ~border, FUNCTIONS).to(self.backend.device)

    @cached_property
    def _views(self) -> tuple[FieldRays, Tensor, Tensor]:
        """On the device: rays of some pixels that count, what they show [R,3], and without the medium."""
        shape, bounds = self._grid
        each = self.task.images[0, ..., 0].numel()
        every = math.ceil(len(self.task.images) * each / MOST_RAYS)
        rays, shown, bare = [], [], []
        for view in range(len(self.task.images)):
            here = rays_through(self.task.cameras[[view]], bounds, shape, FUNCTIONS)
            counts = (here.count > 0) & (self.task.weight[view].reshape(-1) > 0)
            chosen = torch.nonzero(counts)[view % every :: every, 0]
            rays.append(part(here, chosen))
            shown.append(self.task.images[view].reshape(-1, 3)[chosen].float())
            bare.append(self.bare[view].reshape(-1, 3)[chosen].float())
        scale = max(float(np.quantile(torch.cat(shown).amax(1).numpy(), BRIGHT)), 1e-12)
        place = self.backend.device
        return joined(rays).to(place), (torch.cat(shown) / scale).to(place), (torch.cat(bare) / scale).to(place)

    @property
    def tells(self) -> bool:
        """Whether any pixel counts, and anything can be anywhere."""
        views = [float(self.task.weight.max()), float(self.task.images.max()), len(self._begun.density)]
        return min(views) > 0 and len(self._views[1]) > 0

    def initial(self) -> Params:
        """Where the descent begins."""
        return parameters(self._begun)

    def field(self, params: Params) -> Field:
        """What the parameters stand for."""
        return Field(params[DENSITY], params[COLOURS] * COLOUR_UNIT, self._begun.index)

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss and misfit (the mean over rays and channels), and the gradient of the loss, summed over the rays."""
        every, target, bare = self._views
        count = min(RAYS, len(target))
        chosen = torch.randint(len(target), (count,), generator=random).sort().values
        rays, field = jittered(part(every, chosen), torch.rand(count, generator=random) - 0.5), self.field(params)
        shown = self.backend.field(field, rays)
        off = shown[:, :3] + shown[:, 3:] * bare[chosen] - target[chosen]
        # The kernel knows the squared difference to four numbers; this target gives it the gradient of three.
        wanted = shown - torch.cat([off, (off * bare[chosen]).sum(1, keepdim=True)], 1)
        _, density, colours = self.backend.field_misfit(field, rays, wanted)
        variation, slope = area(params[DENSITY], self._begun.index)
        weight, squares = AREA * count / max(len(params[DENSITY]), 1), float(off.square().sum())
        terms = {"loss": (squares + weight * variation) / count, "misfit": squares / count / 3}
        return terms, {DENSITY: density + weight * slope, COLOURS: colours * COLOUR_UNIT}

    def extinction(self, params: Params) -> Tensor:
        """How dense the medium is on the run's grid, [D,H,W], 1 on average where it can be.

        What no light comes from counts as being as dense as what hides it.
        """
        found = self.field({name: value.to(self.backend.device) for name, value in params.items()})
        light, field = self.backend.field_light(found, self._views[0]).cpu(), found.to("cpu")
        bounds = self._grid[1]
        sigma = torch.where(field.density < FAINT, 0.0, MOST * torch.sigmoid(field.density))
        grid, sites = dense(field, sigma[:, None], 0.0)[0], field.index >= 0
        hidden, held = sites & (light < DARK), grid > HELD
        if bool((held & ~hidden).any()):
            grid[hidden] = grid[hidden].clamp(min=float(grid[held & ~hidden].median()))
        shape = read_at(grid, bounds, self.task.shape, self.task.bounds) * self.task.support
        return shape / (shape.sum() / self.task.support.sum()).clamp(min=1e-12)


def read_at(values: Tensor, own: Tensor, shape: tuple[int, int, int], bounds: Tensor) -> Tensor:
    """A grid [d,h,w] over the box `own` [2,3] at the vertices [D,H,W] of another, trilinear; 0 outside."""
    low, high = own.float().cpu()

    def read(points: Tensor) -> Tensor:
        unit = ((points - low) / (high - low) * 2 - 1)[None, None, None]
        given = values.float().cpu()[None, None]
        found: Tensor = torch.nn.functional.grid_sample(given, unit, align_corners=True)
        return found.reshape(-1)

    return on_grid(read, bounds.cpu(), shape).values[0]
