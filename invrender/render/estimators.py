"""Transmittance along rays through any density field: exact on grids, marched, or estimated without bias by chance.

A field is a function of points [M,3] that gives densities [M] (extinction per length), so it need not be a grid. The
trackers need a majorant, a number that no density exceeds (Woodcock et al. 1965; Novak et al. 2014); their results are
random, and their mean over many calls is the transmittance exactly. Equal seeds give equal results.

So is their derivative: from dT = -T d(integral of the density), a tracker's result T' and one point t, drawn uniformly
along the chord [a, b] and independent of it, give -T' d((b - a) density(t)), whose mean is dT exactly. Unlike the
derivative of the tracked weights 1 - density / majorant it stays right where the density reaches the majorant, and
nothing has to be recorded while tracking.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from invrender.errors import UsageError
from invrender.kernels import Backend
from invrender.nouns import Rays, Volume
from invrender.ops import line_integral

Tensor = torch.Tensor
Field = Callable[[Tensor], Tensor]


class MajorantError(UsageError):
    """A density exceeds its majorant."""


SLACK = 1e-5  # relative, by which rounding may lift a density over the majorant


def exact(volume: Volume, rays: Rays, backend: Backend) -> Tensor:
    """[R] transmittance exp(-integral) of a grid, exact up to rounding; differentiable as `ops.line_integral` is."""
    return torch.exp(-line_integral(backend, volume.values[0], volume.bounds, rays.origin, rays.direction))


def ray_marching(
    field: Field, rays: Rays, ends: Tensor, steps: int, generator: torch.Generator | None = None
) -> Tensor:
    """[R] transmittance from `steps` samples per ray; differentiable in the field.

    Args:
        field: the density.
        rays: R of them.
        ends: [R,2] t of entry and exit; see `box_ends`.
        steps: samples per ray.
        generator: places each sample at random in its step; None takes the middles (biased alike in every call).
    """
    length = (ends[:, 1:] - ends[:, :1]) / steps
    offset = torch.full((len(ends), steps), 0.5, dtype=ends.dtype)
    if generator is not None:
        offset = torch.rand(offset.shape, generator=generator, dtype=ends.dtype)
    t = ends[:, :1] + (torch.arange(steps) + offset) * length
    points = rays.origin[:, None] + t[..., None] * rays.direction[:, None]
    values = field(points.reshape(-1, 3)).reshape(t.shape)
    return torch.exp(-(values * length).sum(1))


def delta_tracking(field: Field, majorant: float, rays: Rays, ends: Tensor, generator: torch.Generator) -> Tensor:
    """[R] ones and zeros: whether a photon comes through. Unbiased, with the variance T (1 - T).

    Differentiable in the field, and in rays and ends: the gradient is unbiased too (see the top of this file). It takes
    one more random number per ray, after all others.

    Raises:
        UsageError: the density exceeds the majorant.
    """
    return _track(field, majorant, rays, ends, generator, absorb=True)


def ratio_tracking(field: Field, majorant: float, rays: Rays, ends: Tensor, generator: torch.Generator) -> Tensor:
    """[R] products of 1 - density / majorant over random collisions. Unbiased, and less noisy than delta tracking.

    Differentiable as `delta_tracking` is.

    Raises:
        UsageError: the density exceeds the majorant.
    """
    return _track(field, majorant, rays, ends, generator, absorb=False)


def residual_ratio_tracking(
    field: Field, control: Control, majorant: float, rays: Rays, ends: Tensor, generator: torch.Generator
) -> Tensor:
    """[R] the transmittance of a control, which is known, times ratio tracking of what the density differs from it by.

    Unbiased whatever the control; the less it leaves, the fewer collisions and the less noise (Novak et al. 2014).
    Differentiable as `delta_tracking` is; the control counts as constant, since the mean does not depend on it.

    Args:
        field: the density.
        control: see `Control`.
        majorant: what the density differs from the control by at most.
        rays, ends, generator: as for the others; within `ends` the control's depth is that of the whole ray.

    Raises:
        UsageError: the difference exceeds the majorant.
    """
    with torch.no_grad():
        known = torch.exp(-control.depth(rays, ends)).to(ends.dtype)

    def residual(points: Tensor) -> Tensor:
        return field(points) - control.field(points)

    through, from_field = _walk(residual, majorant, rays, ends, generator, absorb=False)
    return _with_slope(known * through, field, rays, ends, generator, from_field)


@dataclass(frozen=True)
class Control:
    """A density whose transmittance is known.

    Attributes:
        field: it.
        depth: rays and their ends [R,2] to its optical depths [R].
    """

    field: Field
    depth: Callable[[Rays, Tensor], Tensor]


def constant_control(value: float) -> Control:
    """The same density everywhere."""
    return Control(
        lambda points: points.new_full((len(points),), value), lambda rays, ends: value * (ends[:, 1] - ends[:, 0])
    )


def grid_control(volume: Volume, backend: Backend) -> Control:
    """A grid, coarse as a rule, over the box of the density; rays are cut by it."""

    def depth(rays: Rays, ends: Tensor) -> Tensor:
        del ends
        return line_integral(backend, volume.values[0], volume.bounds, rays.origin, rays.direction)

    return Control(grid_field(volume), depth)


def _track(
    field: Field, majorant: float, rays: Rays, ends: Tensor, generator: torch.Generator, *, absorb: bool
) -> Tensor:
    through, from_field = _walk(field, majorant, rays, ends, generator, absorb=absorb)
    return _with_slope(through, field, rays, ends, generator, from_field)


def _walk(
    field: Field, majorant: float, rays: Rays, ends: Tensor, generator: torch.Generator, *, absorb: bool
) -> tuple[Tensor, bool]:
    """Products of 1 - field / majorant [R], or whether a photon comes through; and whether the field has a gradient."""
    if not majorant > 0:
        raise UsageError(f"a majorant of {majorant:g} is impossible", "give a number that no density exceeds, above 0")
    through = torch.ones(len(ends), dtype=ends.dtype)
    origin, direction, (near, far) = rays.origin.detach(), rays.direction.detach(), ends.detach().unbind(1)
    t = near.clone()
    alive = torch.arange(len(ends))
    from_field = False
    while len(alive):
        chance = torch.rand(len(alive), generator=generator, dtype=ends.dtype)
        t[alive] -= torch.log1p(-chance) / majorant
        alive = alive[t[alive] < far[alive]]
        seen = field(origin[alive] + t[alive, None] * direction[alive])
        values, from_field = seen.detach(), from_field or seen.requires_grad
        if len(alive) and float(values.abs().max()) > majorant * (1 + SLACK):
            raise MajorantError(
                f"the density reaches {float(values.abs().max()):g}, above the majorant of {majorant:g}",
                "raise the majorant: with a lower one the estimate is wrong",
            )
        keep = 1 - values / majorant
        if absorb:
            keep = (torch.rand(len(alive), generator=generator, dtype=ends.dtype) < keep).to(ends.dtype)
        through[alive] *= keep.clamp(min=0)
        alive = alive[through[alive] > 0]
    return through, from_field


def _with_slope(
    through: Tensor, field: Field, rays: Rays, ends: Tensor, generator: torch.Generator, from_field: bool
) -> Tensor:
    """An estimate with its gradient, where there is one."""
    moving = torch.is_grad_enabled() and any(part.requires_grad for part in (rays.origin, rays.direction, ends))
    return through * _slope(field, rays, ends, generator) if from_field or moving else through


def _slope(field: Field, rays: Rays, ends: Tensor, generator: torch.Generator) -> Tensor:
    """[R] ones whose gradient is minus that of the optical depth, estimated from one point on each ray."""
    chord = ends[:, 1] - ends[:, 0]
    t = ends[:, 0] + torch.rand(len(ends), generator=generator, dtype=ends.dtype) * chord
    depth = chord * field(rays.origin + t[:, None] * rays.direction)
    return 1 - (depth - depth.detach())


def grid_field(volume: Volume) -> Field:
    """The density of a grid, trilinear inside its box and zero outside; differentiable in its values.

    It answers in the dtype of the points, whichever that is, and computes in the wider one of theirs and the bounds'.
    """
    low, high = volume.bounds

    def density(points: Tensor) -> Tensor:
        unit = 2 * (points - low) / (high - low) - 1
        inside = (unit.abs() <= 1).all(-1)
        values = torch.nn.functional.grid_sample(
            volume.values[None].to(unit.dtype), unit[None, None, None], align_corners=True, padding_mode="border"
        )[0, 0, 0, 0]
        return torch.where(inside, values, 0.0).to(points.dtype)

    return density


def box_ends(rays: Rays, bounds: Tensor) -> Tensor:
    """[R,2] t >= 0 at which rays enter and leave a box; equal for those that miss it."""
    safe = torch.where(rays.direction == 0, 1e-300, rays.direction.double())
    walls = (bounds[:, None] - rays.origin) / safe
    near, far = walls.amin(0).amax(1).clamp(min=0), walls.amax(0).amin(1)
    return torch.stack([near, torch.maximum(far, near)], 1).to(rays.origin.dtype)
