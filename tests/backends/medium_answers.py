"""What rays see of media, by other means than paths: quadrature, and layers added one by one. All in float64."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

Tensor = torch.Tensor


@dataclass(frozen=True)
class Once:
    """Light scattered once by a cube from -1/2 to 1/2, whose values tensors [] may be differentiated.

    Attributes:
        extinction: at its centre, and
        ramp: by how much it grows along x.
        albedo, asymmetry, emission: of it.
        sun, irradiance: unit vector [3] towards a light, and what it sends.
        lamp, intensity: place [3] of another, and what it sends.
    """

    extinction: Tensor
    ramp: Tensor
    albedo: Tensor
    asymmetry: Tensor
    emission: Tensor
    sun: Tensor
    irradiance: Tensor
    lamp: Tensor
    intensity: Tensor

    def seen(self, origin: Tensor, direction: Tensor, nodes: int = 24) -> Tensor:
        """[R] by Gauss and Legendre's rule along rays [R,3]; the lights reach each node along straight lines."""
        begin, end = inside(origin, direction)
        place, weight = np.polynomial.legendre.leggauss(nodes)
        t = begin[:, None] + (end - begin)[:, None] * (torch.tensor(place) + 1) / 2
        x = origin[:, None] + t[..., None] * direction[:, None]
        way = direction[:, None].expand_as(x)
        source = self.emission + self.albedo * (self.from_sun(x, way) + self.from_lamp(x, way))
        gone = self.depth(x, -way, t - begin[:, None])
        values = (self.extinction + self.ramp * x[..., 0]) * torch.exp(-gone) * source
        return (values * torch.tensor(weight)).sum(1) * (end - begin) / 2

    def depth(self, x: Tensor, towards: Tensor, length: Tensor) -> Tensor:
        """Optical depth from points [...,3] on; that of the middle counts, since it grows linearly."""
        return length * (self.extinction + self.ramp * (x[..., 0] + towards[..., 0] * length / 2))

    def from_sun(self, x: Tensor, way: Tensor) -> Tensor:
        towards = self.sun.expand_as(x)
        left = torch.exp(-self.depth(x, towards, inside(x, towards)[1]))
        return self.irradiance * left * law((way * towards).sum(-1), self.asymmetry)

    def from_lamp(self, x: Tensor, way: Tensor) -> Tensor:
        segment = self.lamp - x
        distance = segment.norm(dim=-1)
        towards = segment / distance[..., None]
        left = torch.exp(-self.depth(x, towards, torch.minimum(inside(x, towards)[1], distance)))
        return self.intensity / distance**2 * left * law((way * towards).sum(-1), self.asymmetry)


def inside(origin: Tensor, direction: Tensor) -> tuple[Tensor, Tensor]:
    """Where rays [...,3] enter the cube, at least 0, and where they leave it; alike where they miss it."""
    safe = torch.where(direction == 0, 1e-30, direction)
    ends = torch.stack([(side - origin) / safe for side in (-0.5, 0.5)])
    begin, end = ends.amin(0).amax(-1).clamp(min=0), ends.amax(0).amin(-1)
    return begin, torch.maximum(begin, end)


def law(cosine: Tensor, g: Tensor) -> Tensor:
    """Henyey and Greenstein's."""
    return (1 - g * g) / (4 * math.pi * (1 + g * g - 2 * g * cosine) ** 1.5)


def layers(depth: float, albedo: float, cosines: Sequence[float], steps: int = 400) -> tuple[float, float]:
    """What a wide slab that scatters alike in all directions shows of a light of irradiance 1 across its way.

    Bellman, Kalaba and Prestrud 1963 ("Invariant imbedding and radiative transfer in slabs of finite thickness"): how
    Chandrasekhar's function of scattering grows with each layer, by Runge and Kutta's rule; whole in all orders.

    Args:
        depth: optical thickness.
        cosines: of the way to the eye, and of that to the light, with the slab's normal.

    Returns:
        the radiance, and its slope with the optical thickness.
    """
    place, weight = np.polynomial.legendre.leggauss(16)
    mu = np.concatenate([(place + 1) / 2, cosines])
    share = np.concatenate([weight / 2, [0, 0]]) / mu

    def growth(s: np.ndarray) -> np.ndarray:
        out = 1 + s @ share / 2
        return albedo * np.outer(out, out) - (1 / mu[:, None] + 1 / mu[None]) * s

    s, h = np.zeros((len(mu), len(mu))), depth / steps
    for _ in range(steps):
        a = growth(s)
        b = growth(s + h / 2 * a)
        c = growth(s + h / 2 * b)
        s = s + h / 6 * (a + 2 * b + 2 * c + growth(s + h * c))
    scale = 4 * math.pi * cosines[0]
    return float(s[-2, -1] / scale), float(growth(s)[-2, -1] / scale)
