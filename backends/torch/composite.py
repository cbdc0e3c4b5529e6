"""Compositing along rays, the reference: plain torch, any device and dtype, with an adjoint that keeps no samples.

The adjoint traverses each ray a second time from the front. With g the gradient of the colour C, g_T that of the
transmittance T, and R_i = C - (what samples 1..i have added), sample i receives

    d sigma_i = h (g . (T_{i+1} c_i - R_i) - g_T T),   d c_i = T_i (1 - exp(-h sigma_i)) g,

so that the final C and T are all that the forward pass has to keep (the idea of Niemeyer et al. 2020 and of radiative
backpropagation: recompute, do not record).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch

from invrender.backends.torch.light import Lit
from invrender.kernels.compositing import MIP_RAMP, OPAQUE, RaySamples, Rules, Shade

Tensor = torch.Tensor

_SAMPLES_AT_ONCE = 1 << 19
_TINY = 1e-12


def composite(grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules) -> Tensor:
    """Colour and transmittance along R rays.

    Args:
        grid: [D,H,W,C]. With a table: C = 1 values, or C = 4 values and their gradient (x, y, z) in world units for
            lighting. Without: C = 4, extinction per world unit and linear RGB.
        samples: their positions on the rays.
        table: [K,4] linear RGB and extinction per world unit, over values from `rules.low` to `rules.high`; linear
            between its rows, constant beyond.
        rules: compositing and lighting.

    Returns:
        [R,4]: RGB (as if over black) and transmittance.
    """
    result = grid.new_zeros(len(samples.count), 4)
    result[:, 3] = 1
    for rows in _blocks(samples, rules):
        if rules.compositing == "mip":
            result[rows] = _brightest(grid, samples, rows, table, rules)
        elif rules.compositing == "vectorized":
            result[rows] = _all_at_once(grid, samples, rows, table, rules)
        else:
            result[rows] = _front_to_back(grid, samples, rows, table, rules)
    return result


def composite_adjoint(
    grad: Tensor, result: Tensor, grid: Tensor, samples: RaySamples, table: Tensor | None, rules: Rules
) -> tuple[Tensor, Tensor | None]:
    """Gradients of grid and table from the gradient [R,4] and the result [R,4] of `composite`."""
    d_grid = torch.zeros_like(grid)
    d_table = None if table is None else torch.zeros_like(table)
    for rows in _blocks(samples, rules):
        if rules.compositing == "mip":
            _brightest_adjoint(grad, grid, samples, rows, table, rules, d_grid, d_table)
            continue
        given, final = grad[rows], result[rows]
        left, transmittance = final[:, :3].clone(), grid.new_ones(len(rows))
        for i, on in _steps(samples, rows):
            at = rows[on]
            stencil = _Stencil.of(grid, samples.start[at] + i * samples.step[at])
            seen = _classify(stencil.gather(grid), table, rules, at)
            before = transmittance[on]
            after = before * torch.exp(-seen.sigma * samples.length[at])
            if rules.compositing == "early-termination":
                alive = before > OPAQUE
                before, after = torch.where(alive, before, 0), torch.where(alive, after, 0)
            weight = before - after
            left[on] -= weight[:, None] * seen.colour
            toward = after[:, None] * seen.colour - left[on]
            absorbed = (given[on, :3] * toward).sum(1) - given[on, 3] * final[on, 3]
            d_sigma = torch.where(before > 0, samples.length[at] * absorbed, 0)
            d_sample = seen.adjoint(d_sigma, weight[:, None] * given[on, :3], d_table)
            stencil.scatter(d_grid, d_sample)
            transmittance[on] = torch.where(before > 0, after, transmittance[on])
    return d_grid, d_table


def _blocks(samples: RaySamples, rules: Rules) -> Iterator[Tensor]:
    """Indices of the rays that meet the grid, in blocks whose samples fit in little memory."""
    hit = torch.nonzero(samples.count > 0)[:, 0]
    if not len(hit):
        return
    per_ray = int(samples.count.max()) if rules.compositing in ("vectorized", "mip") else 8
    yield from torch.split(hit, max(1, _SAMPLES_AT_ONCE // per_ray))


def _steps(samples: RaySamples, rows: Tensor) -> Iterator[tuple[int, Tensor]]:
    """(i, which of the rows have a sample i)."""
    count = samples.count[rows]
    for i in range(int(count.max())):
        yield i, torch.nonzero(count > i)[:, 0]


def _front_to_back(grid: Tensor, samples: RaySamples, rows: Tensor, table: Tensor | None, rules: Rules) -> Tensor:
    colour, transmittance = grid.new_zeros(len(rows), 3), grid.new_ones(len(rows))
    for i, on in _steps(samples, rows):
        if rules.compositing == "early-termination":
            on = on[transmittance[on] > OPAQUE]  # noqa: PLW2901 - narrowed to the rays that are not opaque yet
            if not len(on):
                break
        at = rows[on]
        seen = _classify(_Stencil.of(grid, samples.start[at] + i * samples.step[at]).gather(grid), table, rules, at)
        after = transmittance[on] * torch.exp(-seen.sigma * samples.length[at])
        colour[on] += (transmittance[on] - after)[:, None] * seen.colour
        transmittance[on] = after
    return torch.cat([colour, transmittance[:, None]], 1)


def _all_at_once(grid: Tensor, samples: RaySamples, rows: Tensor, table: Tensor | None, rules: Rules) -> Tensor:
    i, valid, at = _every_sample(samples, rows)
    stencil = _Stencil.of(grid, samples.start[at] + i[:, None] * samples.step[at])
    seen = _classify(stencil.gather(grid), table, rules, at)
    depth = grid.new_zeros(valid.shape)
    depth[valid] = seen.sigma * samples.length[at]
    colour = grid.new_zeros(*valid.shape, 3)
    colour[valid] = seen.colour
    behind = torch.exp(-depth.cumsum(1))
    before = torch.cat([torch.ones_like(behind[:, :1]), behind[:, :-1]], 1)
    return torch.cat([((before - behind)[..., None] * colour).sum(1), behind[:, -1:]], 1)


def _brightest(grid: Tensor, samples: RaySamples, rows: Tensor, table: Tensor | None, rules: Rules) -> Tensor:
    sample, at = _greatest(grid, samples, rows)
    seen = _classify(_Stencil.of(grid, sample).gather(grid), table, rules, at)
    opacity = _mip_opacity(seen.value, rules)
    return torch.cat([opacity[:, None] * seen.colour, 1 - opacity[:, None]], 1)


def _brightest_adjoint(
    grad: Tensor,
    grid: Tensor,
    samples: RaySamples,
    rows: Tensor,
    table: Tensor | None,
    rules: Rules,
    d_grid: Tensor,
    d_table: Tensor | None,
) -> None:
    sample, at = _greatest(grid, samples, rows)
    stencil = _Stencil.of(grid, sample)
    seen = _classify(stencil.gather(grid), table, rules, at)
    opacity = _mip_opacity(seen.value, rules)
    given = grad[rows]
    inside = (opacity > 0) & (opacity < 1)
    slope = torch.where(inside, MIP_RAMP / (rules.high - rules.low), 0)
    d_sample = seen.adjoint(torch.zeros_like(opacity), opacity[:, None] * given[:, :3], d_table)
    d_sample[:, 0] += slope * ((given[:, :3] * seen.colour).sum(1) - given[:, 3])
    stencil.scatter(d_grid, d_sample)


def _mip_opacity(value: Tensor, rules: Rules) -> Tensor:
    return ((value - rules.low) / (rules.high - rules.low) * MIP_RAMP).clamp(0, 1)


def _greatest(grid: Tensor, samples: RaySamples, rows: Tensor) -> tuple[Tensor, Tensor]:
    """The index coordinates [r,3] of the first greatest sample on each of the rays, and the rays."""
    i, valid, at = _every_sample(samples, rows)
    values = grid.new_full(valid.shape, -torch.inf)
    values[valid] = _Stencil.of(grid, samples.start[at] + i[:, None] * samples.step[at]).gather(grid)[:, 0]
    best = values.argmax(1)
    return samples.start[rows] + best[:, None] * samples.step[rows], rows


def _every_sample(samples: RaySamples, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Sample numbers [S], which of [r, most] samples exist, and the ray of each of the S samples."""
    count = samples.count[rows]
    number = torch.arange(int(count.max()), device=count.device)
    valid = number < count[:, None]
    ray, i = torch.nonzero(valid, as_tuple=True)
    return i, valid, rows[ray]


@dataclass(frozen=True)
class _Stencil:
    """Trilinear interpolation at S samples: the flat indices [S,8] of the eight corners and their weights [S,8]."""

    corner: Tensor
    weight: Tensor

    @staticmethod
    def of(grid: Tensor, points: Tensor) -> _Stencil:
        depth, height, width, _ = grid.shape
        most = points.new_tensor([width - 1, height - 1, depth - 1])
        inside = torch.minimum(points.clamp(min=0), most)
        cell = torch.minimum(inside.floor(), most - 1)
        f = inside - cell
        x, y, z = cell.long().unbind(1)
        base = (z * height + y) * width + x
        offsets = [(k * height + j) * width + i for k in (0, 1) for j in (0, 1) for i in (0, 1)]
        along = torch.stack([1 - f, f], 2)
        weight = along[:, 2, :, None, None] * along[:, 1, None, :, None] * along[:, 0, None, None, :]
        return _Stencil(base[:, None] + torch.tensor(offsets, device=points.device), weight.reshape(-1, 8))

    def gather(self, grid: Tensor) -> Tensor:
        """Values [S,C]."""
        flat = grid.reshape(-1, grid.shape[3])
        return (flat[self.corner] * self.weight[..., None]).sum(1)

    def scatter(self, d_grid: Tensor, d_sample: Tensor) -> None:
        """Add the gradients [S,C] of the samples to those of the grid."""
        spread = self.weight[..., None] * d_sample[:, None]
        flat = d_grid.view(-1, d_grid.shape[3])
        flat.index_add_(0, self.corner.reshape(-1), spread.reshape(-1, d_grid.shape[3]))


@dataclass(frozen=True)
class _Classified:
    """Colour and extinction of S samples, and the intermediate results that the adjoint needs."""

    sample: Tensor
    value: Tensor
    sigma: Tensor
    colour: Tensor
    base: Tensor
    table: Tensor | None = None
    row: Tensor | None = None
    share: Tensor | None = None
    slope: Tensor | None = None
    shade: Shade | None = None
    lights: Tensor | None = None

    def adjoint(self, d_sigma: Tensor, d_colour: Tensor, d_table: Tensor | None) -> Tensor:
        """Gradients [S,C] of the samples from those of extinction [S] and colour [S,3]; adds to d_table [K,4]."""
        if self.table is None:
            return torch.cat([d_sigma[:, None], d_colour], 1)
        d_gradient = None
        if self.shade is not None and self.lights is not None:
            lit = Lit.of(self.sample[:, 1:], self.lights, self.shade)
            d_gradient = lit.adjoint((d_colour * self.base).sum(1), d_colour.sum(1))
            d_colour = d_colour * lit.factor[:, None]
        d_entry = torch.cat([d_colour, d_sigma[:, None]], 1)
        assert self.row is not None and self.share is not None and self.slope is not None and d_table is not None
        d_table.index_add_(0, self.row, d_entry * (1 - self.share[:, None]))
        d_table.index_add_(0, self.row + 1, d_entry * self.share[:, None])
        d_value = (d_entry * self.slope).sum(1, keepdim=True)
        return d_value if d_gradient is None else torch.cat([d_value, d_gradient], 1)


def _classify(sample: Tensor, table: Tensor | None, rules: Rules, rays: Tensor) -> _Classified:
    """Colour and extinction of samples [S,C] on the rays [S]."""
    if table is None:
        return _Classified(sample, sample[:, 0], sample[:, 0], sample[:, 1:], sample[:, 1:])
    scale = (len(table) - 1) / (rules.high - rules.low)
    position = (sample[:, 0] - rules.low) * scale
    row = position.floor().clamp(0, len(table) - 2).long()
    share = (position - row).clamp(0, 1)
    rise = table[row + 1] - table[row]
    entry = table[row] + share[:, None] * rise
    within = (position > 0) & (position < len(table) - 1)
    slope = torch.where(within[:, None], rise * scale, 0)
    base = colour = entry[:, :3]
    lights = None
    if rules.shade is not None:
        lights = rules.shade.lights[rays]
        lit = Lit.of(sample[:, 1:], lights, rules.shade)
        colour = base * lit.factor[:, None] + lit.highlight[:, None]
    return _Classified(sample, sample[:, 0], entry[:, 3], colour, base, table, row, share, slope, rules.shade, lights)
