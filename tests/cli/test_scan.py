"""`invrender scan`, and scans as the input of `inspect` and `reconstruct`."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from invrender.cli.app import run
from tests.io.scans import made

LEAP = """geometry = cone
numAngles = 12
numRows = 16
numCols = 20
pixelHeight = 0.27
pixelWidth = 0.27
centerRow = 7.5
centerCol = 9.5
angularRange = 360
sod = 5
sdd = 10
"""


def test_from_leap_to_a_density(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    Path("leap.txt").write_text(LEAP)
    np.save("p.npy", made.light(made.scan_geometry(made.setup())).numpy()[:, ::-1])
    line = ["scan", "leap.txt", "-o", "here/scan.toml", "--projections", "p.npy", "--values", "transmittance"]
    assert run(line) == 0
    assert 'path = "../p.npy"' in Path("here/scan.toml").read_text()
    assert run(line) == 6
    assert run([*line, "--overwrite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["program"] == "LEAP"
    assert run(["reconstruct", "here/scan.toml", "-o", "out", "--preset", "draft", "--set", "gif_frames=0", "-q"]) == 0
    assert Path("out/volume.npz").is_file()
    log = Path("out/log.txt").read_text()
    assert "cells of 0.135 mm" in log
    assert 'method = "transmittance"' in Path("out/config.toml").read_text()


def test_inspect_tells_and_draws(tmp_path: Path, capsys) -> None:
    made.write(tmp_path, made.setup())
    picture = tmp_path / "look.png"
    assert run(["inspect", str(tmp_path), "--picture", str(picture)]) == 0
    shown = capsys.readouterr().out
    for words in (
        "12 of 20 x 16 pixels",
        "360 degrees in steps of 30",
        "magnification",
        "0.135 mm",
        "1 of the open beam",
    ):
        assert words in shown
    drawn = np.asarray(Image.open(picture))
    assert drawn.shape[0] > 800
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 20
    assert run(["inspect", str(tmp_path / "scan.toml"), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["kind"], facts["projections"], facts["magnification"]) == ("scan", 12, pytest.approx(2.0))
    assert facts["findings"] == []


def test_a_warning_is_an_error_with_strict(tmp_path: Path) -> None:
    path = made.write(tmp_path, made.setup())
    path.write_text(path.read_text().replace("span = 360", "span = 100"))
    assert run(["inspect", str(path)]) == 0
    assert run(["inspect", str(path), "--strict"]) == 3
    assert run(["reconstruct", str(path), "-o", str(tmp_path / "out"), "--strict", "-q"]) == 3


@pytest.mark.parametrize("beam", ["cone", "parallel", "fan"])
def test_every_beam_is_drawn(tmp_path: Path, beam: str) -> None:
    made.write(tmp_path, made.setup(beam, 12, (1 if beam == "fan" else 16, 20)))
    assert run(["inspect", str(tmp_path), "--picture", str(tmp_path / "a.png"), "--json"]) == 0
    assert (tmp_path / "a.png").is_file()


def test_a_folder_of_pictures_with_a_scan_is_no_photographs(tmp_path: Path) -> None:
    made.write(tmp_path, made.setup())
    for number, page in enumerate(made.counts(made.setup())):
        Image.fromarray(page).save(tmp_path / f"p{number}.tif")
    text = (tmp_path / "scan.toml").read_text().replace('"projections.npy"', '"p*.tif"')
    (tmp_path / "scan.toml").write_text(text)
    assert run(["reconstruct", str(tmp_path), "-o", str(tmp_path / "out"), "--dry-run"]) == 0


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["scan", "nothing.json", "-o", "new.toml"], 3),
        (["scan", "leap.txt", "-o", "scan.txt"], 2),
        (["scan", "leap.txt", "--from", "rtk", "-o", "new.toml"], 2),
        (["scan", "leap.txt", "--values", "grey", "-o", "new.toml"], 2),
        (["scan", "leap.txt", "--from", "nikon", "-o", "new.toml"], 3),
        (["inspect", "scan.toml", "--masks", "auto"], 2),
        (["inspect", "scan.toml", "--picture", "a.jpg"], 2),
        (["reconstruct", "scan.toml", "--method", "silhouette"], 3),
        (["reconstruct", "scan.toml", "--grid", "100000"], 2),
        (["reconstruct", "scan.toml", "--grid", "4096"], 5),
    ],
)
def test_what_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: list[str], code: int) -> None:
    monkeypatch.chdir(tmp_path)
    Path("leap.txt").write_text(LEAP)
    made.write(tmp_path, made.setup())
    assert run(line) == code
