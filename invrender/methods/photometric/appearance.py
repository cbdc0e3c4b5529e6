"""How a shaded surface looks: albedo per vertex under a light of spherical harmonics, and the closed form of both.

A vertex has the colour albedo * occlusion * E(normal) / pi with the irradiance E of `shading.spherical_harmonics`, and
pixels show what lies between vertices. Pictures tell albedo and light up to one factor per channel. By convention the
light is neutral, the same mean radiance in all channels, and the mean of the albedo over vertices and channels is
MEAN_ALBEDO: the albedo carries the object's colour, as in pictures that are white-balanced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import torch
from scipy.sparse import csr_matrix, diags

from invrender.geometry.vectors import Floats
from invrender.nouns.topology import Topology
from invrender.shading.spherical_harmonics import COUNT, ambient, irradiance_basis

Tensor = torch.Tensor

MEAN_ALBEDO = 0.5
DARKEST, BRIGHTEST = 0.005, 2.0  # of albedo
RIDGE = 1e-4  # of the light's coefficients, relative to the constant one; a hundredth of that for the constant one
STEP = 0.03  # difference of albedo from which on the total variation counts it as an edge
SWEEPS = 12  # of conjugate gradients: each fit starts from the one before


@dataclass(frozen=True)
class Appearance:
    """What a shape's vertices reflect, and what arrives.

    Attributes:
        albedo: [V,3] float64.
        light: [9,3] float64, a radiance as in `shading.spherical_harmonics`.
        occlusion: [V,3] float64, the share of the irradiance that the shape itself does not block, or None for all.
    """

    albedo: Tensor
    light: Tensor
    occlusion: Tensor | None = None

    def colours(self, normals: Tensor) -> Tensor:
        """Linear colours [V,3] of vertices with unit normals [V,3]; differentiable in the normals."""
        return self.reflectance * self.irradiance(normals) / math.pi

    def irradiance(self, normals: Tensor) -> Tensor:
        """Without occlusion, [V,3]."""
        return (irradiance_basis(normals) @ self.light).clamp(min=0)

    @property
    def reflectance(self) -> Tensor:
        """Albedo times occlusion, [V,3]."""
        return self.albedo if self.occlusion is None else self.albedo * self.occlusion


def plain(count: int, brightness: float) -> Appearance:
    """Grey vertices under a light that is the same from all sides and shows them at a brightness."""
    grey = torch.full((count, 3), MEAN_ALBEDO, dtype=torch.float64)
    return Appearance(grey, ambient(torch.full((3,), brightness / MEAN_ALBEDO, dtype=torch.float64)))


def neutral(look: Appearance) -> Appearance:
    """The same colours with a neutral light and a mean albedo of MEAN_ALBEDO."""
    mean = look.light[0].clamp(min=1e-12)
    factor = mean / mean.mean()
    factor = factor * MEAN_ALBEDO / (look.albedo * factor).mean().clamp(min=1e-12)
    return replace(look, albedo=look.albedo * factor, light=look.light / factor)


def fitted_light(look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor) -> Appearance:
    """The light that gives the vertices the colours wanted [V,3], by least squares with weights [V,3]."""
    basis = irradiance_basis(normals) / math.pi
    columns = []
    for channel in range(3):
        rows = look.reflectance[:, channel, None] * basis
        normal = rows.T @ (weight[:, channel, None] * rows)
        ridge = torch.full((COUNT,), RIDGE, dtype=torch.float64)
        ridge[0] *= 0.01
        right = rows.T @ (weight[:, channel] * wanted[:, channel])
        columns.append(torch.linalg.solve(normal + torch.diag(ridge * normal[0, 0].clamp(min=1e-12)), right))
    return replace(look, light=torch.stack(columns, 1))


def fitted_constant(look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor) -> Appearance:
    """The one albedo [3] of all vertices that gives them the colours wanted, by least squares."""
    shade = replace(look, albedo=torch.ones_like(look.albedo)).colours(normals)
    fit = (weight * shade * wanted).sum(0) / (weight * shade.square()).sum(0).clamp(min=1e-12)
    return replace(look, albedo=fit.clamp(DARKEST, BRIGHTEST).expand_as(look.albedo).clone())


def fitted_albedo(
    look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor, edges: Topology, smooth: float
) -> Appearance:
    """The albedo [V,3] that gives vertices the colours wanted, with a total variation over edges of weight `smooth`.

    1/2 sum weight (albedo shade - wanted)^2 + smooth sum_edges sqrt(|difference|^2 + STEP^2), one step of iteratively
    reweighted least squares from the albedo that is there.
    """
    shade = replace(look, albedo=torch.ones_like(look.albedo)).colours(normals)
    variation = _variation(look.albedo, edges, smooth)
    diagonal = (weight * shade.square()).numpy()
    right = (weight * shade * wanted).numpy()
    columns = []
    for channel in range(3):
        matrix = variation + diags(diagonal[:, channel] + 1e-9)
        start = look.albedo[:, channel].numpy()
        columns.append(torch.from_numpy(_conjugate_gradients(matrix, right[:, channel], start)))
    return replace(look, albedo=torch.stack(columns, 1).clamp(DARKEST, BRIGHTEST))


def _variation(albedo: Tensor, edges: Topology, smooth: float) -> csr_matrix:
    """The Laplacian [V,V] whose quadratic form touches the total variation at an albedo."""
    a, b = edges.edges.unbind(1)
    length = ((albedo[a] - albedo[b]).square().sum(1) + STEP**2).sqrt()
    weight = (smooth / length).numpy()
    count = len(albedo)
    half = csr_matrix((weight, (a.numpy(), b.numpy())), shape=(count, count))
    joined = (half + half.T).tocsr()
    return (diags(joined.sum(1).A1) - joined).tocsr()


def _conjugate_gradients(matrix: csr_matrix, right: Floats, start: Floats) -> Floats:
    """A few sweeps, preconditioned by the diagonal."""
    from scipy.sparse.linalg import cg

    solution: Floats = cg(matrix, right, start, maxiter=SWEEPS, M=diags(1 / matrix.diagonal()))[0]
    return solution
