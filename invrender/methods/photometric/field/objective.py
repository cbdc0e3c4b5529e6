"""What a radiance field is fitted by: the views on random rays, and a small area of the surface that it stands for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch

from invrender.kernels import Backend
from invrender.kernels.field import Field
from invrender.methods.photometric.field.rays import Targets, jittered, part
from invrender.solve.protocol import Params, Terms

Tensor = torch.Tensor

DENSITY, COLOURS = "density", "colours"
COLOUR_UNIT = 0.1  # one step length serves both: colours are kept in tenths
SELDOM = 4  # the area is looked at in one of so many steps, with as many times the weight
ROUND = 1e-3  # squared occupancy gradient at which the area's kink is rounded


@dataclass(frozen=True)
class Misfit:
    """Squared differences on random rays, and the area: a `ValueAndGrad`.

    Attributes:
        index: [D,H,W] int32 of the field's sites.
        targets: all rays, with what they should show.
        rays: how many are taken each time.
        area: weight of the total variation of occupancy, relative to a ray's squared difference.
        backend: what renders.
    """

    index: Tensor
    targets: Targets
    rays: int
    area: float
    backend: Backend

    def field(self, params: Params) -> Field:
        """What the parameters stand for."""
        return Field(params[DENSITY], params[COLOURS] * COLOUR_UNIT, self.index)

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss and misfit (the mean over rays and channels), and the gradient of the loss, summed over the rays."""
        total = len(self.targets.shown)
        count = min(self.rays, total)
        chosen = torch.randint(total, (count,), generator=random).sort().values  # neighbours share memory
        shift = torch.rand(count, generator=random) - 0.5
        looks = bool(torch.rand((), generator=random) < 1 / SELDOM)
        rays = jittered(part(self.targets.rays, chosen), shift)
        squares, density, colours = self.backend.field_misfit(self.field(params), rays, self.targets.shown[chosen])
        loss = squares
        if self.area and looks:
            weight = SELDOM * self.area * count / len(params[DENSITY])
            variation, slope = area(params[DENSITY], self.index)
            loss, density = loss + weight * variation, density + weight * slope
        return {"loss": loss / count, "misfit": squares / count / 4}, {
            DENSITY: density,
            COLOURS: colours * COLOUR_UNIT,
        }


def area(density: Tensor, index: Tensor) -> tuple[float, Tensor]:
    """Total variation of the occupancy 1 / (1 + exp(-u)), in faces of cells, and its gradient with u [S]."""
    own = index >= 0
    occupancy = torch.zeros(index.shape, dtype=density.dtype, device=density.device)
    occupancy[own] = torch.sigmoid(density)
    steps = [torch.zeros_like(occupancy) for _ in range(3)]
    for axis, step in enumerate(steps):
        step.narrow(axis, 0, step.shape[axis] - 1).copy_(occupancy.diff(dim=axis))
    norm = (steps[0].square() + steps[1].square() + steps[2].square() + ROUND).sqrt_()
    gradient = torch.zeros_like(occupancy)
    for axis, step in enumerate(steps):
        step.div_(norm)
        gradient -= step
        length = step.shape[axis] - 1
        gradient.narrow(axis, 1, length).add_(step.narrow(axis, 0, length))
    share = occupancy[own]
    return float((norm - ROUND**0.5).sum()), gradient[own] * share * (1 - share)


def parameters(field: Field) -> Params:
    """The parameters that stand for a field."""
    return {DENSITY: field.density, COLOURS: field.colours / COLOUR_UNIT}


def with_index(params: Params, index: Tensor) -> Field:
    """The field of parameters on numbered sites."""
    plain = Field(params[DENSITY], params[COLOURS] * COLOUR_UNIT, index)
    return replace(plain, density=plain.density.cpu(), colours=plain.colours.cpu())
