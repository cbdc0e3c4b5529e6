"""Radiance fields on sparse grids in plain torch: the reference for other backends; the gradient is autograd's."""

from __future__ import annotations

from collections.abc import Iterator

import torch

from invrender.kernels.field import EMPTY, FAINT, GREY, MOST, Field, FieldRays

Tensor = torch.Tensor

SAMPLES_AT_ONCE = 1 << 17


def field(field: Field, rays: FieldRays) -> Tensor:
    """Colour and transmittance [R,4]; see `invrender.kernels.field`."""
    parts = [_shown(field, part)[0] for part in _parts(rays)]
    return torch.cat(parts) if parts else field.density.new_zeros(0, 4)


def field_misfit(field: Field, rays: FieldRays, target: Tensor) -> tuple[float, Tensor, Tensor]:
    """The sum of squared differences with target [R,4], and its gradients with density and colours."""
    density, colours = (values.detach().requires_grad_(True) for values in (field.density, field.colours))
    total, done = 0.0, 0
    gradients = [torch.zeros_like(density), torch.zeros_like(colours)]
    with torch.enable_grad():
        for part in _parts(rays):
            shown, _ = _shown(Field(density, colours, field.index), part)
            loss = (shown - target[done : done + len(shown)]).square().sum()
            for kept, new in zip(gradients, torch.autograd.grad(loss, (density, colours)), strict=True):
                kept.add_(new)
            total, done = total + float(loss.detach()), done + len(shown)
    return total, gradients[0], gradients[1]


def field_light(field: Field, rays: FieldRays) -> Tensor:
    """[D,H,W]: the greatest transmittance with which a ray arrives at a sample whose nearest vertex this is."""
    light = torch.zeros(field.index.numel(), dtype=field.density.dtype, device=field.density.device)
    for part in _parts(rays):
        _, arriving = _shown(field, part)
        vertex = (_positions(part) + 0.5).long()
        at = _flat(field.index.shape, vertex.unbind(-1))
        light = light.scatter_reduce(0, at[_used(part)], arriving[_used(part)], "amax")
    return light.reshape(field.index.shape)


def _parts(rays: FieldRays) -> Iterator[FieldRays]:
    """The rays in portions that bound the memory."""
    most = max(int(rays.count.max()), 1) if len(rays.count) else 1
    size = max(1, SAMPLES_AT_ONCE // most)
    for begin in range(0, len(rays.count), size):
        i = slice(begin, begin + size)
        yield FieldRays(rays.start[i], rays.step[i], rays.length[i], rays.count[i], rays.basis[i])


def _positions(rays: FieldRays) -> Tensor:
    """[R,M,3] of M samples a ray; those beyond a ray's own are at its start."""
    number = torch.where(_used(rays), torch.arange(_most(rays), device=rays.count.device), 0)
    return rays.start[:, None] + number[..., None] * rays.step[:, None]


def _most(rays: FieldRays) -> int:
    return int(rays.count.max())


def _used(rays: FieldRays) -> Tensor:
    """[R,M]: which samples are a ray's own."""
    return torch.arange(_most(rays), device=rays.count.device) < rays.count[:, None]


def _flat(shape: torch.Size, vertex: tuple[Tensor, ...]) -> Tensor:
    """Numbers of vertices (x, y, z) in a grid [D,H,W]."""
    x, y, z = (v.clamp(0, n - 1) for v, n in zip(vertex, reversed(shape), strict=True))
    return (z * shape[1] + y) * shape[2] + x


def _shown(field: Field, rays: FieldRays) -> tuple[Tensor, Tensor]:
    """Colour and transmittance [R,4], and the transmittance [R,M] before each sample."""
    at = _positions(rays)
    cell = at.long()
    share = at - cell
    u: Tensor = torch.zeros(())
    mixed: Tensor = torch.zeros(())
    for corner in range(8):
        near = [(corner >> axis) & 1 for axis in range(3)]
        weights = [share[..., axis] if near[axis] else 1 - share[..., axis] for axis in range(3)]
        weight = weights[0] * weights[1] * weights[2]
        site = field.index.reshape(-1)[_flat(field.index.shape, tuple(cell[..., k] + near[k] for k in range(3)))].long()
        own = site >= 0
        site = site.clamp(min=0)
        u = u + weight * torch.where(own, field.density[site], EMPTY)
        mixed = mixed + (weight * own)[..., None] * field.colours[site]
    basis = rays.basis[:, None, :, None].to(mixed)
    colour = GREY + (mixed.unflatten(-1, (-1, 3)) * basis).sum(-2)
    depth = MOST * torch.sigmoid(u) * ((u >= FAINT) & _used(rays)) * rays.length[:, None]
    before = torch.exp(-(depth.cumsum(1) - depth))
    weight = before * -torch.expm1(-depth)
    shown = torch.cat([(weight[..., None] * colour).sum(1), torch.exp(-depth.sum(1))[:, None]], 1)
    return shown, before
