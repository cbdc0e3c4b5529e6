"""Ellipsoids of constant density with exact line integrals: a phantom that no projector of ours has ever seen.

What a grid is reconstructed from has to come from somewhere else than the projector of the reconstruction, or errors of
that projector cancel (the "inverse crime": Colton and Kress, Inverse Acoustic and Electromagnetic Scattering Theory).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.cameras.rays import pixel_rays
from invrender.nouns import Cameras, Volume

Tensor = torch.Tensor


@dataclass(frozen=True)
class Ellipsoid:
    """One ellipsoid along the axes: centre and semi-axes (x, y, z), and the density that it adds."""

    centre: tuple[float, float, float]
    axes: tuple[float, float, float]
    density: float


FOUR = (
    Ellipsoid((0.0, 0.0, 0.0), (0.8, 0.9, 0.7), 0.5),
    Ellipsoid((0.3, 0.2, -0.15), (0.22, 0.16, 0.2), 0.75),
    Ellipsoid((-0.35, -0.3, 0.2), (0.15, 0.28, 0.12), 0.6),
    Ellipsoid((0.15, -0.5, 0.1), (0.1, 0.1, 0.1), 1.2),
)  # within [-1, 1]^3


def transmittances(ellipsoids: tuple[Ellipsoid, ...], cameras: Cameras, across: int = 2) -> Tensor:
    """[N,H,W] float32: exact transmittances, each pixel the mean of `across` x `across` rays."""
    height, width = cameras.size
    total = torch.zeros(len(cameras), height, width, dtype=torch.float64)
    offsets = (torch.arange(across) + 0.5).double() / across
    for shift in torch.cartesian_prod(offsets, offsets):
        row, column = torch.meshgrid(torch.arange(height) + shift[0], torch.arange(width) + shift[1], indexing="ij")
        pixels = torch.stack([column, row, torch.ones_like(row)], -1)
        origin, direction = (torch.einsum("nij,hwj->nhwi", matrix, pixels) for matrix in pixel_rays(cameras))
        direction = torch.nn.functional.normalize(direction, dim=-1)
        total += torch.exp(-line_integrals(ellipsoids, origin, direction))
    return (total / across**2).float()


def line_integrals(ellipsoids: tuple[Ellipsoid, ...], origin: Tensor, direction: Tensor) -> Tensor:
    """Optical depths [...] along whole lines: origins and unit directions [...,3] float64, from outside."""
    depth = torch.zeros(direction.shape[:-1], dtype=torch.float64)
    for each in ellipsoids:
        axes = torch.tensor(each.axes, dtype=torch.float64)
        p, q = (origin - torch.tensor(each.centre, dtype=torch.float64)) / axes, direction / axes
        a, b, c = (q * q).sum(-1), (p * q).sum(-1), (p * p).sum(-1) - 1
        depth += each.density * 2 * (b * b - a * c).clamp(min=0).sqrt() / a
    return depth


def averaged(ellipsoids: tuple[Ellipsoid, ...], samples: int, across: int = 3) -> Volume:
    """The density on samples^3 vertices over [-1, 1]^3, each the mean over a cell around its vertex."""
    line, cell = torch.linspace(-1, 1, samples, dtype=torch.float64), 2 / (samples - 1)
    total = torch.zeros(samples, samples, samples, dtype=torch.float64)
    offsets = ((torch.arange(across) + 0.5).double() / across - 0.5) * cell
    for shift in torch.cartesian_prod(offsets, offsets, offsets):
        z, y, x = torch.meshgrid(line + shift[2], line + shift[1], line + shift[0], indexing="ij")
        for each in ellipsoids:
            scaled = zip((x, y, z), each.centre, each.axes, strict=True)
            total += each.density * (sum(((at - c) / r) ** 2 for at, c, r in scaled) < 1)
    bounds = torch.tensor([[-1.0] * 3, [1.0] * 3], dtype=torch.float64)
    return Volume((total / across**3).float()[None], bounds, "ellipsoids")
