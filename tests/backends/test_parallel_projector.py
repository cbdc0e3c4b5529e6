"""Every backend's projector of parallel beams: exact lengths, transposes, and the same rays as one by one.

Beams that cross an axis of the grid at right angles are swept on the cpu; those of a tilted detector are not.
"""

from __future__ import annotations

import pytest
import torch

from invrender.backends import select
from invrender.backends.cpu.sweep import SweptRays
from invrender.cameras.rays import camera_rays
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.nouns.scan import ScanSetup

Tensor = torch.Tensor

SHAPE = (19, 16, 22)
BOUNDS = torch.tensor([[-1.0, -0.8, -0.9], [1.1, 0.7, 1.0]], dtype=torch.float64)
AXES = {"z": (0, 1, 2), "y": (2, 0, 1), "x": (1, 2, 0)}  # where the world's axes come from


def beams(axis: str = "z", tilt: float = 0.0, views: int = 7) -> Cameras:
    """Parallel beams around an axis of the world, from angles of all octants."""
    angles = torch.arange(views, dtype=torch.float64) * 360 / views + 10
    setup = ScanSetup("parallel", angles, (21, 24), (0.11, 0.12), axis_offset=0.07, tilt=tilt)
    cameras = scan_cameras(scan_geometry(setup))
    matrix = cameras.world_to_camera.clone()
    matrix[:, :3, :3] = matrix[:, :3, AXES[axis]]
    return Cameras(matrix, cameras.projection, cameras.size)


def ripples(shape: tuple[int, int, int] = SHAPE) -> Tensor:
    z, y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in shape), indexing="ij")
    return torch.exp(-2 * ((x - 0.2) ** 2 + y**2 + (z + 0.1) ** 2)) * (1.2 + torch.sin(3 * x + y))


@pytest.mark.parametrize(("axis", "tilt"), [("z", 0.0), ("y", 0.0), ("x", 0.0), ("z", 3.0)])
def test_every_backend_has_the_same_parallel_rays(kernels: Backend, axis: str, tilt: float) -> None:
    found = []
    for one in (kernels, select("torch")):
        bundle = one.joseph_rays(SHAPE, BOUNDS, beams(axis, tilt))
        order = bundle.pixels.argsort()
        values = torch.linspace(0.5, 1.5, len(order))[order.argsort()]
        found.append((bundle.pixels[order], bundle.forward(ripples())[order], bundle.adjoint(values), bundle.samples))
    assert isinstance(bundle, SweptRays) is False
    assert torch.equal(found[0][0].cpu(), found[1][0])
    assert torch.allclose(found[0][1], found[1][1], atol=1e-5)
    assert torch.allclose(found[0][2], found[1][2], rtol=1e-4, atol=1e-5)
    assert found[0][3] == found[1][3]


@pytest.mark.parametrize(("axis", "tilt"), [("z", 0.0), ("y", 0.0), ("x", 0.0), ("y", -4.0)])
def test_a_constant_grid_gives_the_chord_of_each_ray(kernels: Backend, axis: str, tilt: float) -> None:
    cameras = beams(axis, tilt)
    rays = camera_rays(cameras)
    bundle = kernels.joseph_rays(SHAPE, BOUNDS, cameras)
    low, high = ((edge - rays.origin) / rays.direction for edge in BOUNDS)
    chord = (torch.maximum(low, high).amin(1) - torch.minimum(low, high).amax(1)).clamp(min=0)
    chord[(rays.direction.abs() < 1e-12).any(1) & (chord > 10)] = 0
    pixels = bundle.pixels.cpu()
    assert torch.allclose(bundle.forward(torch.ones(SHAPE)).double(), chord[pixels], atol=1e-5)
    missed = torch.ones(len(chord), dtype=torch.bool)
    missed[pixels] = False
    assert float(chord[missed].max()) < 0.2  # rays that cut an edge between two planes


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_parallel_rays_and_their_adjoint_are_transposes(kernels: Backend, axis: str) -> None:
    bundle = kernels.joseph_rays(SHAPE, BOUNDS, beams(axis))
    generator = torch.Generator().manual_seed(5)
    grid, depth = torch.rand(SHAPE, generator=generator), torch.rand(len(bundle.pixels), generator=generator)
    there = float(bundle.forward(grid).double() @ depth.double())
    assert there == pytest.approx(float((grid.double() * bundle.adjoint(depth)).sum()), rel=1e-5)
    target, weight = depth / 2, depth
    gradient, loss = bundle.normal(grid, target, weight)
    difference = bundle.forward(grid) - target
    assert torch.allclose(gradient, bundle.adjoint(weight * difference), rtol=1e-5, atol=1e-5)
    assert loss == pytest.approx(float((weight * difference.square()).sum()) / 2, rel=1e-5)


@pytest.mark.parametrize("axis", ["z", "y", "x"])
def test_support_and_choice_leave_out_parallel_rays_and_nothing_else(kernels: Backend, axis: str) -> None:
    cameras = beams(axis)
    support = torch.zeros(SHAPE, dtype=torch.bool)
    support[5:11, 6:12, 4:9] = True
    chosen = torch.rand(len(cameras), *cameras.size, generator=torch.Generator().manual_seed(6)) > 0.3
    chosen[:, :, 3:9] = False
    inside = ripples() * support
    every = kernels.joseph_rays(SHAPE, BOUNDS, cameras)
    some = kernels.joseph_rays(SHAPE, BOUNDS, cameras, chosen, support)
    full = torch.zeros(chosen.numel())
    full[every.pixels.cpu()] = every.forward(inside)
    assert torch.allclose(some.forward(inside), full[some.pixels.cpu()], atol=1e-6)
    assert bool(chosen.reshape(-1)[some.pixels.cpu()].all())
    full[some.pixels.cpu()] = 0
    assert float((full.reshape(chosen.shape) * chosen).max()) == 0


def test_beams_along_the_grid_are_swept_and_others_are_not() -> None:
    cpu = select("cpu")
    assert isinstance(cpu.joseph_rays(SHAPE, BOUNDS, beams("z")), SweptRays)
    assert isinstance(cpu.joseph_rays(SHAPE, BOUNDS, beams("y")), SweptRays)
    assert not isinstance(cpu.joseph_rays(SHAPE, BOUNDS, beams("z", 3.0)), SweptRays)


def test_what_is_swept_does_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    shape = (70, 12, 14)
    bundle = select("cpu").joseph_rays(shape, BOUNDS, beams())
    depth = bundle.forward(ripples(shape))
    found = []
    for threads in (1, 3):
        monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda count=threads: count)
        found.append(bundle.adjoint(depth))
    assert torch.equal(found[0], found[1])
