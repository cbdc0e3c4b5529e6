"""Looks of volumes: windows, backgrounds and opacities that show the inside whatever the numbers are."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from invrender.errors import UsageError
from invrender.nouns import Volume
from invrender.render.looks import LOOKS, is_sharp, look_of, mip_look, shown, shows_surfaces
from invrender.render.opacity_curves import CURVES, curve
from invrender.render.transfer import opacity_of
from invrender.render.value_statistics import background_of, is_hounsfield, percentiles, statistics
from invrender.samples import VOLUMES
from invrender.samples.head import head


@pytest.fixture(scope="module")
def cloud() -> Volume:
    return VOLUMES["cloud"](32)


@pytest.fixture(scope="module")
def patient() -> Volume:
    return head(40)


def middle_depth(volume: Volume, opacity: torch.Tensor, low: float, high: float) -> float:
    """The optical depth that nine tenths of the rays along z that meet anything stay below."""
    place = ((volume.values[0].double() - low) / (high - low)).clamp(0, 1)
    absorbed = -torch.log1p(-opacity.double())[(place * (len(opacity) - 1)).round().long()]
    depths = absorbed.mean(0).flatten() * 32
    return float(depths[depths > 1e-3 * depths.max()].quantile(0.9))


@pytest.mark.parametrize("scale", [1e-3, 1.0, 5e4])
def test_auto_shows_the_inside_whatever_the_units(cloud: Volume, scale: float) -> None:
    look = look_of(Volume(cloud.values * scale, cloud.bounds))
    transfer = look.transfer
    assert transfer.low == 0
    assert transfer.high == pytest.approx(float(look_of(cloud).transfer.high) * scale, rel=1e-4)
    depth = middle_depth(Volume(cloud.values * scale, cloud.bounds), transfer.opacity, transfer.low, transfer.high)
    assert 1.0 < depth < 4.0
    assert torch.allclose(transfer.opacity, look_of(cloud).transfer.opacity, atol=2e-3)


def test_thin_and_dense_things_get_about_the_same_depth() -> None:
    """A plate one sample thick and a full block."""
    bounds = torch.tensor([[-0.5] * 3, [0.5] * 3], dtype=torch.float64)
    depths = []
    for thick in (1, 12):
        values = torch.zeros(1, 24, 24, 24)
        values[0, 6 : 6 + thick, 4:20, 4:20] = 1
        transfer = look_of(Volume(values, bounds), "linear").transfer
        depths.append(middle_depth(Volume(values, bounds), transfer.opacity, transfer.low, transfer.high))
    assert depths[0] > 0.1  # as much as the greatest opacity gives one sample
    assert 1 < depths[1] < 4


def test_the_background_is_what_lies_on_the_faces() -> None:
    values = torch.full((12, 12, 12), 7.0, dtype=torch.float64)
    values[4:8, 4:8, 4:8] = torch.linspace(-3, 20, 4)
    assert background_of(values) == 7
    volume = Volume(values[None].float(), torch.tensor([[0.0] * 3, [1.0] * 3], dtype=torch.float64))
    low, high = statistics(volume).window
    assert low < 0  # matter lies on both sides
    assert high > 19
    transfer = look_of(volume).transfer
    at = round((7 - transfer.low) / (transfer.high - transfer.low) * 255)
    assert float(transfer.opacity[at]) < 0.02 < float(transfer.opacity.max())


def test_a_patient_is_recognised_and_shown_in_layers(patient: Volume, cloud: Volume) -> None:
    assert is_hounsfield(patient)
    assert not is_hounsfield(cloud)
    transfer = look_of(patient).transfer

    def opacity(value: float) -> float:
        return float(transfer.opacity[round((value - transfer.low) / (transfer.high - transfer.low) * 255)])

    assert opacity(-450) == 0
    assert opacity(40) < opacity(-100) < 0.3  # the skin's border is a veil, and the brain less than that
    assert opacity(1000) > 0.8
    assert shows_surfaces(transfer)
    bone, skin = look_of(patient, "bone").transfer, look_of(patient, "skin").transfer
    shares = [float((shown(patient, each) > 0.1).float().mean()) for each in (bone, skin)]
    assert 0 < shares[0] < 0.7 * shares[1]  # bone is within the skin


@pytest.mark.parametrize("name", LOOKS)
def test_every_look_draws_something_and_keeps_what_is_given(cloud: Volume, name: str) -> None:
    look = look_of(cloud, name)
    assert 0.02 < float(look.transfer.opacity.max()) < 1
    assert float(look.transfer.opacity[0]) < 0.05
    given = look_of(cloud, name, "gray", "0:0,0.5:0.25,1:1", window=(0.25, 0.75)).transfer
    assert (given.low, given.high) == (0.25, 0.75)
    assert float(given.opacity[128]) == pytest.approx(0.25, abs=0.01)  # points say their own opacity
    assert torch.equal(given.colours[:, 0], given.colours[:, 2])
    assert float(look_of(cloud, name, strength=0.125).transfer.opacity.max()) <= 0.125


def test_surfaces_take_more_samples(cloud: Volume) -> None:
    assert is_sharp(look_of(cloud, "solid").transfer)
    assert is_sharp(look_of(cloud, opacity="one-step").transfer)
    assert not is_sharp(look_of(cloud).transfer)


def test_mip_goes_up_to_the_greatest_value_and_percentiles_count_matter(cloud: Volume) -> None:
    look = mip_look(cloud)
    assert (look.transfer.low, look.lighting) == (0, None)
    assert look.transfer.high == float(cloud.values.max())
    low, high = percentiles(cloud, (0, 100))
    assert low > 0
    assert high == float(cloud.values.max())


def test_curves_by_name() -> None:
    x = np.linspace(0, 1, 101)
    for name in CURVES:
        values = curve(name, x)
        assert values is not None
        assert values.min() >= 0
        assert values.max() == pytest.approx(1, abs=1e-6)
    assert curve("one-step:0.3", x)[29:32].tolist() == [0, 1, 1]
    assert curve("ramp:0.2,0.6", x)[[10, 40, 80]] == pytest.approx([0, 0.5, 1])
    bell = curve("bell:0.4,0.1", x)
    assert (int(bell.argmax()), bell[50]) == (40, pytest.approx(np.exp(-0.5)))
    peaks = curve("peaks:0.2,0.6", x)
    assert peaks[40] == 0 < peaks[20] < peaks[60]
    assert curve("0:0,1:1", x) is None
    assert float(opacity_of("bell:0.5,0.2", 0.5).max()) == pytest.approx(0.5, abs=1e-4)


@pytest.mark.parametrize("text", ["bell:0.5", "peaks:0.2,2", "ramp:a,b", "linear:3", "belly"])
def test_slips_in_a_curve(text: str) -> None:
    with pytest.raises(UsageError, match="--opacity"):
        opacity_of(text, 0.5)


def test_unknown_looks_are_refused(cloud: Volume) -> None:
    with pytest.raises(UsageError, match="auto, linear"):
        look_of(cloud, "shiny")
    with pytest.raises(UsageError, match="empty"):
        look_of(cloud, window=(1.0, 1.0))
    with pytest.raises(UsageError, match="opacity of 2"):
        look_of(cloud, strength=2.0)


def test_a_volume_of_one_value_has_a_look() -> None:
    flat = Volume(torch.full((1, 4, 4, 4), 3.0), torch.tensor([[0.0] * 3, [1.0] * 3], dtype=torch.float64))
    for name in LOOKS:
        transfer = look_of(flat, name).transfer
        assert transfer.high > transfer.low
        assert bool(torch.isfinite(transfer.opacity).all())
