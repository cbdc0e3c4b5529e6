"""Volumes that come as slices, and Hounsfield units, through the command line."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cli.app import run
from invrender.io.volumes.read import read_volume
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume


@pytest.fixture
def ball() -> Volume:
    z, y, x = np.indices((10, 12, 14)) - np.array([4.5, 5.5, 6.5])[:, None, None, None]
    values = 0.03 * ((x * x + y * y + z * z) < 12)
    bounds = torch.tensor([[0.0, 0, 0], [13, 11, 9]], dtype=torch.float64)
    return Volume(torch.from_numpy(values.astype(np.float32))[None], bounds, units="millimetre")


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def told(capsys, *arguments):
    assert run([*arguments, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_slices_out_and_in(ball, capsys):
    write_volume("ball.nrrd", ball)
    for kind in ("tiff", "png"):
        assert run(["convert", "ball.nrrd", kind, "--to", kind]) == 0
        assert "10 slices of 14 x 12" in capsys.readouterr().err
        facts = told(capsys, "inspect", kind)
        assert facts["kind"] == "volume"
        assert facts["samples"] == [14, 12, 10]
        assert facts["units"] == "millimetre"
        assert np.allclose(facts["spacing"], 1)
        assert run(["convert", "ball.nrrd", kind, "--to", kind]) == 6
        assert run(["convert", "ball.nrrd", kind, "--to", kind, "--overwrite"]) == 0
        assert run(["convert", kind, f"{kind}.tif"]) == 0
        assert np.allclose(read_volume(f"{kind}.tif").numpy(), ball.numpy(), atol=1e-6)
    assert told(capsys, "evaluate", "tiff", "ball.nrrd")["psnr"] in (None, "inf", float("inf"))


def test_spacing_for_slices_that_tell_none(ball, tmp_path, capsys):
    (tmp_path / "s").mkdir()
    for k, values in enumerate(ball.numpy()[0]):
        Image.fromarray((1000 * values).astype(np.uint8)).save(tmp_path / "s" / f"{k}.png")
    assert told(capsys, "inspect", "s", "--spacing", "0.5,0.5,2")["spacing"] == [0.5, 0.5, 2]
    assert run(["convert", "s", "s.nii.gz", "--spacing", "0.25", "--from-units", "mm", "--units", "um"]) == 0
    assert np.allclose(read_volume("s.nii.gz").spacing, 250)
    assert run(["convert", "s", "t.nii.gz", "--spacing", "a"]) == 2
    Image.fromarray(np.zeros((3, 3), np.uint8)).save(tmp_path / "s" / "4.png")
    assert run(["convert", "s", "t.nii.gz"]) == 3
    assert "4.png has 3 x 3 pixels" in " ".join(capsys.readouterr().err.split())


def test_hounsfield_units_there_and_back(ball, capsys):
    write_volume("ball.nii.gz", ball)
    assert run(["convert", "ball.nii.gz", "hu.nii.gz", "--units", "hu", "--mu-water", "0.02"]) == 0
    hu = read_volume("hu.nii.gz").numpy()
    assert np.allclose(np.unique(hu), [-1000, 500], atol=1e-3)
    assert run(["convert", "hu.nii.gz", "mu.nrrd", "--from-units", "hu", "--mu-water", "0.02"]) == 0
    assert np.allclose(read_volume("mu.nrrd").numpy(), ball.numpy(), atol=1e-7)
    write_volume("padded.nrrd", Volume(torch.from_numpy(np.where(hu < 0, -3024, hu).astype(np.float32)), ball.bounds))
    capsys.readouterr()
    assert run(["convert", "padded.nrrd", "mu.nrrd", "--from-units", "hu", "--mu-water", "0.02", "--overwrite"]) == 0
    assert "were below air (-1000) and become 0" in capsys.readouterr().err
    assert read_volume("mu.nrrd").numpy().min() == 0


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--units", "hu"], "--mu-water 0.0194 for mm at 70 keV"),
        (["--units", "hu", "--mu-water", "-1"], "--mu-water"),
        (["--mu-water", "0.02"], "--units hu"),
        (["--units", "hu", "--from-units", "hu", "--mu-water", "1"], "leave both out"),
        (["--units", "hu", "--mu-water", "1", "--scale", "2"], "two steps"),
        (["--to", "jpeg"], "tiff, png"),
    ],
)
def test_units_that_make_no_sense(ball, capsys, options, said):
    write_volume("ball.nrrd", ball)
    assert run(["convert", "ball.nrrd", "x.nrrd", *options]) == 2
    assert said in " ".join(capsys.readouterr().err.split())


def test_a_run_writes_other_formats_and_hounsfield_units(ball, capsys):
    write_volume("ball.nrrd", ball)
    assert (
        run(
            ["reconstruct", "ball.nrrd", "-o", "o", "--method", "transmittance", "--views", "12", "--size", "16",
             "--preset", "draft", "--set", "gif_frames=0", "--formats", "nrrd,tif", "--units", "hu",
             "--mu-water", "0.03"]
        )
        == 0
    )  # fmt: skip
    density = read_volume("o/volume.npz").numpy()
    for name in ("o/volume_hu.nrrd", "o/volume_hu.tif"):
        assert np.allclose(read_volume(name).numpy(), 1000 * (density - 0.03) / 0.03, atol=1e-2)
    assert np.array_equal(read_volume("o/volume.tif").numpy(), density)
    assert run(["reconstruct", "ball.nrrd", "-o", "p", "--method", "transmittance", "--units", "hu"]) == 2
    assert "is not guessed" in capsys.readouterr().err
    assert run(["reconstruct", "ball.nrrd", "-o", "p", "--method", "transmittance", "--formats", "doc"]) == 2


def test_a_dicom_folder_with_two_series(tmp_path, capsys):
    pytest.importorskip("pydicom")
    from tests.io.volumes.dicom_files import write_series

    pixels = np.random.default_rng(0).integers(0, 2000, (4, 5, 6)).astype(np.int16)
    write_series(tmp_path / "ct" / "a", pixels, SeriesDescription="Thorax", SeriesNumber=1)
    write_series(tmp_path / "ct" / "b", pixels[:3], series="1.2.3.4", SeriesDescription="Bone", SeriesNumber=2)
    for command in (["inspect", "ct"], ["convert", "ct", "ct.nrrd"], ["reconstruct", "ct", "-o", "o"]):
        assert run(command) == 3
        said = " ".join(capsys.readouterr().err.split())
        assert "#1 'Thorax', CT, 4 slices" in said
        assert "#2 'Bone', CT, 3 slices, UID 1.2.3.4" in said
    assert told(capsys, "inspect", "ct#2")["samples"] == [6, 5, 3]
    assert told(capsys, "inspect", "ct#2")["series"] == {
        "uid": "1.2.3.4", "description": "Bone", "modality": "CT", "slices": 3,
    }  # fmt: skip
    assert run(["inspect", "ct#1"]) == 0
    assert "'Thorax', CT, 4 slices" in capsys.readouterr().out
    assert run(["convert", "ct#1", "ct.nrrd"]) == 0
    assert read_volume("ct.nrrd").shape == (4, 5, 6)
    assert run(["inspect", "ct#7"]) == 3


def test_a_turned_volume_becomes_a_mesh_in_its_place(ball, capsys, caplog):
    """The mesh lies where the file has the volume; put upright on purpose, so does the resampled volume."""
    turn = np.array([[0.8, -0.6, 0, 30], [0.6, 0.8, 0, -5], [0, 0, 1, 2.0]])
    turned = Volume(ball.values, ball.bounds, units=ball.units, placement=torch.from_numpy(turn))
    write_volume("turned.nrrd", turned)
    facts = told(capsys, "inspect", "turned.nrrd")
    assert facts["turned"] == pytest.approx(36.87, abs=0.01)
    assert run(["mesh", "turned.nrrd", "-o", "turned.ply"]) == 0
    from invrender.io.meshes.read import read_mesh

    centre = turned.in_world(turned.bounds.mean(0)).numpy()
    assert np.allclose(read_mesh("turned.ply").numpy()[0].mean(0), centre, atol=0.05)
    assert run(["convert", "turned.nrrd", "upright.nrrd", "--upright"]) == 0
    assert "resampled" in caplog.text
    upright = read_volume("upright.nrrd")
    assert upright.placement is None
    assert np.allclose(upright.bounds.mean(0), centre, atol=0.6)
    assert run(["evaluate", "upright.nrrd", "turned.nrrd"]) == 3


def test_a_folder_that_is_no_volume(tmp_path, capsys):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("nothing")
    assert run(["convert", "notes", "x.nrrd"]) == 3
    assert run(["inspect", "notes"]) == 3
    assert capsys.readouterr().err.count("try:") >= 1
