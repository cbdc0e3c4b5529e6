"""Every backend's back-projection: known answers, and each other."""

from __future__ import annotations

import pytest
import torch

from invrender.backends import select
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rays import index_places
from invrender.cameras.rigs import fibonacci
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.nouns.scan import ScanSetup

Tensor = torch.Tensor

SHAPE = (7, 6, 9)
BOUNDS = torch.tensor([[-0.5, -0.4, -0.3], [0.5, 0.45, 0.35]], dtype=torch.float64)
SIZE = (11, 13)


def cone(distance: float = 2.0, views: int = 5) -> Cameras:
    eyes = distance * fibonacci(views)
    return Cameras(look_at(eyes, (0.0, 0.0, 0.0)), perspective(75.0, SIZE, 0.1, 4.0).repeat(views, 1, 1), SIZE)


def parallel(pixel: float = 0.1) -> Cameras:
    return scan_cameras(scan_geometry(ScanSetup("parallel", torch.tensor([0.0, 90.0]), SIZE, (pixel, pixel))))


def voxels(shape: tuple[int, int, int]) -> Tensor:
    """[D,H,W,3] positions x, y, z."""
    axes = [torch.linspace(float(a), float(b), n).double() for a, b, n in zip(*BOUNDS, shape[::-1], strict=True)]
    z, y, x = torch.meshgrid(*axes[::-1], indexing="ij")
    return torch.stack([x, y, z], -1)


def test_parallel_pictures_fall_onto_the_grid_along_their_rays(kernels: Backend) -> None:
    """A ramp along the columns, seen along +Y, is a ramp along x; a ramp down the rows is one along -z."""
    view = parallel()[[0]]
    column, row = torch.arange(13.0) + 0.5, torch.arange(11.0) + 0.5
    places = index_places(SHAPE, BOUNDS, view)
    at = voxels(SHAPE)
    across = kernels.backproject(column.expand(1, 11, 13), places, SHAPE)
    down = kernels.backproject(row[:, None].expand(1, 11, 13).contiguous(), places, SHAPE)
    assert torch.allclose(across.double(), at[..., 0] / 0.1 + 6.5, atol=1e-5)
    assert torch.allclose(down.double(), 5.5 - at[..., 2] / 0.1, atol=1e-5)


def test_a_cone_weighs_by_the_square_of_the_distance(kernels: Backend) -> None:
    view = cone(views=1)
    far = (view.world_to_camera[0, :3, :3] @ voxels(SHAPE).reshape(-1, 3).T)[2] + view.world_to_camera[0, 2, 3]
    found = kernels.backproject(torch.ones(1, *SIZE), index_places(SHAPE, BOUNDS, view), SHAPE)
    assert torch.allclose(found.reshape(-1).double(), 1 / far.square(), rtol=1e-5)


def test_nothing_is_seen_beyond_the_border_or_behind_the_camera(kernels: Backend) -> None:
    narrow = parallel(0.02)[[0]]  # 13 pixels: 0.13 on each side
    found = kernels.backproject(torch.ones(1, *SIZE), index_places(SHAPE, BOUNDS, narrow), SHAPE)
    at = voxels(SHAPE)
    inside = (at[..., 0].abs() <= 0.13) & (at[..., 2].abs() <= 0.11)
    assert torch.equal(found != 0, inside)
    away = Cameras(look_at([[0.0, 0.0, 2.0]], (0.0, 0.0, 9.0)), perspective(60.0, SIZE, 0.1, 4.0)[None], SIZE)
    assert not bool(kernels.backproject(torch.ones(1, *SIZE), index_places(SHAPE, BOUNDS, away), SHAPE).any())


def test_rows_may_have_a_divisor_of_their_own(kernels: Backend) -> None:
    """A fan beam: what lies twice as far is half as wide and as high as before."""
    places = index_places(SHAPE, BOUNDS, cone(views=1))
    flat = places.clone()
    flat[:, 1:3] = 0
    flat[:, 1, 2], flat[:, 1, 3], flat[:, 2, 3] = 1.0, 0.5, 1.0  # the row is z + 0.5
    ramp = (torch.arange(11.0)[:, None] * torch.ones(13))[None]
    found = kernels.backproject(ramp, flat, SHAPE) / kernels.backproject(torch.ones(1, *SIZE), flat, SHAPE)
    assert torch.allclose(found, torch.arange(7.0)[:, None, None].expand(SHAPE), atol=1e-4)


@pytest.mark.parametrize("shape", [SHAPE, (1, 6, 5), (3, 1, 4), (4, 3, 2)])
@pytest.mark.parametrize("size", [SIZE, (1, 13), (11, 1)])
def test_every_backend_agrees_with_the_reference(
    kernels: Backend, shape: tuple[int, int, int], size: tuple[int, int]
) -> None:
    generator = torch.Generator().manual_seed(3)
    for view in (cone(), cone(0.4), parallel()):
        images = torch.rand(len(view), *size, generator=generator)
        places = index_places(shape, BOUNDS, Cameras(view.world_to_camera, view.projection, size))
        expected = select("torch").backproject(images.double(), places, shape)
        found = kernels.backproject(images, places, shape).double()
        # Single precision decides otherwise for voxels that lie on a border to the last digit.
        off = (found - expected).abs() > 1e-4 * expected.abs().amax()
        assert float(off.double().mean()) < 0.01


def test_the_result_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    images = torch.rand(5, *SIZE, generator=torch.Generator().manual_seed(3))
    found = []
    for threads in (1, 3):
        monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda count=threads: count)
        found.append(select("cpu").backproject(images, index_places(SHAPE, BOUNDS, cone()), SHAPE))
    assert torch.equal(*found)
