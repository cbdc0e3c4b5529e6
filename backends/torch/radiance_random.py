"""Random numbers of paths, by a hash (`kernels.paths`), and what is sampled with them."""

from __future__ import annotations

import math
from typing import NamedTuple

import torch

from invrender.kernels import paths

Tensor = torch.Tensor


class Seed(NamedTuple):
    """Of all paths: the hash of the seed, and whether these are the nested ones, whose numbers are others."""

    key: int
    nested: bool = False


def streams(seed: Seed, number: Tensor) -> Tensor:
    """The streams [N] int64 of the rays of these numbers [N]."""
    key = _hashed(seed.key + number * paths.SPREAD & paths.MASK)
    return _hashed(key ^ paths.NESTED) if seed.nested else key


def uniform(key: Tensor, bounce: int, dimension: int, dtype: torch.dtype, item: Tensor | None = None) -> Tensor:
    """Numbers [N] in [0, 1) of streams [N]; those of an item [N], too."""
    value = drawn(key, bounce, dimension)
    if item is not None:
        return uniform_of(value, item, dtype)
    return (value >> paths.BITS).to(dtype) * paths.FRACTION


def drawn(key: Tensor, bounce: int, dimension: int) -> Tensor:
    """Bits [N] int64 of one decision of streams [N]."""
    return _hashed(key + (1 + bounce * paths.STRIDE + dimension) * paths.SPREAD & paths.MASK)


def uniform_of(bits: Tensor, item: Tensor | int, dtype: torch.dtype) -> Tensor:
    """Numbers [N] in [0, 1) of an item, from the bits [N] of a decision."""
    return (_hashed(bits ^ (item * paths.ITEM & paths.MASK)) >> paths.BITS).to(dtype) * paths.FRACTION


def _hashed(value: Tensor) -> Tensor:
    value = value ^ value >> 16
    value = value * paths.FIRST & paths.MASK
    value = value ^ value >> 15
    value = value * paths.SECOND & paths.MASK
    return value ^ value >> 16


def turned(axis: Tensor, cosine: Tensor, sine: Tensor, turn: Tensor) -> Tensor:
    """Unit vectors [3,N] at an angle to unit axes [3,N], turned about them by a share of a full turn [N]."""
    tangent, other = basis(axis)
    angle = 2 * math.pi * turn
    return sine * angle.cos() * tangent + sine * angle.sin() * other + cosine * axis


def basis(axis: Tensor) -> tuple[Tensor, Tensor]:
    """Two unit vectors [3,N] across unit axes [3,N] (Duff et al. 2017, "Building an orthonormal basis, revisited")."""
    x, y, z = axis
    sign = torch.where(z >= 0, 1.0, -1.0).to(axis)
    a = -1 / (sign + z)
    b = x * y * a
    return torch.stack([1 + sign * x * x * a, sign * b, -sign * x]), torch.stack([b, sign + y * y * a, -y])


def visible_half(normal: Tensor, to_eye: Tensor, alpha: Tensor, first: Tensor, second: Tensor) -> Tensor:
    """Normals [3,N] of microfacets that the eye sees (Dupuy and Benyoub 2023, "Sampling visible GGX normals")."""
    tangent, other = basis(normal)
    local = torch.stack([alpha * dot(to_eye, tangent), alpha * dot(to_eye, other), dot(to_eye, normal)])
    eye = local / length(local)
    height = (1 - second) * (1 + eye[2]) - eye[2]
    sine, angle = (1 - height * height).clamp(min=0).sqrt(), 2 * math.pi * first
    half = torch.stack([sine * angle.cos() + eye[0], sine * angle.sin() + eye[1], height + eye[2]])
    world = alpha * half[0] * tangent + alpha * half[1] * other + half[2].clamp(min=0) * normal
    return world / length(world).clamp(min=1e-20)


def dot(a: Tensor, b: Tensor) -> Tensor:
    """[N] of [3,N]."""
    return (a * b).sum(0)


def length(a: Tensor) -> Tensor:
    """[N] of [3,N]."""
    return (a * a).sum(0).sqrt()
