"""What the tests of gradients share: central differences, a smooth picture to weigh with, and cameras that move."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from invrender.nouns import Cameras

Tensor = torch.Tensor


def slope(value: Callable[[Tensor], Tensor], at: Tensor, toward: Tensor, step: float) -> float:
    """The central difference of a number along a direction."""
    with torch.no_grad():
        return float(value(at + step * toward) - value(at - step * toward)) / (2 * step)


def agree(value: Callable[[Tensor], Tensor], at: Tensor, step: float = 1e-5, rel: float = 1e-6) -> Tensor:
    """The gradient at `at`, once its product with a random direction equals the central difference."""
    given = at.clone().requires_grad_(True)
    value(given).backward()
    toward = torch.randn(at.shape, generator=torch.Generator().manual_seed(7), dtype=at.dtype)
    assert given.grad is not None
    assert float((given.grad * toward).sum()) == pytest.approx(slope(value, at, toward, step), rel=rel)
    return given.grad


def weight(cameras: Cameras, channels: int = 3) -> Tensor:
    """A smooth picture to weigh others with."""
    height, width = cameras.size
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    waves = [torch.sin(3 * x + 2 * y + k) + 1.5 for k in range(channels)]
    return torch.stack(waves, -1).double().expand(len(cameras), -1, -1, -1)


def shifted(cameras: Cameras, by: Tensor) -> Cameras:
    """Cameras moved by a vector [3] in their own axes."""
    move = torch.eye(4, dtype=torch.float64)
    move[:3, 3] = -by
    return Cameras(move @ cameras.world_to_camera, cameras.projection, cameras.size)
