"""Light from all sides as real spherical harmonics of order 2: nine numbers a channel.

The light is a radiance L(w) = sum_i sh[i] Y_i(w) that arrives from direction w. The nine functions, orthonormal over
the sphere and without the Condon-Shortley phase, stand in this order (Ramamoorthi and Hanrahan 2001):

    1; y, z, x; xy, yz, 3 z^2 - 1, xz, x^2 - y^2

A Lambertian surface sees that light through the clamped cosine: the irradiance at a normal n is
E(n) = sum_i a_i sh[i] Y_i(n), with a = pi, 2 pi / 3 and pi / 4 for the orders 0, 1 and 2 (exact for this light), and
the surface reflects albedo E / pi. Light that is constant 1 from all sides therefore shows the albedo.

All functions are differentiable in all their tensors and keep their dtype and device.
"""

from __future__ import annotations

import math

import torch

Tensor = torch.Tensor

COUNT = 9
ORDERS = (0, 1, 1, 1, 2, 2, 2, 2, 2)
COSINE = tuple((math.pi, 2 * math.pi / 3, math.pi / 4)[order] for order in ORDERS)
"""The clamped cosine's factor on each coefficient (Ramamoorthi and Hanrahan 2001, equation 8)."""

_CONSTANT = math.sqrt(1 / (4 * math.pi))
_LINEAR = math.sqrt(3 / (4 * math.pi))
_MIXED = math.sqrt(15 / (4 * math.pi))
_ZONAL = math.sqrt(5 / (16 * math.pi))


def basis(directions: Tensor) -> Tensor:
    """The nine functions [...,9] at unit directions [...,3]."""
    x, y, z = directions.unbind(-1)
    functions = [
        torch.full_like(x, _CONSTANT),
        _LINEAR * y,
        _LINEAR * z,
        _LINEAR * x,
        _MIXED * x * y,
        _MIXED * y * z,
        _ZONAL * (3 * z * z - 1),
        _MIXED * x * z,
        0.5 * _MIXED * (x * x - y * y),
    ]
    return torch.stack(functions, -1)


def irradiance_basis(normals: Tensor) -> Tensor:
    """The irradiance [...,9] at unit normals [...,3] of one unit of each coefficient: where linear fits start."""
    return basis(normals) * normals.new_tensor(COSINE)


def irradiance(normals: Tensor, sh: Tensor) -> Tensor:
    """Irradiance [...,C] at unit normals [...,3] under a radiance sh [9,C]; a white surface reflects it over pi.

    May fall below 0 where a light is stronger on one side than order 2 can show; see `directional`.
    """
    return irradiance_basis(normals) @ sh


def radiance(directions: Tensor, sh: Tensor) -> Tensor:
    """What arrives [...,C] from unit directions [...,3] under sh [9,C]."""
    return basis(directions) @ sh


def directional(direction: Tensor, intensity: float | Tensor = 1.0) -> Tensor:
    """Coefficients [9,C] of a directional light: its projection onto the nine functions.

    Args:
        direction: towards the light, [3], of any length.
        intensity: radiance of a white Lambertian surface that faces the light, as `Lights` has it: a number or [C].

    A white surface then reflects 3/32 + c/2 + 15/32 c^2 of the intensity at a cosine c, instead of max(0, c): within
    0.094 of it, and 1/16 too bright both towards the light and away from it.
    """
    strength = torch.as_tensor(intensity, dtype=direction.dtype, device=direction.device).reshape(1, -1)
    return math.pi * basis(torch.nn.functional.normalize(direction, dim=-1))[:, None] * strength


def ambient(value: Tensor) -> Tensor:
    """Coefficients [9,C] of the same radiance [C] from all sides."""
    first = value.reshape(1, -1) / _CONSTANT
    return torch.cat([first, first.new_zeros(COUNT - 1, first.shape[1])])


def rotated(sh: Tensor, rotation: Tensor) -> Tensor:
    """Coefficients [9,C] of the light turned by a rotation [3,3]: what came from w comes from rotation @ w; exact."""
    probes = _probes().to(sh)
    turned = basis(probes @ rotation.to(sh))  # each row is rotation^T @ probe
    result: Tensor = torch.linalg.solve(basis(probes), turned @ sh)
    return result


def _probes() -> Tensor:
    """Nine unit directions [9,3] float64 at which the nine functions are independent (condition number 9)."""
    half = math.sqrt(0.5)
    points = [
        (1, 0, 0), (0, 1, 0), (0, 0, 1), (half, half, 0), (half, -half, 0),
        (half, 0, half), (-half, 0, half), (0, half, half), (0, -half, -half),
    ]  # fmt: skip
    return torch.tensor(points, dtype=torch.float64)
