"""From colour views to a volume: density and colour, or the transfer function of a volume that is known.

Density and colour are numbers on a grid, or one neural field. All minimise the squared difference between the views and
composited colours, by Adam on random rays, with the kernels' hand-written adjoint. The grid is refined from coarse to
fine, of a field the one on which it is shown; where a view sees only the background it stays empty.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from invrender.cameras.rays import camera_rays
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.kernels.compositing import RaySamples
from invrender.methods.volume_colour.estimate import arrays
from invrender.methods.volume_colour.settings import ColourSettings
from invrender.methods.volume_colour.support import support
from invrender.nouns import Views, Volume
from invrender.ops import composite
from invrender.parameters.field_volume import FieldGrid, colour_field
from invrender.parameters.neural_field import FieldSettings, NeuralField
from invrender.parameters.raw_volume import RawGrid, RawTable, faint_table, fog, resampled
from invrender.render.emission import step_length
from invrender.render.sampling import sample_rays
from invrender.solve.adam import Adam
from invrender.solve.phase import Finished, Phase, Schedule, Start
from invrender.solve.protocol import Params, Terms
from invrender.solve.rates import linear_decay

Tensor = torch.Tensor

LEVELS = ((4, 0.25), (2, 0.3), (1, 0.45))  # how much coarser than the result, and the share of the iterations
ROWS = 64  # of the transfer function's table
COARSEST = 12  # samples along the shortest axis, at least
BETAS = (0.9, 0.95)
RATE, FIELD_RATE = 0.12, 0.02  # of Adam, unless given
HIDDEN = 32  # width of the field's hidden layer
COOLING = 0.8  # by how much of it the rate falls over a level
ADVICE = "lower the rate (--fresh --set rate=0.05)"


@dataclass(frozen=True)
class RayTargets:
    """The rays that meet the box, cut into samples, and what they should show ([R,4] RGB over black, transmittance)."""

    samples: RaySamples
    target: Tensor


@dataclass(frozen=True)
class Misfit:
    """Mean squared difference on random rays, and the unknown's roughness: a `ValueAndGrad`.

    Attributes:
        unknown: what parameters stand for.
        targets: all rays, with what they should show.
        rays: how many are taken each time.
        smoothing: weight of the roughness.
        backend: what composites.
    """

    unknown: RawGrid | FieldGrid | RawTable
    targets: RayTargets
    rays: int
    smoothing: float
    backend: Backend

    def value_and_grad(self, params: Params, random: torch.Generator) -> tuple[Terms, Params]:
        """Loss and misfit, and the gradient of the loss."""
        target = self.targets.target
        chosen = torch.randint(len(target), (min(self.rays, len(target)),), generator=random)
        chosen = chosen.sort().values.to(target.device)  # neighbours share memory
        leaves = {name: value.detach().requires_grad_(True) for name, value in params.items()}
        grid, table, rules = self.unknown.scene(leaves)
        shown = composite(self.backend, grid, _part(self.targets.samples, chosen), table, rules)
        misfit = (shown - target[chosen]).square().mean()
        loss = misfit + self.smoothing * self.unknown.roughness(leaves, grid)
        gradients = torch.autograd.grad(loss, list(leaves.values()))
        terms = {"loss": float(loss.detach()), "misfit": float(misfit.detach())}
        return terms, dict(zip(leaves, gradients, strict=True))


def colour_schedule(
    views: Views, bounds: Tensor, shape: tuple[int, int, int], settings: ColourSettings, backend: Backend
) -> Schedule:
    """The phases to density and colour; their estimates are volumes of four channels (extinction, linear RGB).

    Args:
        views: images with straight alpha in `masks`.
        bounds: [2,3] the box of the grid.
        shape: samples of the grid along z, y, x.
        settings: how to descend.
        backend: what composites.

    Raises:
        InputError: the views hold no colours, or nothing can be where they say.
    """
    if views.images is None:
        raise _colourless()
    field = field_of(views, bounds, shape, settings, backend) if settings.field == "neural" else None

    def following(finished: tuple[Finished, ...]) -> Phase | None:
        if len(finished) == len(LEVELS):
            return None
        coarser, share = LEVELS[len(finished)]
        size = _coarse(shape, coarser)
        done = sum(each.steps for each in finished)
        count = settings.iterations - done if coarser == 1 else round(share * settings.iterations)
        targets = _ray_targets(views, Volume(torch.zeros(1, *size), bounds), settings, backend)
        unknown: RawGrid | FieldGrid
        if field is None:
            unknown = RawGrid(support(views, bounds, size).to(backend.device), bounds)
        else:
            unknown = FieldGrid(field, size)

        def start() -> Start:
            if field is not None:
                return Start(_on(backend, weights(field, finished[-1]) if finished else field.initial()))
            return Start(_on(backend, resampled(finished[-1].result, size) if finished else fog(size)))

        return _descent(f"1/{coarser} of the resolution", unknown, targets, (done, count), settings, backend, start)

    return following


def field_of(
    views: Views, bounds: Tensor, shape: tuple[int, int, int], settings: ColourSettings, backend: Backend
) -> NeuralField:
    """The field of density and colour that is trained on views."""
    filled = support(views, bounds, shape).to(backend.device)
    return colour_field(filled, bounds, FieldSettings(hidden=HIDDEN, seed=settings.seed))


def weights(field: NeuralField, finished: Finished) -> Params:
    """The field's weights that a phase ended with."""
    return {name: finished.result[name] for name in field.sizes}


def transfer_schedule(
    views: Views, known: Volume, window: tuple[float, float], settings: ColourSettings, backend: Backend
) -> Schedule:
    """The one phase to the transfer function, over a window of values, under which a volume shows the views (unlit).

    Raises:
        InputError: the views hold no colours.
    """
    if views.images is None:
        raise _colourless()

    def following(finished: tuple[Finished, ...]) -> Phase | None:
        if finished:
            return None
        unknown, targets = RawTable(known, window), _ray_targets(views, known, settings, backend)

        def start() -> Start:
            return Start(_on(backend, faint_table(ROWS)))

        return _descent("table", unknown, targets, (0, settings.iterations), settings, backend, start)

    return following


def _descent(
    name: str,
    unknown: RawGrid | FieldGrid | RawTable,
    targets: RayTargets,
    span: tuple[int, int],
    settings: ColourSettings,
    backend: Backend,
    start: Callable[[], Start],
) -> Phase:
    """A phase of Adam; `span`: steps before it, and its own."""
    first, count = span
    rate = settings.rate or (FIELD_RATE if isinstance(unknown, FieldGrid) else RATE)

    def result(params: Params, state: Any) -> Params:
        del state
        return {**params, **{name: torch.from_numpy(a) for name, a in arrays(unknown.decode(params)).items()}}

    return Phase(
        name=name,
        title="descend",
        steps=count,
        start=start,
        objective=Misfit(unknown, targets, settings.rays, settings.smoothing, backend),
        solver=Adam(linear_decay(rate, COOLING, max(count, 1)), BETAS),
        decode=unknown.decode,
        result=result,
        first=first,
        total=settings.iterations,
        seed=settings.seed,
        advice=ADVICE,
    )


def _on(backend: Backend, params: Params) -> Params:
    return {name: value.to(backend.device) for name, value in params.items()}


def _colourless() -> InputError:
    return InputError("the views hold no colours", "use a dataset of RGBA images, or --method silhouette")


def _ray_targets(views: Views, volume: Volume, settings: ColourSettings, backend: Backend) -> RayTargets:
    assert views.images is not None
    alpha = views.masks[..., None]
    target = torch.cat([views.images * alpha, 1 - alpha], -1).reshape(-1, 4).float()
    step = step_length(volume, settings.samples)
    samples = sample_rays(camera_rays(views.cameras), volume.bounds, volume.shape, step, torch.float32)
    hit = torch.nonzero(samples.count > 0)[:, 0]
    if not len(hit):
        raise InputError("no camera sees the box of the grid", "check --bounds against the cameras")
    part = _part(samples, hit)
    on_device = RaySamples(*(values.to(backend.device) for values in (part.start, part.step, part.length, part.count)))
    return RayTargets(on_device, target[hit].to(backend.device))


def _part(samples: RaySamples, chosen: Tensor) -> RaySamples:
    return RaySamples(samples.start[chosen], samples.step[chosen], samples.length[chosen], samples.count[chosen])


def _coarse(shape: tuple[int, int, int], factor: int) -> tuple[int, int, int]:
    factor = max(1, min(factor, min(shape) // COARSEST))
    depth, height, width = ((n - 1) // factor + 1 for n in shape)
    return depth, height, width
