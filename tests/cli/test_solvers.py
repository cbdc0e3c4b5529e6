"""`reconstruct --solver` with each of the classical solvers, and `--compare` of all of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.cli.app import run
from invrender.io.datasets.transmittance import TransmittanceViews, write_transmittance
from invrender.io.volumes.write import write_volume
from invrender.nouns.scan import ScanSetup
from invrender.samples.ellipsoids import FOUR, averaged, transmittances

SCAN = ("--cameras", "orbit", "--elevation", "0", "--views", "16", "--size", "24", "--set", "gif_frames=0", "-q")


@pytest.fixture
def asset(tmp_path: Path) -> Path:
    path = tmp_path / "phantom.npz"
    write_volume(path, averaged(FOUR, 20))
    return path


def metrics(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "metrics.json").read_text())


@pytest.mark.parametrize(
    ("solver", "least"), [("fdk", 17), ("sirt", 22), ("cgls", 19), ("os-sart", 22), ("asd-pocs", 22)]
)
def test_every_solver_makes_a_volume(asset: Path, tmp_path: Path, solver: str, least: float) -> None:
    out = tmp_path / solver
    assert run(["reconstruct", str(asset), "-o", str(out), "--solver", solver, *SCAN]) == 0
    assert metrics(out)["psnr"] > least
    assert (out / "volume.npz").is_file()


def test_filters_are_chosen_by_name(asset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["reconstruct", str(asset), "--solver", "fdk", *SCAN]
    assert run([*base, "-o", str(tmp_path / "a"), "--filter", "hann"]) == 0
    assert run([*base, "-o", str(tmp_path / "b")]) == 0
    assert metrics(tmp_path / "a")["psnr"] != metrics(tmp_path / "b")["psnr"]
    assert run([*base, "-o", str(tmp_path / "c"), "--filter", "han"]) == 2
    assert "hann" in capsys.readouterr().err


def test_fdk_refuses_views_that_lie_on_no_circle(
    asset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["reconstruct", str(asset), "-o", str(tmp_path / "out"), "--solver", "fdk", "--views", "16", "-q"]
    assert run([*arguments, "--size", "24", "--set", "gif_frames=0"]) == 3
    told = capsys.readouterr().err
    assert "circle" in told
    assert "--solver fista" in told


def test_compare_tells_all_solvers_in_one_run(asset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert run(["reconstruct", str(asset), "-o", str(out), "--compare", "--iterations", "12", *SCAN[:-1]]) == 0
    told = capsys.readouterr().out
    table = json.loads((out / "compare.json").read_text())
    assert list(table["solvers"]) == ["fdk", "sirt", "cgls", "os-sart", "asd-pocs", "fista"]
    for name, row in table["solvers"].items():
        assert {"psnr", "ssim", "misfit", "cpu_seconds", "passes"} == set(row)
        assert name in told
    assert table["solvers"]["fista"]["psnr"] == pytest.approx(metrics(out)["psnr"], abs=0.01)
    assert table["solvers"]["fdk"]["passes"] == 1
    picture = np.asarray(Image.open(out / "compare.png"))
    assert picture.shape[1] > 6 * 200
    assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 50


def test_without_a_reference_some_views_are_kept_from_all_solvers(tmp_path: Path) -> None:
    setup = ScanSetup("cone", torch.arange(24) * 15.0, (20, 20), (0.2, 0.2), 5.0, 8.0)
    cameras = scan_cameras(scan_geometry(setup))
    bounds = torch.tensor([[-1.0] * 3, [1.0] * 3], dtype=torch.float64)
    views = TransmittanceViews(cameras, transmittances(FOUR, cameras), "transmittance", bounds, (16, 16, 16))
    write_transmittance(tmp_path / "views", views)
    out = tmp_path / "out"
    arguments = ["reconstruct", str(tmp_path / "views"), "-o", str(out), "--compare", "--iterations", "12", "-q"]
    assert run([*arguments, "--set", "gif_frames=0"]) == 0
    table = json.loads((out / "compare.json").read_text())
    assert len(table["views_kept_apart"]) == 2
    assert all(0 < row["held_out_misfit"] < 0.3 for row in table["solvers"].values())
