"""Every backend's projectors against the exact reference, their own transpose, and each other."""

from __future__ import annotations

import pytest
import torch

from invrender.backends import select
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rays import camera_rays
from invrender.cameras.rigs import fibonacci
from invrender.errors import BackendError
from invrender.kernels import Backend
from invrender.nouns import Cameras, Volume
from invrender.ops import line_integral

Tensor = torch.Tensor


def cameras(views: int = 4, size: tuple[int, int] = (14, 18), distance: float = 2.0) -> Cameras:
    eyes = distance * fibonacci(views)
    return Cameras(look_at(eyes, (0.0, 0.0, 0.0)), perspective(40.0, size, 0.1, 4.0).repeat(views, 1, 1), size)


def bump(shape: tuple[int, int, int]) -> Volume:
    """A smooth density, not centred, with rounded random ripples."""
    axes = [torch.linspace(-1, 1, n) for n in shape]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    values = torch.exp(-3 * ((x - 0.2) ** 2 + y**2 + (z + 0.1) ** 2)) * (1.2 + torch.sin(3 * x + y))
    return Volume.from_numpy(values.numpy())


def exact(volume: Volume, view: Cameras) -> Tensor:
    rays = camera_rays(view)
    return (
        select("torch")
        .line_integral(volume.values[0].double(), volume.bounds, rays.origin, rays.direction)
        .reshape(len(view), *view.size)
    )


@pytest.mark.parametrize("distance", [2.0, 0.3])
def test_the_exact_kernel_agrees_with_the_reference_to_rounding(kernels: Backend, distance: float) -> None:
    volume, view = bump((9, 12, 10)), cameras(distance=distance)
    rays = camera_rays(view)
    depth = kernels.line_integral(volume.values[0], volume.bounds, rays.origin, rays.direction)
    assert torch.allclose(depth.double().reshape(4, 14, 18), exact(volume, view), atol=2e-6)


def test_the_exact_kernel_and_its_adjoint_are_transposes(kernels: Backend) -> None:
    volume, rays = bump((9, 12, 10)), camera_rays(cameras())
    weights = torch.rand(len(rays.origin), generator=torch.Generator().manual_seed(4))
    grid = volume.values[0]
    there = kernels.line_integral(grid, volume.bounds, rays.origin, rays.direction).double() @ weights.double()
    back = kernels.line_integral_adjoint(weights, grid, volume.bounds, rays.origin, rays.direction)[0]
    assert float(there) == pytest.approx(float((back.double() * grid).sum()), rel=1e-5)


def test_rays_along_the_axes_see_whole_columns(kernels: Backend) -> None:
    """From the front, the middle ray of an odd image runs along a row of vertices: the trapezoid rule is exact."""
    volume = bump((9, 11, 9))
    view = Cameras(look_at([[0.0, 0.0, 2.0]], (0.0, 0.0, 0.0)), perspective(40.0, (5, 5), 0.1, 4.0)[None], (5, 5))
    column = volume.values[0, :, 5, 4]
    expected = float(torch.trapezoid(column, dx=float(volume.spacing[2])))
    bundle = kernels.joseph_rays(volume.shape, volume.bounds, view)
    middle = bundle.forward(volume.values[0])[bundle.pixels == 12]
    assert float(middle) == pytest.approx(expected, rel=2e-4)
    assert float(exact(volume, view)[0, 2, 2]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("distance", [2.0, 0.3])
def test_joseph_measures_chords_of_a_constant_grid_exactly(kernels: Backend, distance: float) -> None:
    volume, view = bump((20, 24, 22)), cameras(distance=distance)
    ones = torch.ones(volume.shape)
    bundle = kernels.joseph_rays(volume.shape, volume.bounds, view)
    rays = camera_rays(view)
    chords = select("torch").line_integral(ones, volume.bounds, rays.origin, rays.direction)[bundle.pixels]
    assert torch.allclose(bundle.forward(ones), chords, atol=1e-5)
    assert len(bundle.pixels) >= int((chords > 0.15).sum())


def test_joseph_comes_close_to_the_exact_integral(kernels: Backend) -> None:
    volume, view = bump((40, 44, 42)), cameras()
    bundle = kernels.joseph_rays(volume.shape, volume.bounds, view)
    expected = exact(volume, view).reshape(-1)[bundle.pixels]
    assert float((bundle.forward(volume.values[0]) - expected).norm() / expected.norm()) < 2e-3


def test_joseph_and_its_adjoint_are_transposes(kernels: Backend) -> None:
    volume, view = bump((9, 12, 10)), cameras()
    bundle = kernels.joseph_rays(volume.shape, volume.bounds, view)
    generator = torch.Generator().manual_seed(5)
    grid, depth = torch.rand(volume.shape, generator=generator), torch.rand(len(bundle.pixels), generator=generator)
    there = float(bundle.forward(grid).double() @ depth.double())
    assert there == pytest.approx(float((grid.double() * bundle.adjoint(depth)).sum()), rel=1e-5)
    target, weight = depth / 2, depth
    gradient, loss = bundle.normal(grid, target, weight)
    difference = bundle.forward(grid) - target
    assert torch.allclose(gradient, bundle.adjoint(weight * difference), atol=1e-5)
    assert loss == pytest.approx(float((weight * difference.square()).sum()) / 2, rel=1e-5)


def test_support_and_choice_leave_out_rays_and_nothing_else(kernels: Backend) -> None:
    volume, view = bump((16, 18, 16)), cameras()
    support = torch.zeros(volume.shape, dtype=torch.bool)
    support[5:11, 6:12, 4:9] = True
    chosen = torch.rand(4, 14, 18, generator=torch.Generator().manual_seed(6)) > 0.3
    inside = volume.values[0] * support
    every = kernels.joseph_rays(volume.shape, volume.bounds, view)
    some = kernels.joseph_rays(volume.shape, volume.bounds, view, chosen, support)
    full = torch.zeros(4 * 14 * 18)
    full[every.pixels] = every.forward(inside)
    assert torch.allclose(some.forward(inside), full[some.pixels], atol=1e-6)
    assert bool(chosen.reshape(-1)[some.pixels].all())
    full[some.pixels] = 0
    assert float((full.reshape(4, 14, 18) * chosen).max()) == 0
    assert some.samples < every.samples or kernels.name == "torch"


def test_every_backend_has_the_same_joseph_rays(kernels: Backend) -> None:
    volume, view = bump((9, 12, 10)), cameras()
    found = []
    for one in (kernels, select("torch")):
        bundle = one.joseph_rays(volume.shape, volume.bounds, view)
        order = bundle.pixels.argsort()
        found.append((bundle.pixels[order], bundle.forward(volume.values[0])[order], bundle.samples))
    assert torch.equal(found[0][0], found[1][0])
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)
    assert found[0][2] == found[1][2]


def test_every_backend_takes_the_same_step(kernels: Backend) -> None:
    generator = torch.Generator().manual_seed(7)
    at, gradient, before = (torch.rand(7, 8, 9, generator=generator) for _ in range(3))
    curvature = torch.rand(7, 8, 9, generator=generator) + 0.5
    curvature[2:4] = torch.inf
    for weight in (0.0, 0.3):
        arguments = (at, gradient, curvature, before, (weight, 0.05), 0.7)
        expected = select("torch").smooth_step(*arguments)
        got = kernels.smooth_step(at, gradient.clone(), *arguments[2:])  # which may be written over
        assert torch.allclose(got[0], expected[0], atol=1e-5)
        assert torch.allclose(got[1], expected[1], atol=1e-5)
        assert got[2] == pytest.approx(expected[2], rel=1e-4)
        assert torch.equal(got[0][2:4], at[2:4])


def test_the_result_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    volume, view = bump((24, 20, 22)), cameras(6, (24, 24))
    bundle = select("cpu").joseph_rays(volume.shape, volume.bounds, view)
    depth = bundle.forward(volume.values[0])
    found = []
    for threads in (1, 3):
        monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda count=threads: count)
        found.append(bundle.adjoint(depth))
    assert torch.equal(found[0], found[1])


def test_the_operation_passes_gradients_to_grid_and_rays() -> None:
    volume, rays = bump((5, 6, 5)), camera_rays(cameras(1, (3, 4)))
    grid = volume.values[0].double().requires_grad_()
    origin, direction = rays.origin.clone().requires_grad_(), rays.direction.requires_grad_()
    reference = select("torch")

    def depths(values: Tensor, start: Tensor, towards: Tensor) -> Tensor:
        return line_integral(reference, values, volume.bounds, start, towards)

    assert torch.autograd.gradcheck(depths, (grid, origin, direction), atol=1e-4)


def test_a_backend_without_gradients_of_rays_says_so() -> None:
    volume, rays = bump((5, 6, 5)), camera_rays(cameras(1, (3, 4)))
    origin = rays.origin.clone().requires_grad_()
    depth = line_integral(select("cpu"), volume.values[0], volume.bounds, origin, rays.direction)
    with pytest.raises(BackendError, match="rays"):
        depth.sum().backward()
