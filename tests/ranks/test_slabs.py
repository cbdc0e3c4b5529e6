"""Projections of a grid in slabs, and what torch's functions make of one."""

from __future__ import annotations

import torch

from invrender.backends import select
from invrender.backends.slabs import _make_rays, in_slabs_backend
from invrender.cameras.volume_rigs import volume_rig
from invrender.nouns import Volume
from invrender.ranks.slabs import SlabGrid, in_slabs

CUTS = [(0, 3), (3, 4), (4, 9), (9, 13)]  # one slab of a single slice among them


def test_projections_of_slabs_add_up_and_have_a_transpose() -> None:
    random = torch.Generator().manual_seed(0)
    volume = Volume(torch.rand(1, 13, 9, 11, generator=random), torch.tensor([[-1.0, -0.6, -1.3], [1.2, 0.5, 0.9]]))
    cameras, backend, grid = (
        volume_rig(volume, "sphere", 9, (17, 15)),
        select("cpu", needs=("volumes",)),
        volume.values[0],
    )
    rays = backend.joseph_rays(volume.shape, volume.bounds, cameras)
    forward = torch.zeros(9 * 17 * 15)
    forward[rays.pixels] = rays.forward(grid)
    values = torch.rand(len(forward), generator=random)
    summed, spread = torch.zeros_like(forward), []
    for begin, end in CUTS:
        part, (pixels, _) = _make_rays(backend, volume.shape, volume.bounds, cameras, None, None, begin, end)
        padded = torch.nn.functional.pad(grid[begin:end], (0, 0, 0, 0, part.below, part.above))
        summed.index_add_(0, pixels, part.rays.forward(padded))
        spread.append(part.rays.adjoint(values[pixels])[part.below :][: end - begin])
    assert (summed - forward).abs().max() < 1e-6 * forward.max()
    back = torch.cat(spread)
    assert (back - rays.adjoint(values[rays.pixels])).abs().max() < 1e-6 * back.max()
    products = [float((a.double() * b).sum()) for a, b in ((summed, values), (grid, back))]
    assert abs(products[0] - products[1]) < 1e-6 * products[0]


def test_a_grid_in_slabs_is_a_tensor() -> None:
    plain = torch.rand(5, 3, 4, generator=torch.Generator().manual_seed(0)) - 0.3
    grid = in_slabs(plain)
    assert isinstance(grid, SlabGrid)
    assert grid.shape == plain.shape

    def work(x: torch.Tensor) -> torch.Tensor:
        inside = x > 0
        return torch.where(inside & ~(x > 0.5), x.clamp(min=0.1) / 2, float("inf")).clamp(max=float(x.max()))

    assert isinstance(work(grid), SlabGrid)
    assert torch.equal(work(grid).whole(), work(plain))
    assert torch.equal(torch.from_numpy(work(grid).numpy()), work(plain))
    assert abs(float(grid.double().mean()) - float(plain.double().mean())) < 1e-12
    assert torch.equal(grid[None, 1:], plain[None, 1:]), "anything else is done with the whole"
    assert bool((grid > 0).any())
    assert int((grid > 0).sum()) == int((plain > 0).sum())


def test_one_step_of_the_solver_on_slabs() -> None:
    random = torch.Generator().manual_seed(0)
    plain = select("cpu", needs=("volumes",))
    backend = in_slabs_backend(plain, plain)
    grids = [torch.rand(5, 3, 4, generator=random) for _ in range(4)]
    given = ((0.1, 0.05), 0.4)
    copies = [grid.clone() for grid in grids]  # a step may write over its gradient
    expected, found = plain.smooth_step(*copies, *given), backend.smooth_step(*grids, *given)
    assert all(torch.equal(one, other.whole()) for one, other in zip(expected[:2], found[:2], strict=True))
    assert abs(expected[2] - found[2]) < 1e-6
