"""Dark and flat correction, the light without an object, and drift: each against counts that were made by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from invrender.cameras.scan import scan_geometry
from invrender.errors import InputError
from invrender.nouns.scan import Flat, Preparation, Scan
from invrender.radiography.prepare import prepared
from tests.radiography.shadows import NOTHING, light, setup

UNEVEN = 1 - 0.3 * torch.linspace(-1, 1, 48) ** 2 * torch.ones(48, 1)
DARK = 100 + 20 * torch.rand(48, 48, generator=torch.Generator().manual_seed(1))
ONLY_DRIFT = replace(NOTHING, drift=True)


def scan(frames: torch.Tensor, preparation: Preparation = NOTHING, **others: object) -> Scan:
    return Scan(scan_geometry(setup()), frames, "counts", preparation=preparation, **others)  # type: ignore[arg-type]


def off(found: torch.Tensor) -> float:
    return float((found - light()).abs().max())


def test_dark_and_flat_are_divided_out() -> None:
    counts = light() * 5000 * UNEVEN + DARK
    made = prepared(scan(counts, flats=(Flat(5000 * UNEVEN + DARK),), dark=DARK))
    assert off(made.transmittance) < 1e-5
    assert any("dark" in line for line in made.log)
    assert any("flat: 1 frames" in line for line in made.log)


def test_flats_before_and_after_are_interpolated_in_time() -> None:
    time = torch.linspace(0, 1, 24)[:, None, None]
    before, after = 5000 * UNEVEN, 5000 * UNEVEN.flip(1) + 1000
    counts = light() * ((1 - time) * before + time * after)
    found = prepared(scan(counts, flats=(Flat(after, 1.0), Flat(before, 0.0)))).transmittance
    assert off(found) < 1e-5
    assert off(prepared(scan(counts, flats=(Flat(before),))).transmittance) > 0.1


def test_flats_of_one_time_are_averaged() -> None:
    counts = light() * 5000
    assert off(prepared(scan(counts, flats=(Flat(torch.full((48, 48), 4000.0)), Flat(torch.full((48, 48), 6000.0)))))
               .transmittance) < 1e-5  # fmt: skip


def test_without_flats_the_light_comes_from_the_air() -> None:
    made = prepared(scan(light() * 5000 + DARK, dark=DARK))
    assert off(made.transmittance) < 2e-3
    (said,) = [line for line in made.log if line.startswith("I0")]
    assert float(said.split()[1]) == pytest.approx(5000, rel=2e-3)
    assert "pixels of air" in said


def test_the_air_takes_the_place_of_the_level_of_flats_that_are_of_another_exposure() -> None:
    flats = (Flat(12_345 * UNEVEN),)
    with pytest.raises(InputError, match=r"the flats are brighter") as raised:
        prepared(scan(light() * 5000 * UNEVEN, flats=flats))
    assert "--i0 auto" in raised.value.remedy
    made = prepared(scan(light() * 5000 * UNEVEN, replace(NOTHING, i0="auto"), flats=flats))
    assert off(made.transmittance) < 2e-3


def test_a_number_of_counts_holds_the_dark_ones_too() -> None:
    dark = torch.full((48, 48), 100.0)
    made = prepared(scan(light() * 5000 + 100, replace(NOTHING, i0=5100.0), dark=dark))
    assert off(made.transmittance) < 1e-5


def test_a_source_that_drifts_is_followed_by_the_air() -> None:
    source = 1 + 0.1 * torch.sin(torch.arange(24.0))[:, None, None]
    flats = (Flat(5000 * UNEVEN),)
    counts = light() * source * 5000 * UNEVEN
    assert off(prepared(scan(counts, flats=flats)).transmittance) > 0.09
    made = prepared(scan(counts, ONLY_DRIFT, flats=flats))
    assert off(made.transmittance) < 2e-3
    assert any(line.startswith("drift: frames read") for line in made.log)


def test_the_air_beside_one_row_is_followed_too() -> None:
    source = 1 + 0.1 * torch.sin(torch.arange(24.0))[:, None, None]
    row = light()[:, 24:25]
    given = replace(setup(), size=(1, 48))
    one = Scan(scan_geometry(given), row * source * 5000, "counts", (Flat(torch.full((1, 48), 5000.0)),))
    made = prepared(replace(one, preparation=ONLY_DRIFT))
    assert float((made.transmittance - row).abs().max()) < 5e-3


def test_where_no_air_is_seen_nothing_is_made_up() -> None:
    inside = light()[:, 18:30, 18:30]
    given = setup(size=12)
    frames = inside * 5000
    bare = Scan(scan_geometry(given), frames, "counts", preparation=ONLY_DRIFT)
    with pytest.raises(InputError, match="has to come from the air"):
        prepared(bare)
    made = prepared(replace(bare, flats=(Flat(torch.full((12, 12), 5000.0)),)))
    assert float((made.transmittance - inside).abs().max()) < 1e-5
    assert any("no air" in line for line in made.log)


@pytest.mark.parametrize("flat", [torch.zeros(48, 48), DARK - 5])
def test_flats_without_light_are_refused(flat: torch.Tensor) -> None:
    with pytest.raises(InputError, match="no brighter than the dark") as raised:
        prepared(scan(light() * 5000, flats=(Flat(flat),), dark=DARK))
    assert "i0 = auto" in raised.value.remedy


def test_full_and_dull_pixels_are_masked() -> None:
    flat = torch.full((48, 48), 5000.0)
    flat[3, 4] = 0
    counts = (light() * 5000).round().to(torch.int32)
    counts[5, 6, 7] = 65_535
    made = prepared(scan(counts, flats=(Flat(flat),)))
    assert bool(made.transmittance[:, 3, 4].isnan().all())
    assert bool(made.transmittance[5, 6, 7].isnan())
    assert int(made.transmittance.isnan().sum()) == 24 + 1
    assert any(line.startswith("saturated: 1 pixels") for line in made.log)


def test_frames_that_are_full_are_refused() -> None:
    counts = (light() * 9000).clamp(max=1000).round().to(torch.int32)
    given = replace(NOTHING, saturation=1000.0)
    with pytest.raises(InputError, match="saturated"):
        prepared(scan(counts, given, flats=(Flat(torch.full((48, 48), 9000.0)),)))


def test_counts_below_the_dark_are_told() -> None:
    counts = light() * 5000
    counts[:, 20:24, 20:30] = 0
    made = prepared(scan(counts + 0, flats=(Flat(torch.full((48, 48), 5050.0)),), dark=torch.full((48, 48), 50.0)))
    assert any(line.startswith("negative") for line in made.log)
    assert any("darker than the dark frame" in finding.cause for finding in made.findings)
