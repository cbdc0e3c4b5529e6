"""The exact line integral and its transpose on all cores: two Gauss points in every cell that a ray crosses.

The walk from cell to cell is Amanatides and Woo's (1987). Rays are cut into a fixed number of parts with a grid of
their own each, so that the transpose does not depend on the number of threads.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.backends.cpu.volume_compile import body, entry
from invrender.backends.cpu.volume_threads import blocks, spread

Tensor = torch.Tensor

BLOCK = 1 << 12  # rays per job of the forward pass
PARTS = 4  # of the rays, in the transpose
GAUSS = 0.5 / math.sqrt(3.0)
FAR = 1e300


def line_integral(grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor) -> Tensor:
    """See `invrender.kernels.LineIntegral`; [R] float32."""
    values = np.ascontiguousarray(grid.detach().numpy(), np.float32)
    start, step = _index_rays(grid, bounds, origin, direction)
    out = np.zeros(len(start), np.float32)
    spread(_integrals, [(values, start, step, begin, end, out) for begin, end in blocks(len(start), BLOCK)])
    return torch.from_numpy(out)


def line_integral_adjoint(
    grad: Tensor, grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
) -> tuple[Tensor, None, None]:
    """The gradient of the grid; those of the rays are the reference's alone."""
    start, step = _index_rays(grid, bounds, origin, direction)
    values = np.ascontiguousarray(grad.detach().numpy(), np.float32)
    cuts = np.linspace(0, len(start), PARTS + 1).astype(np.int64)
    parts = [np.zeros(tuple(grid.shape), np.float32) for _ in range(PARTS)]
    spread(_spread_back, [(parts[i], start, step, cuts[i], cuts[i + 1], values) for i in range(PARTS)])
    return torch.from_numpy(np.sum(parts, axis=0)), None, None


def _index_rays(
    grid: Tensor, bounds: Tensor, origin: Tensor, direction: Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    count = torch.tensor(tuple(grid.shape)[::-1], dtype=torch.float64)
    scale = (count - 1) / (bounds[1] - bounds[0])
    start = (origin.detach().double() - bounds[0]) * scale
    return start.contiguous().numpy(), (direction.detach().double() * scale).contiguous().numpy()


@body
def _chord(o, d, shape):  # type: ignore[no-untyped-def]
    """t of entry and exit of the box; equal for a ray that misses."""
    enter, leave = 0.0, FAR
    largest = max(abs(d[0]), abs(d[1]), abs(d[2]))
    for a in range(3):
        top = shape[2 - a] - 1
        if abs(d[a]) <= 1e-12 * largest:
            if o[a] < 0 or o[a] > top:
                return 0.0, 0.0
        else:
            t0, t1 = -o[a] / d[a], (top - o[a]) / d[a]
            enter, leave = max(enter, min(t0, t1)), min(leave, max(t0, t1))
    return enter, max(leave, enter)


@body
def _axis(o, d, enter, top):  # type: ignore[no-untyped-def]
    """First cell, step, t of the next plane and t between planes along one axis."""
    at = o + enter * d
    cell = min(max(math.floor(at), 0), top - 1)
    if d > 0:
        if cell + 1 - at < 1e-9 and cell < top - 1:
            cell += 1
        return cell, 1, (cell + 1 - o) / d, 1 / d
    if d < 0:
        if at - cell < 1e-9 and cell > 0:
            cell -= 1
        return cell, -1, (cell - o) / d, -1 / d
    return cell, 0, FAR, FAR


@entry
def _integrals(values, start, step, begin, end, out):  # type: ignore[no-untyped-def]
    nz, ny, nx = values.shape
    for r in range(begin, end):
        o, d = start[r], step[r]
        enter, leave = _chord(o, d, values.shape)
        if leave <= enter:
            continue
        x, sx, tx, wx = _axis(o[0], d[0], enter, nx - 1)
        y, sy, ty, wy = _axis(o[1], d[1], enter, ny - 1)
        z, sz, tz, wz = _axis(o[2], d[2], enter, nz - 1)
        t, total = enter, 0.0
        while t < leave and 0 <= x < nx - 1 and 0 <= y < ny - 1 and 0 <= z < nz - 1:
            nearest = min(tx, ty, tz)
            after = max(min(nearest, leave), t)
            length, middle = after - t, 0.5 * (after + t)
            for side in (-GAUSS, GAUSS):
                q = middle + side * length
                fx, fy, fz = o[0] + q * d[0] - x, o[1] + q * d[1] - y, o[2] + q * d[2] - z
                a = values[z, y, x] + fx * (values[z, y, x + 1] - values[z, y, x])
                b = values[z, y + 1, x] + fx * (values[z, y + 1, x + 1] - values[z, y + 1, x])
                e = values[z + 1, y, x] + fx * (values[z + 1, y, x + 1] - values[z + 1, y, x])
                f = values[z + 1, y + 1, x] + fx * (values[z + 1, y + 1, x + 1] - values[z + 1, y + 1, x])
                low, high = a + fy * (b - a), e + fy * (f - e)
                total += 0.5 * length * (low + fz * (high - low))
            t = after
            if nearest == tx:
                x, tx = x + sx, tx + wx
            elif nearest == ty:
                y, ty = y + sy, ty + wy
            else:
                z, tz = z + sz, tz + wz
        out[r] = total


@entry
def _spread_back(grid, start, step, begin, end, grad):  # type: ignore[no-untyped-def]
    nz, ny, nx = grid.shape
    for r in range(begin, end):
        o, d = start[r], step[r]
        enter, leave = _chord(o, d, grid.shape)
        if leave <= enter or grad[r] == 0:
            continue
        x, sx, tx, wx = _axis(o[0], d[0], enter, nx - 1)
        y, sy, ty, wy = _axis(o[1], d[1], enter, ny - 1)
        z, sz, tz, wz = _axis(o[2], d[2], enter, nz - 1)
        t = enter
        while t < leave and 0 <= x < nx - 1 and 0 <= y < ny - 1 and 0 <= z < nz - 1:
            nearest = min(tx, ty, tz)
            after = max(min(nearest, leave), t)
            length, middle = after - t, 0.5 * (after + t)
            for side in (-GAUSS, GAUSS):
                q = middle + side * length
                fx, fy, fz = o[0] + q * d[0] - x, o[1] + q * d[1] - y, o[2] + q * d[2] - z
                share = 0.5 * length * grad[r]
                for k in range(2):
                    wk = share * (fz if k else 1 - fz)
                    for j in range(2):
                        wj = wk * (fy if j else 1 - fy)
                        grid[z + k, y + j, x] += wj * (1 - fx)
                        grid[z + k, y + j, x + 1] += wj * fx
            t = after
            if nearest == tx:
                x, tx = x + sx, tx + wx
            elif nearest == ty:
                y, ty = y + sy, ty + wy
            else:
                z, tz = z + sz, tz + wz
