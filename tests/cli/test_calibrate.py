"""`reconstruct --calibrate` finds the axis, says how certain it is, and leaves the poses that it found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from invrender.cameras.orbit import circular_orbit
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.cli.app import run
from invrender.io.datasets.transmittance import TransmittanceViews, write_transmittance
from invrender.nouns.scan import ScanSetup
from invrender.radiography.misalignment import Misalignment, moved, pixel_at_axis
from invrender.samples.ellipsoids import FOUR, transmittances


def test_a_dataset_whose_axis_is_off(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    angles = torch.arange(16, dtype=torch.float64) * 22.5
    cameras = scan_cameras(scan_geometry(ScanSetup("cone", angles, (32, 32), (0.13, 0.13), 6.0, 9.0)))
    orbit = circular_orbit(cameras)
    assert orbit is not None
    off = moved(cameras, Misalignment(axis=2.0), orbit.axis, pixel_at_axis(cameras, orbit.centre))
    images = transmittances(FOUR, off)
    box = torch.tensor([[-1.2] * 3, [1.2] * 3], dtype=torch.float64)
    write_transmittance(tmp_path / "scan", TransmittanceViews(cameras, images, bounds=box, grid=(24, 24, 24)))
    flags = ("--backend", "cpu", "--iterations", "6", "--set", "gif_frames=0", "--calibrate", "axis")

    assert run(["reconstruct", str(tmp_path / "scan"), "-o", str(tmp_path / "run"), *flags]) == 0
    told = capsys.readouterr()
    assert "geometry found" in told.out + told.err
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert abs(metrics["calibration"]["axis"] - 2) < 0.1
    assert len(json.loads((tmp_path / "run" / "calibrated_transforms.json").read_text())["frames"]) == 16
