"""What `inspect` and `reconstruct` say of transmittance images on a wrong scale, in a wrong box, with wrong poses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from invrender.cameras.volume_rigs import volume_rig
from invrender.cli.app import run
from invrender.io.datasets.transmittance import TransmittanceViews, write_transmittance
from invrender.samples.ellipsoids import FOUR, averaged, transmittances

Change = Callable[[torch.Tensor], torch.Tensor]


def dataset(folder: Path, change: Change = lambda image: image, kind: str = "transmittance", half: float = 1.0) -> Path:
    volume = averaged(FOUR, 16, 1)
    cameras = volume_rig(volume, "orbit", 12, (32, 32), distance=2.5)
    images = change(transmittances(FOUR, cameras))
    views = TransmittanceViews(cameras, images, kind, half * volume.bounds, (16, 16, 16))  # type: ignore[arg-type]
    write_transmittance(folder, views)
    return folder


def noisy(image: torch.Tensor) -> torch.Tensor:
    return torch.from_numpy((np.random.default_rng(0).poisson(image.numpy() * 1e4) / 1e4).astype(np.float32))


def hot(image: torch.Tensor) -> torch.Tensor:
    image[3, 20, 10] = 7
    return image


@pytest.mark.parametrize(
    ("change", "kind", "half", "words"),
    [
        (lambda image: 0.06 * image, "transmittance", 1.0, "open beam"),
        (lambda image: 15 * image, "transmittance", 1.0, "open beam"),
        (lambda image: 1 - image, "transmittance", 1.0, "inverted"),
        (lambda image: -2 * image.log(), "transmittance", 1.0, "line-integral"),
        (lambda image: image, "transmittance", 0.5, "--bounds"),
        (lambda image: image.log(), "line-integral", 1.0, "sign"),
        (noisy, "transmittance", 1.0, "--noise poisson:9"),
        (hot, "transmittance", 1.0, "row 20, column 10"),
    ],
)
def test_wrong_scales_and_boxes_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], change: Change, kind: str, half: float, words: str
) -> None:
    folder = dataset(tmp_path / "data", change, kind, half)
    assert run(["inspect", str(folder)]) == 3
    assert words in " ".join(capsys.readouterr().err.split())
    assert run(["reconstruct", str(folder), "-o", str(tmp_path / "run"), "-q", "--backend", "cpu"]) == 3
    assert words in " ".join(capsys.readouterr().err.split())


def test_a_shifted_axis_is_doubted_and_good_views_are_not(tmp_path: Path) -> None:
    flags = ("-q", "--backend", "cpu", "--set", "gif_frames=0")
    folder = dataset(tmp_path / "data")
    assert run(["reconstruct", str(folder), "-o", str(tmp_path / "good"), *flags]) == 0
    table = json.loads((folder / "transforms.json").read_text())
    table["cx"] = table.get("cx", 16) + 2
    (folder / "transforms.json").write_text(json.dumps(table))
    assert run(["reconstruct", str(folder), "-o", str(tmp_path / "off"), *flags]) == 0
    assert not json.loads((tmp_path / "good" / "run.json").read_text()).get("warnings")
    (warning,) = json.loads((tmp_path / "off" / "run.json").read_text())["warnings"]
    assert "axis of rotation" in warning
    assert len(json.loads((tmp_path / "off" / "metrics.json").read_text())["view_residuals"]) == 12


def test_inspect_takes_the_noise_that_it_asks_for_and_lists_what_it_finds(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(dataset(tmp_path / "data", noisy))
    assert run(["inspect", folder]) == 3
    assert "12 of 32 x 32 pixels" in capsys.readouterr().out  # what the images hold is told all the same
    assert run(["inspect", folder, "--noise", "poisson:9000", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["findings"] == []

    assert run(["inspect", folder, "--noise", "8-bit"]) == 2


@pytest.mark.parametrize(
    ("kept", "warned"), [(slice(0, 12), False), (slice(0, 7), False), (slice(0, 3), True), ([0, 3], True)]
)
def test_directions_that_no_view_shows_are_said(tmp_path: Path, capsys, kept, warned: bool) -> None:
    folder = dataset(tmp_path / "data")
    table = json.loads((folder / "transforms.json").read_text())
    frames = table["frames"]
    table["frames"] = [frames[i] for i in kept] if isinstance(kept, list) else frames[kept]
    (folder / "transforms.json").write_text(json.dumps(table))
    assert run(["inspect", str(folder), "--json"]) == 0
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert any("unmeasured" in finding["cause"] for finding in findings) == warned


def damaged(image: torch.Tensor) -> torch.Tensor:
    image[3, 20, 10], image[4, 1, 1], image[4, 1, 2] = torch.inf, torch.nan, torch.nan
    return image


def test_facts_are_of_what_is_finite(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = dataset(tmp_path / "data", damaged)
    assert run(["inspect", str(folder)]) == 3
    out = capsys.readouterr().out
    assert " to 1, and 1 infinite\n" in out
    assert "bad         2 pixels are marked as such\n" in out
    assert run(["inspect", str(folder), "--json"]) == 3
    facts = json.loads(capsys.readouterr().out)
    assert (facts["greatest"], facts["infinite"], facts["bad"]) == (1.0, 1, 2)
