"""Scans to densities: counts, transmittances and line integrals of every beam, and what is refused or doubted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import invrender
from invrender.cameras.scan import scan_geometry
from invrender.errors import InputError
from invrender.io.scans import read_scan
from invrender.methods.transmittance import task as tasks
from invrender.methods.transmittance.scan_input import chosen, grid_of, scaled
from invrender.methods.transmittance.settings import TransmittanceSettings, suits
from invrender.samples.ellipsoids import FOUR
from tests.io.scans import made

QUICK = {"preset": "draft", "gif_frames": 0, "backend": "cpu"}


def truth(bounds: torch.Tensor, shape: tuple[int, int, int]) -> torch.Tensor:
    """The density at the samples of a grid."""
    axes = [torch.linspace(*bounds[:, i].tolist(), shape[2 - i], dtype=torch.float64) for i in range(3)]
    z, y, x = torch.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    total = torch.zeros(shape, dtype=torch.float64)
    for each in FOUR:
        scaled_ = zip((x, y, z), each.centre, each.axes, strict=True)
        total += each.density * (sum(((at - c) / r) ** 2 for at, c, r in scaled_) < 1)
    return total


def agreement(volume: invrender.Volume) -> float:
    """How alike a density and the true one are: their correlation over the grid."""
    values = volume.values[0].double()
    expected = truth(volume.bounds, tuple(values.shape))
    return float(torch.corrcoef(torch.stack([values.flatten(), expected.flatten()]))[0, 1])


@pytest.mark.parametrize("beam", ["cone", "fan", "parallel"])
def test_a_scan_of_counts(tmp_path: Path, beam: str) -> None:
    """Of a mirrored or turned result, the off-centre ellipsoids would not lie upon each other."""
    made.write(tmp_path, made.setup(beam, 24, (28, 32)))
    assert suits(tmp_path)
    found = invrender.reconstruct(tmp_path, **QUICK)
    assert agreement(found.asset) > 0.93
    values = found.asset.values[0]
    expected = truth(found.asset.bounds, tuple(values.shape))
    assert float(values.sum()) == pytest.approx(float(expected.sum()), rel=0.03)  # in 1 / unit of length


def test_the_axis_beside_the_middle(tmp_path: Path) -> None:
    given = made.setup("cone", 24, (28, 32), axis_offset=0.13, detector_offset=(0.2, 0.1))
    made.write(tmp_path, given, "axis_offset = 0.13\ndetector_offset = [0.2, 0.1]\n")
    assert agreement(invrender.reconstruct(tmp_path, **QUICK).asset) > 0.93


def test_one_row_gives_two_slices(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup("parallel", 24, (1, 32)))
    found = invrender.reconstruct(tmp_path, **QUICK).asset
    values = found.values[0]
    assert values.shape[0] == 2
    assert float((values[0] - values[1]).abs().mean()) < 0.02 * float(values.max())
    assert agreement(found) > 0.93


def loaded(path: Path, **settings: object) -> tasks.Task:
    return tasks.load(TransmittanceSettings(path, **settings), None)


@pytest.mark.parametrize("beam", ["cone", "fan"])
def test_views_are_projections(tmp_path: Path, beam: str) -> None:
    """Of a fan each row of a projection is a view of its own, and all rows of a projection stay or go together."""
    made.write(tmp_path, made.setup(beam, 12, (6, 20)))
    data = loaded(tmp_path, views=4).measurement
    assert len(data.cameras) == (4 if beam == "cone" else 24)
    names = {data.name(i).split(" row")[0] for i in range(len(data.cameras))}
    assert names == {"projection 00", "projection 03", "projection 06", "projection 09"}


def test_size_averages_pixels(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup("cone", 12, (16, 20)))
    task = loaded(tmp_path, size=10)
    assert task.measurement.cameras.size == (8, 10)
    assert max(task.shape) == 10


def test_a_grid_that_is_asked_for(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup())
    task = loaded(tmp_path, grid=(9, 10, 11), bounds=(-1.0, -1.0, -1.0, 1.0, 1.0, 1.0))
    assert task.shape == (9, 10, 11)
    assert task.bounds.tolist() == [[-1] * 3, [1] * 3]
    natural = loaded(tmp_path, bounds=(-1.0, -1.0, -1.0, 1.0, 1.0, 1.0))
    assert natural.shape == (16, 16, 16)  # 2 long, by pixels of 0.135


def test_the_grid_is_what_the_frames_see(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup("parallel", 12, (16, 20)))
    shape, bounds, told = grid_of(read_scan(tmp_path), None, None)
    assert shape == (16, 20, 20)
    assert bounds[1].tolist() == pytest.approx([9.5 * 0.135, 9.5 * 0.135, 7.5 * 0.135])
    assert "20 x 20 x 16 cells" in told[0]


def test_no_more_projections_than_there_are(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup())
    scan = read_scan(tmp_path)
    assert chosen(scan, 99) is scan
    assert scaled(scan, 20) is scan
    assert len(chosen(scan, 5)) == 5


def findings(folder: Path) -> str:
    return "\n".join(map(str, loaded(folder).findings))


def changed(folder: Path, frames: np.ndarray) -> Path:
    np.save(folder / "projections.npy", frames)
    return folder


def test_a_good_scan_raises_no_doubt(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup())
    assert findings(tmp_path) == ""


def test_a_short_arc_is_said_with_its_cost(tmp_path: Path) -> None:
    given = replace(made.setup("cone", 18), angles=torch.arange(18, dtype=torch.float64) * 8)
    path = made.write(tmp_path, given)
    path.write_text(path.read_text().replace("span = 360", "span = 144"))
    said = findings(tmp_path)
    assert "cover 144 degrees, and 210.2 are needed" in said
    assert "66.2 degrees of directions" in said


def test_flats_of_another_exposure(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup())
    np.save(tmp_path / "flat.npy", np.full((16, 20), made.WHITE * 0.8))
    assert "1.26 times" in findings(tmp_path)
    np.save(tmp_path / "flat.npy", np.full((16, 20), made.WHITE * 1.4))
    assert "no border of the frames" in findings(tmp_path)


def test_saturated_and_negative_counts(tmp_path: Path) -> None:
    given = made.setup()
    made.write(tmp_path, given)
    frames = made.counts(given)
    frames[:, 0, :3] = 65535
    assert "65535" in findings(changed(tmp_path, frames))
    negative = made.counts(given).astype(np.float32)
    negative[:, 0, 0] = -5
    assert "negative" in findings(changed(tmp_path, negative))
    negative[:, :6] = -5
    with pytest.raises(InputError, match="counts are negative"):
        loaded(changed(tmp_path, negative))


@pytest.mark.parametrize(
    ("old", "new", "part"),
    [
        ("source_object = 5.0\nsource_detector = 10.0", "source_object = 0.05\nsource_detector = 0.1", "one unit"),
        ("[projections]", "axis_offset = 3.0\n[projections]", "outside the detector"),
        ("[projections]", 'axis_offset = "30px"\n[projections]', "outside the detector"),
    ],
)
def test_lengths_that_cannot_be_meant(tmp_path: Path, old: str, new: str, part: str) -> None:
    path = made.write(tmp_path, made.setup())
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(InputError, match=part):
        loaded(tmp_path)


def test_counts_that_are_said_to_be_something_else(tmp_path: Path) -> None:
    path = made.write(tmp_path, made.setup())
    numbers = path.read_text().split("[[flat]]")[0]
    for kind in ("transmittance", "line-integral"):
        path.write_text(numbers.replace('"counts"', f'"{kind}"'))
        with pytest.raises(InputError, match="look like counts"):
            loaded(tmp_path)


def test_a_detector_that_stands_aside(tmp_path: Path) -> None:
    given = made.setup("cone", 12, (16, 20), detector_offset=(0.8, 0.0))
    made.write(tmp_path, given, "detector_offset = [0.8, 0.0]\n")
    assert "stands aside" in findings(tmp_path)
    assert "full turn makes up" in findings(tmp_path)


def test_line_integrals_are_taken_as_they_are(tmp_path: Path) -> None:
    given = made.setup("cone", 24, (28, 32))
    np.save(tmp_path / "projections.npy", -np.log(made.light(scan_geometry(given)).numpy()))
    (tmp_path / "scan.toml").write_text(
        made.text(given, '[projections]\npath = "projections.npy"\nvalues = "line-integral"\n')
    )
    assert agreement(invrender.reconstruct(tmp_path, **QUICK).asset) > 0.93


def test_noise_makes_line_integrals_negative_where_nothing_is(tmp_path: Path) -> None:
    given = made.setup()
    depth = -np.log(made.light(scan_geometry(given)).numpy())
    depth += np.random.default_rng(0).normal(0, 0.01, depth.shape)
    depth[0, 0, 0], depth[1, 0, 0] = np.inf, np.nan
    np.save(tmp_path / "projections.npy", depth)
    (tmp_path / "scan.toml").write_text(
        made.text(given, '[projections]\npath = "projections.npy"\nvalues = "line-integral"\n')
    )
    assert findings(tmp_path) == ""
