"""Radiance fields on sparse grids on all cores: the same sums as `backends.torch.field`, and nothing for empty cells.

Loss and gradient take one walk along each ray: what its samples were made of is kept until its colour is known.
"""

# mypy: disable-error-code="no-untyped-def"

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.bodies.field import FAINT, KEPT, ONE, illuminate, march, spread
from invrender.backends.cpu.compile import entry
from invrender.backends.cpu.threads import blocks, parallel_map
from invrender.kernels.field import EMPTY, Field, FieldRays

BLOCK = 4096  # rays per job where nothing is added up
TILES = 2  # jobs with a gradient of their own; their number does not depend on the machine, nor does the result


def field(field: Field, rays: FieldRays) -> torch.Tensor:
    """Colour and transmittance [R,4]; see the reference."""
    fixed = _arguments(field, rays)
    out = np.empty((len(rays.count), 4), np.float32)
    parallel_map(_render, [(*fixed, a, b, out) for a, b in blocks(len(out), BLOCK)])
    return torch.from_numpy(out)


def field_misfit(field: Field, rays: FieldRays, target: torch.Tensor) -> tuple[float, torch.Tensor, torch.Tensor]:
    """The sum of squared differences with target [R,4], and its gradients; see the reference."""
    fixed, goal = _arguments(field, rays), _flat(target)
    cuts = np.linspace(0, len(goal), TILES + 1).astype(np.int64)
    density = [np.zeros(len(field.density), np.float32) for _ in range(TILES)]
    colours = [np.zeros(field.colours.numel(), np.float32) for _ in range(TILES)]
    jobs = [(*fixed, cuts[i], cuts[i + 1], goal, density[i], colours[i]) for i in range(TILES)]
    loss = sum(parallel_map(_compare, jobs))
    for k in range(1, TILES):
        density[0] += density[k]
        colours[0] += colours[k]
    return float(loss), torch.from_numpy(density[0]), torch.from_numpy(colours[0]).reshape(field.colours.shape)


def field_light(field: Field, rays: FieldRays) -> torch.Tensor:
    """[D,H,W]: the greatest transmittance with which a ray arrives near a vertex; see the reference."""
    dense, cells, _, _, *rest = _arguments(field, rays)
    tiles = [np.zeros(field.index.numel(), np.float32) for _ in range(TILES)]
    cuts = np.linspace(0, len(rays.count), TILES + 1).astype(np.int64)
    depth = field.index.shape[0]
    parallel_map(_illuminate, [(dense, cells, depth, *rest[:-1], cuts[i], cuts[i + 1], tiles[i]) for i in range(TILES)])
    return torch.from_numpy(np.maximum.reduce(tiles)).reshape(field.index.shape)


def _arguments(field: Field, rays: FieldRays) -> tuple[Any, ...]:
    index = np.ascontiguousarray(field.index.cpu().numpy().reshape(-1), np.int32)
    dense, cells = np.full(len(index), EMPTY, np.float32), np.zeros(len(index), np.uint8)
    _scatter(_flat(field.density), index, dense)
    _, height, width = field.index.shape
    _occupy(dense, height, width, cells)
    count = np.ascontiguousarray(rays.count.cpu().numpy(), np.int32)
    return (
        dense, cells, index, _flat(field.colours), height, width,
        _flat(rays.start), _flat(rays.step), _flat(rays.length), count, _flat(rays.basis),
    )  # fmt: skip


def _flat(values: torch.Tensor) -> NDArray[np.float32]:
    return np.ascontiguousarray(values.detach().cpu().numpy(), np.float32)


@entry
def _scatter(density, index, dense):
    for i in range(len(index)):
        if index[i] >= 0:
            dense[i] = density[index[i]]


@entry
def _occupy(dense, height, width, cells):
    """Mark the cells one of whose corners is not too faint."""
    reach = width * height + width + 1
    for i in range(reach, len(dense)):
        if dense[i] >= FAINT:
            for k in range(2):
                for j in range(2):
                    at = i - (k * height + j) * width
                    cells[at] = 1
                    cells[at - 1] = 1


@entry
def _render(
    dense, cells, index, colours, height, width, start, step, length, count, basis, begin, end, out
):  # fmt: skip
    most = _longest(count, begin, end)
    cell_of, kept = np.empty(most, np.int64), np.empty((most, KEPT), np.float32)
    for ray in range(begin, end):
        out[ray, 0], out[ray, 1], out[ray, 2], out[ray, 3], _ = march(
            dense, cells, index, colours, height, width, start, step, length, count, basis, ray, cell_of, kept
        )


@entry
def _compare(
    dense, cells, index, colours, height, width, start, step, length, count, basis, begin, end,
    target, d_density, d_colours,
):  # fmt: skip
    most, loss = _longest(count, begin, end), 0.0
    cell_of, kept = np.empty(most, np.int64), np.empty((most, KEPT), np.float32)
    for ray in range(begin, end):
        red, green, blue, light, number = march(
            dense, cells, index, colours, height, width, start, step, length, count, basis, ray, cell_of, kept
        )
        dr, dg, db = red - target[ray, 0], green - target[ray, 1], blue - target[ray, 2]
        dt = light - target[ray, 3]
        loss += dr * dr + dg * dg + db * db + dt * dt
        two = ONE + ONE
        spread(
            index, height, width, length, basis, ray, cell_of, kept, number, (red, green, blue, light),
            (two * dr, two * dg, two * db, two * dt), d_density, d_colours,
        )  # fmt: skip
    return loss


@entry
def _longest(count, begin, end):
    most = 1
    for ray in range(begin, end):
        most = max(most, count[ray])
    return most


@entry
def _illuminate(
    dense, cells, depth, height, width, start, step, length, count, begin, end, light_at
):  # fmt: skip
    for ray in range(begin, end):
        illuminate(dense, cells, depth, height, width, start, step, length, count, ray, light_at)
