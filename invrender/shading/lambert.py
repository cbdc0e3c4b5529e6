"""Lambert's law."""

from __future__ import annotations

import torch

from invrender.nouns import Lights

Tensor = torch.Tensor


def lambert(normal: Tensor, to_light: Tensor, reflectance: Tensor, lights: Lights) -> Tensor:
    """Radiance reflectance * (ambient + intensity * max(0, n . l)) of unit vectors [...,3]; differentiable in all."""
    cosine = (normal * to_light).sum(-1, keepdim=True).clamp(min=0)
    return reflectance * (_like(lights.ambient, cosine) + _like(lights.intensity, cosine) * cosine)


def _like(value: float | Tensor, other: Tensor) -> float | Tensor:
    """A tensor on the device and with the dtype of another; plain numbers need neither."""
    return value.to(other) if isinstance(value, Tensor) else value
