"""How values with bounds are written as free numbers: logarithms, logits, angles in a tangent plane, twists.

Solvers and samplers change numbers that may take any value and count in like units; an `Encoding` turns the values of
one thing into such numbers and back. `decode` is differentiable, by autograd in reverse and in forward mode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

Tensor = torch.Tensor

NUDGE = 0.01  # where a value lies on its bound, which no number stands for: so far inside, as a share of the range
_SMALL = 1e-8  # squared angles below which series are exact in float64


@dataclass(frozen=True)
class Encoding:
    """One way to write a value as free numbers.

    Attributes:
        encode: a value, float64 of any shape, to numbers [K] float64.
        decode: numbers [K] to a value of the same shape.
        spread: standard deviation of a weak prior for each of the numbers, around the start.
    """

    encode: Callable[[Tensor], Tensor]
    decode: Callable[[Tensor], Tensor]
    spread: float


def positive(value: Tensor, spread: float = 3.0) -> Encoding:
    """Logarithms, for what is positive, shaped like `value`; 0 is taken for `NUDGE`. The prior: a factor of 20."""
    shape = value.shape
    return Encoding(
        lambda given: torch.where(given > 0, given, NUDGE).log().reshape(-1),
        lambda raw: raw.exp().reshape(shape),
        spread,
    )


def above(value: Tensor, least: float, spread: float = 1.0) -> Encoding:
    """Logarithms of what a value exceeds a number by."""
    inner = positive(value, spread)
    return Encoding(lambda given: inner.encode(given - least), lambda raw: inner.decode(raw) + least, spread)


def bounded(value: Tensor, low: float, high: float, spread: float = 2.0) -> Encoding:
    """Logits, for what lies between two numbers; a value on one of them is moved a hundredth of the range inside."""
    shape, span = value.shape, high - low

    def encode(given: Tensor) -> Tensor:
        return torch.logit(((given - low) / span).clamp(NUDGE, 1 - NUDGE)).reshape(-1)

    return Encoding(encode, lambda raw: (low + span * torch.sigmoid(raw)).reshape(shape), spread)


def linear(value: Tensor, unit: Tensor | float, spread: float = 1.0) -> Encoding:
    """The difference from the start, in a unit."""
    start, shape = value.clone(), value.shape
    return Encoding(
        lambda given: ((given - start) / unit).reshape(-1),
        lambda raw: start + unit * raw.reshape(shape),
        spread,
    )


def direction(value: Tensor, spread: float = 1.0) -> Encoding:
    """Two angles in radians along great circles through the start [3]; decodes to a unit vector."""
    start = value / value.norm()
    across = torch.linalg.svd(start[None]).Vh[1:]  # two unit vectors at right angles to it and to each other

    def encode(given: Tensor) -> Tensor:
        along, aside = given @ start, across @ given
        turned = torch.atan2(aside.norm(), along)
        angles: Tensor = aside / aside.norm().clamp(min=torch.finfo(aside.dtype).tiny) * turned
        return angles

    def decode(raw: Tensor) -> Tensor:
        cosine, ratio = cosine_and_ratio((raw * raw).sum())
        turned: Tensor = cosine * start.to(raw) + ratio * (raw[:, None] * across.to(raw)).sum(0)
        return turned

    return Encoding(encode, decode, spread)


def polar(value: Tensor, centre: Tensor, spread: float = 1.0) -> Encoding:
    """A place [3] as seen from a centre: two angles (`direction`), and the logarithm of how far it is, from the start.

    For what is far from the scene: how much of its light arrives, and from where, are then numbers of their own.
    """
    reach = float((value - centre).norm())
    towards = direction((value - centre) / reach)

    def encode(given: Tensor) -> Tensor:
        off = given - centre
        away = off.norm()
        return torch.cat([towards.encode(off / away), (away / reach).log()[None]])

    def decode(raw: Tensor) -> Tensor:
        place: Tensor = centre.to(raw) + reach * raw[2].exp() * towards.decode(raw[:2])
        return place

    return Encoding(encode, decode, spread)


def rigid(value: Tensor, distance: float, spread: float = 0.5) -> Encoding:
    """Six numbers of a camera's pose [4,4]: it turns about the point that it looks at, and moves.

    The first three are a rotation vector in radians about the world's axes, through the point at `distance` on the
    viewing axis of the start; the others a translation in units of that distance. Both move the picture alike.
    """
    turn, eye = value[:3, :3].clone(), value[:3, 3].clone()
    pivot = eye - distance * turn[:, 2]

    def encode(given: Tensor) -> Tensor:
        from scipy.spatial.transform import Rotation

        rotation = given[:3, :3] @ turn.T
        vector = torch.from_numpy(Rotation.from_matrix(rotation.numpy()).as_rotvec())
        moved = given[:3, 3] - pivot - rotation @ (eye - pivot)
        return torch.cat([vector, moved / distance])

    def decode(raw: Tensor) -> Tensor:
        rotation = rotated(raw[:3])
        at = pivot.to(raw) + distance * raw[3:] + rotation @ (eye - pivot).to(raw)
        top = torch.cat([rotation @ turn.to(raw), at[:, None]], 1)
        return torch.cat([top, raw.new_tensor([[0, 0, 0, 1]])])

    return Encoding(encode, decode, spread)


def rotated(vector: Tensor) -> Tensor:
    """The rotation [3,3] of a rotation vector [3] (Rodrigues); differentiable, also where it is 0."""
    square = (vector * vector).sum()
    cosine, ratio = cosine_and_ratio(square)
    zero = torch.zeros_like(square)
    x, y, z = vector
    cross = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero]).reshape(3, 3)
    half = torch.where(square > _SMALL, (1 - cosine) / torch.where(square > _SMALL, square, 1.0), 0.5 - square / 24)
    return torch.eye(3, dtype=vector.dtype) + ratio * cross + half * (cross @ cross)


def cosine_and_ratio(square: Tensor) -> tuple[Tensor, Tensor]:
    """cos(a) and sin(a) / a of the angle whose square is given; differentiable, also at 0."""
    large = square > _SMALL
    angle = torch.where(large, square, 1.0).sqrt()
    cosine = torch.where(large, angle.cos(), 1 - square / 2)
    return cosine, torch.where(large, angle.sin() / angle, 1 - square / 6)
