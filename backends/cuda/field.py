"""Radiance fields on sparse grids on a GPU, one thread per ray; what adjoints and lights add up is atomic.

Loss and gradient take one walk along each ray, as on CPUs: what its samples were made of is kept in the GPU's memory
until its colour is known, for as many rays at a time as SCRATCH holds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from numba import cuda

from invrender.backends.arguments import dense_field, occupied_cells
from invrender.backends.cuda.bodies import field as bodies
from invrender.backends.cuda.launch import launch
from invrender.backends.cuda.target import kernel
from invrender.kernels.field import Field, FieldRays

Tensor = torch.Tensor

illuminate, march, spread = bodies.illuminate, bodies.march, bodies.spread

SCRATCH = 2**26  # numbers


def field(field: Field, rays: FieldRays) -> Tensor:
    """Colour and transmittance [R,4]; see the reference."""
    out = torch.empty(len(rays.count), 4, dtype=torch.float32, device=field.density.device)
    fixed = _arguments(field, rays)
    for begin, scratch in _parts(rays, out):
        launch(_render, len(scratch[0]), *fixed, begin, *scratch, out)
    return out


def field_misfit(field: Field, rays: FieldRays, target: Tensor) -> tuple[float, Tensor, Tensor]:
    """The sum of squared differences with target [R,4], and its gradients; see the reference."""
    fixed, goal = _arguments(field, rays), _floats(target, field.density)
    losses = torch.empty(len(goal), dtype=torch.float32, device=goal.device)
    d_density, d_colours = (goal.new_zeros(values.numel()) for values in (field.density, field.colours))
    for begin, scratch in _parts(rays, goal):
        launch(_compare, len(scratch[0]), *fixed, begin, *scratch, goal, losses, d_density, d_colours)
    return float(losses.double().sum()), d_density, d_colours.reshape(field.colours.shape)


def field_light(field: Field, rays: FieldRays) -> Tensor:
    """[D,H,W]: the greatest transmittance with which a ray arrives near a vertex; see the reference."""
    dense, cells, _, _, height, width, start, step, length, count, _ = _arguments(field, rays)
    light, depth = torch.zeros_like(dense), field.index.shape[0]
    launch(_illuminate, len(count), dense, cells, depth, height, width, start, step, length, count, light)
    return light.reshape(field.index.shape)


def _arguments(field: Field, rays: FieldRays) -> tuple[Any, ...]:
    beside = field.density
    index, dense = field.index.to(beside.device, torch.int32).contiguous(), dense_field(field)
    _, height, width = index.shape
    floats = (_floats(values, beside) for values in (rays.start, rays.step, rays.length))
    count = rays.count.to(beside.device, torch.int32).contiguous()
    return (
        dense.reshape(-1), occupied_cells(dense), index.reshape(-1), _floats(field.colours, beside), height, width,
        *floats, count, _floats(rays.basis, beside),
    )  # fmt: skip


def _parts(rays: FieldRays, beside: Tensor) -> Iterator[tuple[int, tuple[Tensor, Tensor]]]:
    """The first ray of each part of them, and where its rays keep their samples: cells [P,M], numbers [P,M,KEPT]."""
    if not len(rays.count):
        return
    most = max(1, int(rays.count.max()))
    size = max(1, min(len(rays.count), SCRATCH // (most * bodies.KEPT)))
    cell_of = torch.empty(size, most, dtype=torch.int64, device=beside.device)
    kept = torch.empty(size, most, bodies.KEPT, dtype=torch.float32, device=beside.device)
    for begin in range(0, len(rays.count), size):
        own = min(size, len(rays.count) - begin)
        yield begin, (cell_of[:own], kept[:own])


def _floats(values: Tensor, beside: Tensor) -> Tensor:
    return values.detach().to(beside.device, torch.float32).contiguous()


@kernel
def _render(
    dense: Any, cells: Any, index: Any, colours: Any, height: Any, width: Any, start: Any, step: Any, length: Any,
    count: Any, basis: Any, begin: Any, cell_of: Any, kept: Any, out: Any,
) -> None:  # fmt: skip
    row = cuda.grid(1)
    if row < len(cell_of):
        ray = begin + row
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3], _ = march(
            dense, cells, index, colours, height, width, start, step, length, count, basis, ray,
            cell_of[row], kept[row],
        )  # fmt: skip


@kernel
def _compare(
    dense: Any, cells: Any, index: Any, colours: Any, height: Any, width: Any, start: Any, step: Any, length: Any,
    count: Any, basis: Any, begin: Any, cell_of: Any, kept: Any, target: Any, losses: Any, d_density: Any,
    d_colours: Any,
) -> None:  # fmt: skip
    row = cuda.grid(1)
    if row < len(cell_of):
        ray = begin + row
        red, green, blue, light, number = march(
            dense, cells, index, colours, height, width, start, step, length, count, basis, ray,
            cell_of[row], kept[row],
        )  # fmt: skip
        dr, dg, db = red - target[ray, 0], green - target[ray, 1], blue - target[ray, 2]
        dt = light - target[ray, 3]
        losses[ray] = dr * dr + dg * dg + db * db + dt * dt
        spread(
            index, height, width, length, basis, ray, cell_of[row], kept[row], number, (red, green, blue, light),
            (dr + dr, dg + dg, db + db, dt + dt), d_density, d_colours,
        )  # fmt: skip


@kernel
def _illuminate(
    dense: Any, cells: Any, depth: Any, height: Any, width: Any, start: Any, step: Any, length: Any, count: Any,
    light_at: Any,
) -> None:  # fmt: skip
    ray = cuda.grid(1)
    if ray < len(count):
        illuminate(dense, cells, depth, height, width, start, step, length, count, ray, light_at)
