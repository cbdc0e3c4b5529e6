"""`invrender render VOLUME --scan` and what reconstruct makes of it, through their entry points."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from invrender.cli.app import run
from invrender.io.scans import read_scan
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.samples.ellipsoids import FOUR, averaged

SCANNER = """
beam = "cone"
source_object = 6.0
source_detector = 9.0
pixel = 0.14
columns = 32
rows = 30
angles = { start = 0, span = 360, count = 16 }
"""


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_volume(tmp_path / "four.npz", averaged(FOUR, 24))
    (tmp_path / "scanner.toml").write_text(SCANNER)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def render(*more: str) -> int:
    return run(["render", "four.npz", "--mode", "transmittance", "--scan", "scanner.toml", *more])


def test_a_scan_is_recorded_and_reconstructed(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert render("-o", "scan", "--photons", "50000", "--json") == 0
    facts = json.loads(capsys.readouterr().out)
    assert facts["photons"] == 50_000
    assert facts["extinction"] == 1
    scan = read_scan(place / "scan")
    assert scan.frames.shape == (16, 30, 32)
    assert scan.values == "counts"
    assert len(scan.flats) == 2
    assert scan.dark is not None
    assert scan.grid == (24, 24, 24)
    assert run(["reconstruct", "scan", "-o", "out", "--preset", "draft", "--set", "gif_frames=0", "-q"]) == 0
    found, truth = read_volume(place / "out" / "volume.npz").values[0], averaged(FOUR, 24).values[0]
    psnr = 10 * float((truth.max() ** 2 / (found - truth).square().mean()).log10())
    assert psnr > 26
    log = (place / "out" / "log.txt").read_text()
    assert "drift" in log
    assert "noise" in log


def test_steps_can_be_switched_off(place: Path) -> None:
    assert render("-o", "scan", "-q") == 0
    command = [
        "reconstruct",
        "scan",
        "-o",
        "out",
        "--preset",
        "draft",
        "--set",
        "gif_frames=0",
        "--set",
        "grid=8",
        "-q",
    ]
    assert run([*command, "--no-rings", "--no-zingers", "--downscale", "2", "--i0", "auto"]) == 0
    log = (place / "out" / "log.txt").read_text()
    assert "rings" not in log
    assert "zingers" not in log
    assert "downscaled: 2 x 2" in log
    assert "I0" in log


def test_steps_need_frames(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["reconstruct", "four.npz", "-o", "out", "--no-rings"]) == 2
    assert "the input is no scan" in capsys.readouterr().err


def test_exact_transmittances_without_photons(place: Path) -> None:
    assert render("-o", "exact", "--photons", "0", "-q") == 0
    scan = read_scan(place / "exact")
    assert scan.values == "transmittance"
    assert float(scan.frames.max()) == 1
    assert scan.dark is None


def test_the_seed_decides_and_defects_can_be_left_out(place: Path) -> None:
    for name, more in {"a": (), "b": (), "c": ("--seed", "1"), "d": ("--defects", "none")}.items():
        assert render("-o", name, "-q", *more) == 0
    a, b, c, d = (np.load(place / name / "projections.npy") for name in "abcd")
    assert a.dtype == np.uint16
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)
    assert float(read_scan(place / "d").dark.max()) == 0
    assert d.max() > 50_000


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["-o", "scan", "--views", "4"], 2, "--views does not go with --scan"),
        (["-o", "scan", "--defects", "stains"], 2, "stains"),
        (["-o", "scan", "--photons", "0.1"], 2, "--photons is 0.1"),
        (["-o", "scan", "--mode", "volume"], 2, "--mode volume does not go"),
        (["-o", "scan.npz"], 2, "a scan is a folder"),
        ([], 2, "nothing says where"),
        (["-o", "."], 6, "is not empty"),
    ],
)
def test_what_makes_no_sense_is_refused(
    place: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, told: str
) -> None:
    assert render(*arguments) == code
    assert told in " ".join(capsys.readouterr().err.split())


def test_photons_without_a_scan_are_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["render", "four.npz", "-o", "a.png", "--photons", "100"]) == 2
    assert "--photons goes with --scan" in capsys.readouterr().err
