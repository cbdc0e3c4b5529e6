"""Rays in chunks whose lines are traced again, and grids in slabs: the same numbers as in one piece."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator

import pytest
import torch

from invrender.backends import select
from invrender.backends.cpu import projector, ray_chunks
from invrender.backends.cpu.threads import thread_count
from invrender.cameras.projection import look_at, perspective
from invrender.cameras.rigs import fibonacci
from invrender.kernels import RayBundle
from invrender.nouns import Cameras

Tensor = torch.Tensor

SHAPE = (41, 24, 30)
BOUNDS = torch.tensor([[-0.5] * 3, [0.5] * 3], dtype=torch.float64)


@pytest.fixture
def in_chunks(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(ray_chunks, "CHUNK", 300)
    return


@pytest.fixture
def in_slabs(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(projector, "WHOLE", 1000)
    monkeypatch.setattr(projector, "THICK", 7)
    monkeypatch.setattr(projector, "THIN", 3)
    return


def bundle() -> RayBundle:
    """Rays from all around, of every main axis, most of which miss a ball or are not chosen."""
    eyes, size = 1.7 * fibonacci(9), (13, 17)
    views = Cameras(look_at(eyes, (0.0, 0.0, 0.0)), perspective(50.0, size, 0.1, 4.0).repeat(9, 1, 1), size)
    axes = [torch.linspace(-1, 1, n) for n in SHAPE]
    z, y, x = torch.meshgrid(*axes, indexing="ij")
    chosen = torch.rand(9, *size, generator=torch.Generator().manual_seed(3)) > 0.2
    return select("cpu").joseph_rays(SHAPE, BOUNDS, views, chosen, x**2 + y**2 + z**2 < 0.8)


def answers(rays: RayBundle) -> tuple[Tensor, Tensor, Tensor, float]:
    """What they see of a grid and bring back to it."""
    generator = torch.Generator().manual_seed(4)
    grid = torch.rand(SHAPE, generator=generator)
    values, weight = torch.rand(2, len(rays.pixels), generator=generator)
    return rays.forward(grid), rays.adjoint(values), *rays.normal(grid, values, weight)


@pytest.mark.usefixtures("in_chunks")
def test_lines_that_are_traced_again_are_the_same_bits(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = bundle()
    expected = answers(kept)
    monkeypatch.setattr(ray_chunks, "ROOM", 0)
    again = bundle()
    assert again.samples == kept.samples
    assert torch.equal(again.pixels, kept.pixels)
    for one, other in zip(answers(again), expected, strict=True):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(other))


@pytest.mark.usefixtures("in_chunks", "in_slabs")
def test_chunks_and_slabs_sum_up_to_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    cut = answers(bundle())
    monkeypatch.undo()
    for one, other in zip(cut, answers(bundle()), strict=True):
        assert torch.allclose(torch.as_tensor(one), torch.as_tensor(other), rtol=1e-5, atol=1e-6)


@pytest.mark.usefixtures("in_chunks", "in_slabs")
def test_slabs_do_not_depend_on_the_number_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    found = []
    for threads in ("1", "3"):
        monkeypatch.setenv("OMP_NUM_THREADS", threads)
        monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2}, raising=False)
        found.append(answers(bundle()))
    for one, other in zip(*found, strict=True):
        assert torch.equal(torch.as_tensor(one), torch.as_tensor(other))


def test_lines_are_kept_while_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    first = bundle()
    rays = len(first.pixels)
    held = sum(map(len, ray_chunks._keeping))  # other tests' may not be gone yet
    monkeypatch.setattr(ray_chunks, "ROOM", 33 * (held + rays + 1))
    second, third = bundle(), bundle()
    assert second.chunks[0].kept is not None
    assert third.chunks[0].kept is None
    assert torch.equal(second.forward(torch.ones(SHAPE)), third.forward(torch.ones(SHAPE)))


def test_what_large_grids_take_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Six bytes a ray stay, and what is there for a moment does not grow with the number of rays."""
    bundle().normal(torch.ones(SHAPE), *torch.ones(2, len(bundle().pixels)))  # compiled
    monkeypatch.setattr(ray_chunks, "CHUNK", 4000)
    monkeypatch.setattr(projector, "WHOLE", 1000)
    size, views = (64, 64), 24
    eyes = look_at(1.7 * fibonacci(views), (0.0, 0.0, 0.0))
    cameras = Cameras(eyes, perspective(25.0, size, 0.1, 4.0).repeat(views, 1, 1), size)
    tracemalloc.start()
    try:
        rays = select("cpu").joseph_rays(SHAPE, BOUNDS, cameras)
        count, grid = len(rays.pixels), 4 * torch.ones(SHAPE).numel()
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        rays.normal(torch.ones(SHAPE), *torch.ones(2, count))
        peak = tracemalloc.get_traced_memory()[1] - held
    finally:
        tracemalloc.stop()
    assert count > 0.9 * views * 64 * 64
    assert held < 6 * count
    slab = 8 * (projector.THICK + 2 * projector.HALO) * SHAPE[1] * SHAPE[2]
    assert peak < grid + slab * thread_count() + 60 * ray_chunks.CHUNK + 100_000
    assert peak < 33 * count, "less than all lines would take"
