"""Lambert's law."""

from __future__ import annotations

import torch

from invrender.nouns import Lights

Tensor = torch.Tensor


def lambert(normal: Tensor, to_light: Tensor, reflectance: Tensor, lights: Lights) -> Tensor:
    """Radiance reflectance * (ambient + intensity * max(0, n . l)) of unit vectors [...,3]."""
    cosine = (normal * to_light).sum(-1, keepdim=True).clamp(min=0)
    return reflectance * (lights.ambient + lights.intensity * cosine)
