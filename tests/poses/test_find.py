"""From photographs to a dataset, through `invrender poses`."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from invrender.cli.app import run
from invrender.poses.photographs import is_bare_photographs
from invrender.poses.similarity import align, compare
from tests.conftest import cli_environment
from tests.poses.made import HALF, ring, write_photographs

CAMERAS = ring(9, 0, 80, distance=4.0)


@pytest.fixture(scope="module")
def photos(tmp_path_factory):
    """Nine pictures of a box (one turned by Exif, without alpha), one of another thing, a damaged one, and a text."""
    folder = tmp_path_factory.mktemp("bare") / "photos"
    write_photographs(folder, CAMERAS, focal=265.0)
    exif = Image.Exif()
    exif[0x0112] = 6
    opaque = Image.open(folder / "view_03.png").convert("RGB").transpose(Image.Transpose.ROTATE_90)
    opaque.save(folder / "view_03.jpg", exif=exif, quality=95)
    (folder / "view_03.png").unlink()
    write_photographs(folder / "other", ring(1), focal=265.0, seed=7)
    (folder / "notes.txt").write_text("by the window")
    (folder / "cut.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    return folder


def _matrices(table):
    frames = [frame for frame in table["frames"] if frame["file_path"].startswith("images/view")]
    indices = [int(frame["file_path"][-6:-4]) for frame in frames]
    return indices, np.array([frame["transform_matrix"] for frame in frames])


def test_cameras_box_and_scale_of_pictures_of_a_box(photos, tmp_path, capsys):
    assert is_bare_photographs(photos)
    out = tmp_path / "dataset"
    apart = float(np.linalg.norm(CAMERAS[2, :3, 3] - CAMERAS[7, :3, 3]))
    arguments = ["poses", str(photos), "-o", str(out), "--json", "--scale-by", f"view_02.png,view_07.png,{apart}"]
    assert run(arguments) == 0
    said = capsys.readouterr()
    report = json.loads(said.out)
    assert len(report["placed"]) >= 8, report
    assert report["unit"] == "metre"
    assert "view_03.jpg" in report["placed"]
    assert report["masked"] == len(report["placed"]) - 1
    assert "no overlap" in report["unplaced"]["other/view_00.png"]
    assert set(report["skipped"]) == {"notes.txt", "cut.jpg"}
    assert "cut.jpg" in said.err

    table = json.loads((out / "transforms.json").read_text())
    indices, found = _matrices(table)
    difference = compare(found, CAMERAS[indices])
    assert difference.position.max() < 0.05  # of few small pictures of a small thing
    assert difference.angle.max() < 4
    assert table["fl_x"] == pytest.approx(265, rel=0.08)
    to_truth = align(found[:, :3, 3], CAMERAS[indices][:, :3, 3])
    assert to_truth.scale == pytest.approx(1, rel=0.05)  # metres
    assert np.abs(to_truth.rotation[:, 1] - (0, 1, 0)).max() < 0.05  # +Y is up
    corners = to_truth.points(np.array(np.meshgrid(*np.array(table["bounds"]).T)).reshape(3, -1).T)
    assert (corners.min(0) < -0.9 * HALF).all()
    assert (corners.max(0) > 0.9 * HALF).all()
    assert (np.array(table["bounds"])[1] - np.array(table["bounds"])[0]).max() < 2 * 1.6 * np.linalg.norm(HALF)

    assert (out / "images" / "view_00.png").read_bytes() == (photos / "view_00.png").read_bytes()
    with Image.open(out / "images" / "view_03.jpg") as upright:
        assert 0x0112 not in upright.getexif()
    assert (out / "points.ply").read_bytes().startswith(b"ply\nformat binary_little_endian")
    assert Counter(path.name for path in tmp_path.iterdir()) == {"dataset": 1}  # no temporary folder is left
    assert not is_bare_photographs(out)

    assert run(["poses", str(photos), "-o", str(out)]) == 6


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 75)])
def test_a_search_that_is_stopped_leaves_nothing(photos, tmp_path, number, code):
    command = [sys.executable, "-m", "invrender.cli.app", "poses", str(photos), "-o", str(tmp_path / "out")]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=cli_environment()) as process:
        assert process.stderr is not None
        assert "pictures" in process.stderr.readline()  # the work has begun
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == code, said
    assert not list(tmp_path.iterdir())


def test_pictures_of_different_things_are_refused_and_nothing_is_left(tmp_path, capsys):
    for seed in range(3):
        write_photographs(tmp_path / "photos" / str(seed), ring(1), seed=seed, size=120, focal=165.0)
    assert run(["poses", str(tmp_path / "photos"), "-o", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert "no two of the 3 pictures" in said
    assert "try: take more pictures" in said
    assert [path.name for path in tmp_path.iterdir()] == ["photos"]


def test_too_few_pictures_say_what_could_not_be_used(tmp_path, capsys):
    Image.new("RGB", (40, 30)).save(tmp_path / "one.png")
    (tmp_path / "phone.HEIC").write_bytes(b"....ftypheic")
    assert run(["poses", str(tmp_path), "-o", str(tmp_path / "out")]) == 3
    said = capsys.readouterr().err
    assert "1 usable picture" in said
    assert "phone.HEIC" in said
    assert "convert it to JPEG" in said


def test_what_is_not_ours_is_never_replaced(tmp_path, capsys):
    Image.new("RGB", (40, 30)).save(tmp_path / "one.png")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("years of work")
    assert run(["poses", str(tmp_path), "-o", str(tmp_path / "out"), "--overwrite"]) == 6
    assert "thesis.txt" in capsys.readouterr().err
    assert run(["poses", str(tmp_path), "-o", str(tmp_path), "--overwrite"]) == 6


def test_a_missing_package_is_named_with_the_way_to_get_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "pycolmap", None)
    assert run(["poses", str(tmp_path), "-o", str(tmp_path / "out")]) == 4
    assert 'pip install "invrender[photos]"' in capsys.readouterr().err
