"""Coloured vertices against pictures: all backends agree, gradients are those of the loss, the curvature bounds it."""

from __future__ import annotations

import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig

SOFTNESS = 0.05
REFERENCE = select("torch")


@pytest.fixture(scope="module")
def wall():
    """A bumpy wall that fills three views: vertices, colours, faces, matrices, images and weights."""
    random = torch.Generator().manual_seed(1)
    across = torch.linspace(-3, 3, 8, dtype=torch.float64)
    y, x = torch.meshgrid(across, across, indexing="ij")
    height = 0.1 * torch.rand(8, 8, generator=random, dtype=torch.float64)
    vertices = torch.stack([x, y, height], -1).reshape(-1, 3)
    corner = (torch.arange(7)[:, None] * 8 + torch.arange(7)).reshape(-1)
    lower = torch.stack([corner, corner + 1, corner + 9], 1)
    faces = torch.cat([lower, torch.stack([corner, corner + 9, corner + 8], 1)])
    matrices = rig("orbit", 36, [0, 0, 0], 1.0, (20, 24), 3.0, 45.0, 5.0).clip_from_world[[0, 1, 35]]
    colours, images, weight = (
        torch.rand(*shape, generator=random, dtype=torch.float64) for shape in ((64, 3), (3, 20, 24, 3), (3, 20, 24))
    )
    return vertices, colours, faces, matrices, images, weight


def compared(backend, wall, *, views=(0, 1, 2), dtype=torch.float64, **changed):
    vertices, colours, faces, matrices, images, weight = wall
    compare = backend.colour_misfit(faces, len(vertices), images.to(dtype), weight.to(dtype), SOFTNESS)
    return compare(changed.get("vertices", vertices), changed.get("colours", colours), matrices, views)


@pytest.mark.parametrize("name", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_backends_agree_on_any_of_the_views(open_backend, wall, name):
    for views in ((0, 1, 2), (2, 0), (1,)):
        expected = compared(REFERENCE, wall, views=views)
        found = compared(open_backend(name), wall, views=views, dtype=torch.float32)
        for value, other in zip(found, expected, strict=True):
            assert torch.as_tensor(value).cpu().numpy() == pytest.approx(
                torch.as_tensor(other).numpy(), rel=1e-4, abs=1e-4
            )


@pytest.mark.parametrize("which", ["vertices", "colours"])
def test_gradients_are_central_differences(wall, which):
    random = torch.Generator().manual_seed(2)
    at = wall[0] if which == "vertices" else wall[1]
    found = compared(REFERENCE, wall)
    gradient = found.d_vertices if which == "vertices" else found.d_colours
    for _ in range(3):
        direction = torch.randn(at.shape, generator=random, dtype=torch.float64)
        step = 1e-6
        ahead, behind = (compared(REFERENCE, wall, **{which: at + sign * step * direction}).misfit for sign in (1, -1))
        assert (ahead - behind) / (2 * step) == pytest.approx(float((gradient * direction).sum()), rel=2e-3)


def test_the_curvature_bounds_the_misfit_from_above(wall):
    random = torch.Generator().manual_seed(3)
    found = compared(REFERENCE, wall)
    for size in (0.01, 0.1, 1.0):
        change = size * torch.randn(wall[1].shape, generator=random, dtype=torch.float64)
        bound = found.misfit + float((found.d_colours * change + 0.5 * found.curvature * change.square()).sum())
        assert compared(REFERENCE, wall, colours=wall[1] + change).misfit <= bound


def test_pixels_without_weight_count_for_nothing(open_backend, wall):
    nothing = (*wall[:5], torch.zeros_like(wall[5]))
    for backend in (REFERENCE, open_backend("cpu")):
        found = compared(backend, nothing)
        assert found.misfit == 0
        assert not found.d_vertices.any()
        assert not found.curvature.any()
