"""Matter that light passes through, that absorbs, scatters and emits it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import torch

from invrender.nouns.appearance import BLACK, WHITE, Colour
from invrender.nouns.mesh import Mesh
from invrender.nouns.volume import Volume

Tensor = torch.Tensor
Field: TypeAlias = Callable[[Tensor], Tensor]
"""Any torch module: points [M,3] of the world to values [M] or [M,C]."""


@dataclass(frozen=True)
class Medium:
    """A participating medium in a box, or in the part of it that a closed mesh encloses.

    Light that goes a way dt loses the share `extinction` dt; of that, the share `albedo` is scattered into other
    directions, by the law of Henyey and Greenstein (1941), and the rest absorbed. Numbers may be tensors; gradients of
    a picture reach them. A neural network or any other function of place is put on a grid by `on_grid`.

    Attributes:
        extinction: values [1,D,H,W], or [3,D,H,W] for red, green and blue, per world unit, >= 0; its bounds are the
            box, outside of which there is nothing.
        albedo: single-scattering albedo from 0 to 1: a number, linear RGB, a tensor [] or [3], or a volume of 1 or 3
            channels over the same box.
        asymmetry: mean cosine of the scattering angle, -1 < g < 1: a number, a tensor [], or a volume of 1 channel
            over the same box. 0 scatters alike in all directions, more goes ahead.
        emission: radiance sent out per unit of optical depth: a colour, a tensor [3], or a volume of 3 channels over
            the same box. Where the medium is opaque and scatters nothing, this is what is seen.
        inside: a closed mesh in the world, outside of which there is nothing; None: all of the box. It only bounds the
            medium; a surface there is a mesh of the scene.
        name: by which it is found again.
    """

    extinction: Volume
    albedo: float | Colour | Tensor | Volume = WHITE
    asymmetry: float | Tensor | Volume = 0.0
    emission: Colour | Tensor | Volume = BLACK
    inside: Mesh | None = None
    name: str = "medium"

    @property
    def glows(self) -> bool:
        """Whether it sends light out."""
        emission = self.emission
        values = emission.values if isinstance(emission, Volume) else torch.as_tensor(emission)
        return bool(values.detach().any())


def on_grid(field: Field, bounds: Tensor, shape: tuple[int, int, int]) -> Volume:
    """A field's values on the vertices of a grid; differentiable.

    Args:
        field: points [M,3] float32 to [M] or [M,C].
        bounds: [2,3], the first and the last vertex.
        shape: (D,H,W): samples along z, y, x.
    """
    low, high = bounds.to(torch.float32)
    z, y, x = (torch.linspace(0, 1, count, device=low.device) for count in shape)
    place = torch.stack(torch.meshgrid(z, y, x, indexing="ij")[::-1], -1)
    values = field((low + place * (high - low)).reshape(-1, 3))
    return Volume(values.reshape(*shape, -1).movedim(-1, 0), bounds.double())
