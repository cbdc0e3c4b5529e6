"""Raw numbers of grids and tables: whatever they are, densities are not negative and colours are colours."""

from __future__ import annotations

import math

import pytest
import torch

from invrender.nouns import Volume
from invrender.nouns.transfer import REFERENCE
from invrender.parameters.raw_volume import FIRST, RAW, SHARPEST, RawGrid, RawTable, faint_table, fog, resampled

BOUNDS = torch.tensor([[0.0, 0.0, 0.0], [1.0, 2.0, 4.0]], dtype=torch.float64)


def noise(*size: int) -> torch.Tensor:
    return 5 * torch.randn(*size, generator=torch.Generator().manual_seed(0))


def test_any_raw_grid_is_a_density_with_colours() -> None:
    raw = {RAW: noise(3, 4, 5, 4)}
    support = torch.ones(3, 4, 5)
    support[1, 2] = 0
    volume = RawGrid(support, BOUNDS).decode(raw)
    assert volume.values.shape == (4, 3, 4, 5)
    assert float(volume.values.min()) >= 0
    assert float(volume.values[1:].max()) <= 1
    assert bool((volume.values[0, 1, 2] == 0).all())
    assert bool((volume.values[0][support > 0] > 0).all())
    assert torch.equal(volume.bounds, BOUNDS)


def test_a_raw_grid_by_hand() -> None:
    volume = RawGrid(torch.ones(2, 2, 2), BOUNDS).decode(fog((2, 2, 2)))
    assert volume.values[0].flatten().tolist() == pytest.approx([math.log1p(math.exp(FIRST)) * SHARPEST / 4] * 8)
    assert volume.values[1:].flatten().tolist() == [0.5] * 24


def test_what_is_decoded_is_what_is_composited() -> None:
    raw, grid = {RAW: noise(3, 4, 5, 4)}, RawGrid(torch.ones(3, 4, 5), BOUNDS)
    assert torch.equal(grid.scene(raw)[0].permute(3, 0, 1, 2), grid.decode(raw).values)


def test_roughness_of_a_grid_is_that_of_what_shows() -> None:
    grid = RawGrid(torch.ones(4, 4, 4), BOUNDS)
    flat = fog((4, 4, 4))
    bumpy = {RAW: noise(4, 4, 4, 4)}
    assert float(grid.roughness(flat, grid.scene(flat)[0])) == 0
    assert float(grid.roughness(bumpy, grid.scene(bumpy)[0])) > 0
    hidden = {RAW: noise(4, 4, 4, 4)}
    empty = RawGrid(torch.zeros(4, 4, 4), BOUNDS)
    assert float(empty.roughness(hidden, empty.scene(hidden)[0])) == 0


def test_a_finer_grid_goes_through_the_samples_of_the_coarse_one() -> None:
    coarse = {RAW: noise(3, 3, 3, 4)}
    fine = resampled(coarse, (5, 5, 5))[RAW]
    assert fine.shape == (5, 5, 5, 4)
    assert torch.allclose(fine[::2, ::2, ::2], coarse[RAW], atol=1e-5)
    assert torch.allclose(fine[1, 0, 0], (coarse[RAW][0, 0, 0] + coarse[RAW][1, 0, 0]) / 2, atol=1e-5)


def known() -> Volume:
    return Volume(torch.rand(1, 3, 4, 5, generator=torch.Generator().manual_seed(1)), BOUNDS)


def test_any_raw_table_is_a_transfer_function() -> None:
    transfer = RawTable(known(), (0.25, 0.75)).decode({RAW: noise(16, 4)})
    assert (transfer.low, transfer.high) == (0.25, 0.75)
    assert transfer.colours.shape == (16, 3)
    assert bool(((transfer.colours >= 0) & (transfer.colours <= 1)).all())
    assert bool(((transfer.opacity >= 0) & (transfer.opacity <= 1)).all())


def test_the_opacity_of_a_table_is_that_of_its_extinction_over_the_reference() -> None:
    table, raw = RawTable(known(), (0.0, 1.0)), faint_table(8)
    grid, rows, rules = table.scene(raw)
    assert rows is not None
    assert grid.shape == (3, 4, 5, 1)
    assert (rules.low, rules.high) == (0.0, 1.0)
    opacity = 1 - torch.exp(-rows[:, 3] * REFERENCE * 4)  # the longest axis
    assert torch.allclose(table.decode(raw).opacity, opacity)
    assert float(opacity[0]) == pytest.approx(
        1 - math.exp(-math.log1p(math.exp(FIRST)) * SHARPEST * REFERENCE), rel=1e-5
    )


def test_straight_curves_are_smooth() -> None:
    table = RawTable(known(), (0.0, 1.0))
    straight = {RAW: torch.arange(8.0)[:, None].expand(8, 4)}
    bent = {RAW: straight[RAW].square()}
    assert float(table.roughness(straight, table.scene(straight)[0])) == 0
    assert float(table.roughness(bent, table.scene(bent)[0])) > 0
