"""Training a neural field on samples of a function: what sits on a grid, or comes as points with values.

Rendervous calls the two ways to place samples grid and point sensors.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import torch

from invrender.errors import InputError, UsageError
from invrender.nouns.volume import Volume
from invrender.parameters.neural_field import SCALED, FieldSettings, Kind, LearnedField, NeuralField, Output
from invrender.solve.adam import Adam
from invrender.solve.loop import Loop
from invrender.solve.phase import Finished, Phase, Start
from invrender.solve.protocol import Params, Terms
from invrender.solve.rates import exponential_decay

Tensor = torch.Tensor
Target = Callable[[Tensor], Tensor]
Sensor = Literal["points", "grid"]
Draw = Callable[[torch.Generator], tuple[Tensor, Tensor]]

SHAPE = (32, 32, 32)
LAST = 0.05  # of the rate that is left in the end


@dataclass(frozen=True)
class FieldMisfit:
    """Mean squared difference of a field and what it should be, in squares of the target's level: a `ValueAndGrad`.

    Attributes:
        field: what is trained.
        draw: points [M,3] and what the field should be there [M,C], anew for each step.
        level: root mean square of the target.
    """

    field: NeuralField
    draw: Draw
    level: float

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """The misfit and its gradient."""
        points, values = self.draw(random)
        leaves = {name: value.detach().requires_grad_(True) for name, value in params.items()}
        loss = ((self.field.function(leaves)(points) - values) / self.level).square().mean()
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        return {"misfit": float(loss.detach())}, dict(zip(leaves, gradients, strict=True))


def fit_field(
    target: Volume | Target | tuple[Tensor, Tensor],
    bounds: Tensor | Sequence[Sequence[float]] | None = None,
    *,
    sensor: Sensor = "points",
    shape: tuple[int, int, int] | None = None,
    outputs: Sequence[Output] | None = None,
    kind: Kind = "latents",
    settings: FieldSettings | None = None,
    iterations: int = 300,
    samples: int = 4096,
    rate: float = 0.02,
    seed: int = 0,
) -> LearnedField:
    """Train a neural field on samples of a function of place.

        field = invrender.fit_field(volume)                                             # from a grid
        field = invrender.fit_field(lambda p: p.norm(dim=1), [[-1] * 3, [1] * 3])       # from any function
        field = invrender.fit_field((points, values), outputs=["share"] * 3)            # from what was measured

    Args:
        target: a volume; or points [M,3] float32 to values [M] or [M,C]; or points with their values.
        bounds: [2,3], the field's box; None: the volume's, or what the points span.
        sensor: where samples are taken in each step: points, uniformly at random; grid: all vertices of the grid, each
            moved at random by up to half a cell. Points that were given are drawn from as they are.
        shape: (D,H,W) of the field's own grid; None: the volume's, or 32 on each side.
        outputs: the range of each channel (see `NeuralField`); None: positive where no sample of it is below 0, or any.
        kind: latents, a latent grid below the network, fast to train; network, one on a positional encoding, smaller.
        settings: all of how it is built; None: what suits the kind.
        iterations: steps of Adam.
        samples: points of a step, where the sensor is not a grid.
        rate: of Adam at the start; it falls to a twentieth.
        seed: of everything random; equal ones give equal fields.

    Raises:
        UsageError: no box, or settings that make no sense.
        InputError: points and values do not fit together, are none, or are not finite.
    """
    if iterations < 1 or samples < 1 or not 0 < rate < math.inf:
        raise UsageError("training takes at least one step, one sample and a rate above 0", "raise the one that is 0")
    box, size = _place(target, bounds, shape)
    draw = _drawer(target, box, size, sensor, samples)
    _, seen = draw(torch.Generator().manual_seed(seed))
    ranges = tuple(outputs) if outputs is not None else _ranges(seen)
    if len(ranges) != seen.shape[1]:
        raise UsageError(f"{len(ranges)} outputs for values of {seen.shape[1]} channels", "give one for each channel")
    free = [c for c, output in enumerate(ranges) if output in SCALED]
    level = _level(seen[:, free]) if free else 1.0
    built = settings or FieldSettings.of_kind(kind, seed)
    field = NeuralField(size, box, level, None, dataclasses.replace(built, seed=seed), ranges)
    return LearnedField(field, _trained(FieldMisfit(field, draw, _level(seen)), iterations, rate, seed))


def _trained(misfit: FieldMisfit, iterations: int, rate: float, seed: int) -> Params:
    def following(finished: tuple[Finished, ...]) -> Phase | None:
        if finished:
            return None
        return Phase(
            name="train",
            title="train",
            steps=iterations,
            start=lambda: Start(misfit.field.initial()),
            objective=misfit,
            solver=Adam(exponential_decay(rate, LAST, iterations), (0.9, 0.99)),
            decode=lambda params: params,
            result=lambda params, state: params,
            seed=seed,
            advice="lower the rate",
        )

    loop = Loop(following)
    for _ in loop:
        pass
    return loop.state.finished[-1].result


def _place(
    target: Volume | Target | tuple[Tensor, Tensor],
    bounds: Tensor | Sequence[Sequence[float]] | None,
    shape: tuple[int, int, int] | None,
) -> tuple[Tensor, tuple[int, int, int]]:
    """The box [2,3] float64 and the grid of the field."""
    if isinstance(target, Volume):
        box = target.bounds if bounds is None else bounds
        shape = shape or target.shape
    elif isinstance(target, tuple):
        points = _checked(*target)[0]
        box = torch.stack([points.amin(0), points.amax(0)]) if bounds is None else bounds
    elif bounds is None:
        raise UsageError("a function has no box of its own", "give `bounds`, the lower and the upper corner")
    else:
        box = bounds
    corners = torch.as_tensor(box).detach().cpu().double()
    if corners.shape != (2, 3) or not bool((corners[0] < corners[1]).all()):
        raise UsageError(f"the box {corners.tolist()} has no extent", "give its lower corner, then its upper one")
    return corners, shape or SHAPE


def _drawer(
    target: Volume | Target | tuple[Tensor, Tensor], box: Tensor, size: tuple[int, int, int], sensor: Sensor, count: int
) -> Draw:
    """Points of a step [M,3] with what the field should be there [M,C]."""
    if isinstance(target, tuple):
        points, values = _checked(*target)

        def measured(random: torch.Generator) -> tuple[Tensor, Tensor]:
            chosen = torch.randint(len(points), (min(count, len(points)),), generator=random)
            return points[chosen], values[chosen]

        return measured
    if sensor not in ("points", "grid"):
        raise UsageError(f"there is no sensor {sensor!r}", "use points or grid")
    function = _trilinear(target) if isinstance(target, Volume) else target
    place = grid_sensor(box, size) if sensor == "grid" else point_sensor(box, count)

    def looked_up(random: torch.Generator) -> tuple[Tensor, Tensor]:
        points = place(random)
        with torch.no_grad():
            values = torch.as_tensor(function(points)).to(points)
        return _checked(points, values)

    return looked_up


def point_sensor(box: Tensor, count: int) -> Callable[[torch.Generator], Tensor]:
    """Points [count,3] float32 of a box [2,3], uniformly at random, anew with each call."""
    low, high = box.float()
    return lambda random: low + torch.rand(count, 3, generator=random) * (high - low)


def grid_sensor(box: Tensor, size: tuple[int, int, int]) -> Callable[[torch.Generator], Tensor]:
    """All vertices [DHW,3] float32 of a grid (D,H,W), each moved by up to half a cell, and back inside at faces."""
    low, high = box.float()
    lines = [torch.linspace(float(low[a]), float(high[a]), size[2 - a]) for a in range(3)]
    z, y, x = torch.meshgrid(lines[2], lines[1], lines[0], indexing="ij")
    vertices = torch.stack([x, y, z], -1).reshape(-1, 3)
    cell = (high - low) / (torch.tensor(size[::-1]) - 1).clamp(min=1)

    def place(random: torch.Generator) -> Tensor:
        moved = vertices + (torch.rand(vertices.shape, generator=random) - 0.5) * cell
        inner = low + (moved - low).abs()
        folded: Tensor = high - (high - inner).abs()
        return folded

    return place


def _trilinear(volume: Volume) -> Target:
    values, (low, high) = volume.values.detach().cpu().float(), volume.bounds.cpu().float()

    def look(points: Tensor) -> Tensor:
        unit = 2 * (points - low) / (high - low) - 1
        found = torch.nn.functional.grid_sample(values[None], unit[None, None, None], align_corners=True)
        return found[0, :, 0, 0].T

    return look


def _checked(points: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
    """Points [M,3] and values [M,C] float32."""
    points, values = torch.as_tensor(points).detach().float(), torch.as_tensor(values).detach().float()
    values = values[:, None] if values.ndim == 1 else values
    if points.ndim != 2 or points.shape[1] != 3 or values.ndim != 2 or len(points) != len(values) or not len(points):
        raise InputError(
            f"points of shape {tuple(points.shape)} and values of shape {tuple(values.shape)} do not fit together",
            "give points [M,3] and values [M] or [M,C]",
        )
    if not bool(points.isfinite().all() and values.isfinite().all()):
        raise InputError("points or values hold NaN or infinity", "leave these out")
    return points, values


def _ranges(seen: Tensor) -> tuple[Output, ...]:
    return tuple("positive" if float(channel.min()) >= 0 else "any" for channel in seen.T)


def _level(values: Tensor) -> float:
    """Root mean square; 1 where all is 0."""
    found = float(values.square().mean().sqrt())
    return found if found > 0 else 1.0
