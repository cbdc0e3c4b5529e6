"""How a shaded surface looks: albedo per vertex under a light of spherical harmonics, and the closed form of both.

A vertex has the colour albedo * occlusion * E(normal) / pi with the irradiance E of `shading.spherical_harmonics`, and
pixels show what lies between vertices. Pictures tell albedo and light up to one factor per channel. By convention the
light is neutral, the same mean radiance in all channels, and the mean of the albedo over vertices and channels is
MEAN_ALBEDO: the albedo carries the object's colour, as in pictures that are white-balanced.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from invrender.geometry.attributes import transferred
from invrender.geometry.vectors import Floats
from invrender.methods.silhouette.target import Shape
from invrender.nouns.topology import Topology
from invrender.shading.spherical_harmonics import COUNT, ambient, irradiance_basis

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

Tensor = torch.Tensor

MEAN_ALBEDO = 0.2  # about what an average scene reflects; how smooth an albedo is held goes with it
BRIGHT = 0.85  # of the albedo that is written, where the light is not known
DARKEST, BRIGHTEST = 0.005, 2.0  # of albedo
STEP = 0.1  # difference of albedo from which on the variation counts it as an edge, which costs the same however high
SWEEPS = 12  # of conjugate gradients: each fit starts from the one before


WEAK = 1e-4
"""Prior of a light where the albedo is known to be the same everywhere, see `fitted_light`."""


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


def reflecting(look: Appearance) -> Appearance:
    """The same colours with an albedo that materials can have: all but the brightest hundredth stay below BRIGHT."""
    factor = BRIGHT / float(look.albedo.amax(1).quantile(0.99).clamp(min=1e-6))
    return replace(look, albedo=look.albedo * factor, light=look.light / factor)


def carried(look: Appearance, shape: Shape, to: Shape) -> Appearance:
    """The same light, and the same albedo on another mesh of the shape; shadows have to be traced anew."""
    albedo = transferred(look.albedo.numpy(), shape.vertices, shape.faces, to.vertices, to.faces)
    return Appearance(torch.from_numpy(albedo), look.light)


def fitted_light(look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor, ridge: float) -> Appearance:
    """The light that gives the vertices the colours wanted [V,3], by least squares with weights [V,3].

    `ridge` holds all coefficients but the constant one (a hundredth of it that), as a share of how strongly the
    pictures determine the constant one.
    """
    basis = irradiance_basis(normals) / math.pi
    rows = look.reflectance.T[..., None] * basis
    weighed = rows * weight.T[..., None]
    matrix = weighed.transpose(1, 2) @ rows
    right = weighed.transpose(1, 2) @ wanted.T[..., None]
    directed = torch.ones(COUNT, dtype=torch.float64)
    directed[0] = 0.01
    matrix = matrix + ridge * matrix[0, 0, 0].clamp(min=1e-12) * torch.diag(directed)
    return replace(look, light=torch.linalg.solve(matrix, right)[..., 0].T.contiguous())


def fitted_constant(look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor) -> Appearance:
    """The one albedo [3] of all vertices that gives them the colours wanted, by least squares."""
    shade = replace(look, albedo=torch.ones_like(look.albedo)).colours(normals)
    fit = (weight * shade * wanted).sum(0) / (weight * shade.square()).sum(0).clamp(min=1e-12)
    return replace(look, albedo=fit.clamp(DARKEST, BRIGHTEST).expand_as(look.albedo).clone())


def fitted_albedo(
    look: Appearance, normals: Tensor, wanted: Tensor, weight: Tensor, edges: Topology, smooth: float
) -> Appearance:
    """The albedo [V,3] that gives vertices the colours wanted, with a variation over edges of weight `smooth`.

    1/2 sum weight (albedo shade - wanted)^2 + smooth sum_edges STEP/2 log(1 + |difference|^2 / STEP^2), one step of
    iteratively reweighted least squares from the albedo that is there. The logarithm (Cauchy's loss) makes borders
    between materials cheap; a total variation moves them into the light.
    """
    from scipy.sparse import diags

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
    """The Laplacian [V,V] whose quadratic form touches the variation at an albedo."""
    from scipy.sparse import csr_matrix, diags

    a, b = edges.edges.unbind(1)
    weight = (smooth * STEP / ((albedo[a] - albedo[b]).square().sum(1) + STEP**2)).numpy()
    count = len(albedo)
    half = csr_matrix((weight, (a.numpy(), b.numpy())), shape=(count, count))
    joined = (half + half.T).tocsr()
    return (diags(joined.sum(1).A1) - joined).tocsr()


def _conjugate_gradients(matrix: csr_matrix, right: Floats, start: Floats) -> Floats:
    """A few sweeps, preconditioned by the diagonal."""
    from scipy.sparse import diags
    from scipy.sparse.linalg import cg

    solution: Floats = cg(matrix, right, start, maxiter=SWEEPS, M=diags(1 / matrix.diagonal()))[0]
    return solution
