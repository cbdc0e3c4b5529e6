"""Scenes with known answers for the tests of the geometric kernels."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch

from invrender.kernels import Backend

Tensor = torch.Tensor

BACKENDS = [
    "torch",
    "cpu",
    pytest.param("cuda", marks=pytest.mark.gpu),
    pytest.param("vulkan", marks=pytest.mark.vulkan),
]


@pytest.fixture(scope="session", params=BACKENDS)
def backend(request: pytest.FixtureRequest, open_backend: Callable[[str], Backend]) -> Backend:
    return open_backend(request.param)


@pytest.fixture(params=["cpu", *BACKENDS[2:], "torch"])
def kernels(request: pytest.FixtureRequest, open_volumes: Callable[[str], Backend]) -> Backend:
    """A backend opened for volumes."""
    return open_volumes(request.param)


@pytest.fixture(scope="session")
def icosphere() -> Callable[[int], tuple[Tensor, Tensor]]:
    """Unit icosphere with 20 * 4^n faces: vertices [V,3] float64, faces [F,3]."""

    def make(subdivisions: int) -> tuple[Tensor, Tensor]:
        import trimesh

        mesh = trimesh.creation.icosphere(subdivisions)
        return torch.tensor(mesh.vertices), torch.tensor(mesh.faces, dtype=torch.int64)

    return make


@pytest.fixture(scope="session")
def project() -> Callable[..., Tensor]:
    """Clip positions [1,V,4] of points seen from (0, 0, distance) along -Z with a 90 degree lens."""

    def clip(points: Tensor, distance: float = 3.0, near: float = 0.1, far: float = 100.0) -> Tensor:
        x, y, z = (points - points.new_tensor([0, 0, distance])).unbind(-1)
        depth = (far + near) / (near - far) * z + 2 * far * near / (near - far)
        return torch.stack([x, y, depth, -z], -1)[None]

    return clip


@pytest.fixture(scope="session")
def view_rays() -> Callable[..., tuple[Tensor, Tensor]]:
    """Origins and directions [H*W,3] through the pixel centres of the camera of `project`; direction z is -1."""

    def rays(size: tuple[int, int], distance: float = 3.0) -> tuple[Tensor, Tensor]:
        height, width = size
        y = 1 - (torch.arange(height, dtype=torch.float64) + 0.5) * 2 / height
        x = (torch.arange(width, dtype=torch.float64) + 0.5) * 2 / width - 1
        direction = torch.stack([x.expand(height, -1), y[:, None].expand(-1, width), -torch.ones(size).double()], -1)
        origin = torch.tensor([0.0, 0.0, distance], dtype=torch.float64).expand(height * width, 3)
        return origin, direction.reshape(-1, 3)

    return rays


@pytest.fixture(scope="session")
def smooth_noise() -> Callable[..., Tensor]:
    """Seeded random images [N,H,W,C] float64 that vary over several pixels."""

    def noise(shape: tuple[int, int, int, int], seed: int = 0) -> Tensor:
        views, height, width, channels = shape
        generator = torch.Generator().manual_seed(seed)
        coarse = torch.randn(views, channels, 5, 5, generator=generator, dtype=torch.float64)
        fine = torch.nn.functional.interpolate(coarse, (height, width), mode="bicubic", align_corners=True)
        return fine.permute(0, 2, 3, 1)

    return noise


@pytest.fixture(scope="session")
def disc_area() -> Callable[[float, float, int], float]:
    """Pixel area of a sphere of that radius at that distance through the lens of `project`, image size n."""

    def area(radius: float, distance: float, size: int) -> float:
        return math.pi * (math.tan(math.asin(radius / distance)) * size / 2) ** 2

    return area
