"""Lighting of a sample by the gradient of the density, and its derivative: the reference."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.kernels.compositing import Shade

Tensor = torch.Tensor

_TINY = 1e-12


@dataclass(frozen=True)
class Lit:
    """Lighting of S samples: the factor on their colour and the highlight added to it; see `Shade`."""

    factor: Tensor
    highlight: Tensor
    normal: Tensor
    length: Tensor
    lights: Tensor
    shade: Shade

    @staticmethod
    def of(gradient: Tensor, lights: Tensor, shade: Shade) -> Lit:
        """Of samples with these gradients [S,3], under lights [S,6]."""
        length = gradient.norm(dim=1)
        normal = gradient / length.clamp(min=_TINY)[:, None]
        w = length / (length + shade.soft)
        facing, half = (normal * lights[:, :3]).sum(1).abs(), (normal * lights[:, 3:]).sum(1).abs()
        factor = 1 - w + w * (shade.ambient + shade.diffuse * facing)
        return Lit(factor, w * shade.specular * half**shade.shininess, normal, length, lights, shade)

    def adjoint(self, d_factor: Tensor, d_highlight: Tensor) -> Tensor:
        """The loss's gradient [S,3] with respect to the density's gradient."""
        n, shade = self.normal, self.shade
        w = (self.length / (self.length + shade.soft))[:, None]
        facing, half = (n * self.lights[:, :3]).sum(1)[:, None], (n * self.lights[:, 3:]).sum(1)[:, None]
        shine = half.abs() ** (shade.shininess - 1)
        d_w = d_factor[:, None] * (shade.ambient + shade.diffuse * facing.abs() - 1)
        d_w = d_w + d_highlight[:, None] * shade.specular * shine * half.abs()
        d_normal = d_factor[:, None] * w * shade.diffuse * facing.sign() * self.lights[:, :3]
        d_half = d_highlight[:, None] * w * shade.specular * shade.shininess * shine * half.sign()
        d_normal = d_normal + d_half * self.lights[:, 3:]
        across = d_normal - (d_normal * n).sum(1, keepdim=True) * n
        rise = shade.soft / (self.length + shade.soft) ** 2
        flat = self.length <= _TINY
        return torch.where(flat[:, None], 0, across / self.length.clamp(min=_TINY)[:, None] + d_w * rise[:, None] * n)
