"""Datasets in every format say the same; COLMAP itself reads what is written for it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pycolmap
import pytest
import torch
from PIL import Image

from invrender.errors import InputError, OutputExistsError, UsageError
from invrender.io.datasets.convert import FORMATS, convert
from invrender.io.datasets.dataset import read_dataset
from tests.io.datasets.made import SIZE, disc, edit, write_poses, write_rgba

LENS = {"fl_x": 40.0, "fl_y": 42.0, "cx": 15.0, "cy": 12.5, "w": 32, "h": 24}
FILES = ["train/a.png", "images/b.png", "c.jpg"]


@pytest.fixture
def source(tmp_path) -> Path:
    """Two RGBA pictures and a JPEG with a mask, one of them held out."""
    folder = tmp_path / "set"
    write_poses(folder, FILES, **LENS, near=1.0, far=9.0, bounds=[[-1, -1, -1], [1, 1, 1]], test_filenames=[FILES[1]])
    for file in FILES[:2]:
        write_rgba(folder / file)
    Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(folder / "c.jpg")
    (folder / "masks").mkdir()
    Image.fromarray(disc()).save(folder / "masks" / "c.png")
    return folder


def in_order(views) -> list[int]:
    """By the last parts of the names, which all formats keep."""
    return sorted(range(len(views)), key=lambda i: Path(views.names[i]).name)


def same(first, second, digits: float = 1e-12) -> None:
    a, b = first[in_order(first)], second[in_order(second)]
    keep = [0, 1, 3]  # not every format has near and far
    assert torch.allclose(a.cameras.world_to_camera, b.cameras.world_to_camera, rtol=0, atol=digits)
    assert torch.allclose(a.cameras.projection[:, keep], b.cameras.projection[:, keep], rtol=0, atol=digits)


@pytest.mark.parametrize("to", FORMATS)
def test_every_format_says_the_same(source, tmp_path, to):
    before = read_dataset(source)
    done = convert(source, tmp_path / "new", to)
    assert (done.views, done.undistorted, done.masks, done.held_out) == (3, 0, 1, 1)
    assert all(path.is_file() for path in done.poses)
    after = read_dataset(tmp_path / "new")
    same(before, after)
    order, others = in_order(before), in_order(after)
    assert torch.equal(before.masks[order], after.masks[others])
    assert before.images is not None and after.images is not None
    assert torch.equal(before.images[order], after.images[others])
    assert (source / "c.jpg").read_bytes() == (tmp_path / "new" / "images" / "c.jpg").read_bytes()
    if to != "middlebury":
        assert [after.names[i].rpartition("/")[2] for i in after.held_out] == ["b"]
    if to in ("transforms", "nerfstudio", "cameras"):
        assert after.bounds is not None


@pytest.mark.parametrize("kind", ["colmap", "colmap-text"])
@pytest.mark.parametrize(
    ("fields", "model"),
    [
        ({}, "PINHOLE"),
        ({"k1": -0.1, "p2": 0.01}, "OPENCV"),
        ({"k1": 0.1, "k5": 0.01}, "FULL_OPENCV"),
        ({"is_fisheye": True, "k2": 0.01}, "OPENCV_FISHEYE"),
    ],
)
def test_colmap_reads_what_is_written(source, tmp_path, kind, fields, model):
    edit(source, lambda table: table.update(fields))
    convert(source, tmp_path / "new", kind)
    found = pycolmap.Reconstruction(tmp_path / "new" / "sparse" / "0")
    camera = found.cameras[1]
    assert camera.model.name == model
    assert camera.params[:4].tolist() == [40, 42, 15, 12.5]
    point = np.array([0.2, -0.1, 0.3])
    for image in found.images.values():
        if image.name == "c.jpg":  # the last on the ring: 240 degrees
            x, y, z = image.cam_from_world() * point
    angle = np.radians(240)
    c, s = np.cos(angle), np.sin(angle)
    right, back = np.array([c, 0, -s]), np.array([s, 0, c])
    assert np.allclose([x, y, z], [right @ point, -point[1], -(back @ point - 4)])


@pytest.mark.parametrize("to", FORMATS)
def test_distorted_lenses_survive_or_are_undistorted(source, tmp_path, to):
    edit(source, lambda table: table.update(k1=-0.05, k2=0.02, p1=0.003))
    done = convert(source, tmp_path / "new", to)
    assert done.undistorted == (3 if to == "middlebury" else 0)
    same(read_dataset(source), read_dataset(tmp_path / "new"))
    straight = convert(source, tmp_path / "straight", to, undistort=True)
    assert straight.undistorted == 3
    same(read_dataset(source), read_dataset(tmp_path / "straight"))


def test_lenses_that_nerfstudio_lacks_are_undistorted(source, tmp_path):
    edit(source, lambda table: table.update(k1=-0.05, k6=0.01))
    assert convert(source, tmp_path / "a", "nerfstudio").undistorted == 3
    assert convert(source, tmp_path / "b", "transforms").undistorted == 0
    assert json.loads((tmp_path / "b" / "transforms.json").read_text())["camera_model"] == "FULL_OPENCV"


def test_turned_photographs_are_written_upright(tmp_path):
    folder = tmp_path / "set"
    write_poses(folder, ["a.jpg", "b.jpg"], **{**LENS, "w": 24, "h": 32, "cx": 12, "cy": 16})
    exif = Image.Exif()
    exif[0x0112] = 6
    for name in "ab":
        picture = np.rot90(np.repeat(disc((32, 24))[..., None], 3, axis=2)).astype(np.uint8) * 200
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / f"{name}.jpg", quality=98, exif=exif)
    done = convert(folder, tmp_path / "new", "colmap")
    assert done.turned == 2
    written = np.asarray(Image.open(tmp_path / "new" / "images" / "a.png"))
    assert np.array_equal(written[..., 0] > 100, disc((32, 24)))


def test_what_is_there_stays_unless_told_otherwise(source, tmp_path):
    convert(source, tmp_path / "new", "cameras")
    with pytest.raises(OutputExistsError, match="holds something"):
        convert(source, tmp_path / "new", "colmap")
    convert(source, tmp_path / "new", "cameras", overwrite=True)
    with pytest.raises(UsageError, match="is the dataset itself"):
        convert(source, source, "colmap", overwrite=True)
    with pytest.raises(UsageError, match="no format 'polycam'"):
        convert(source, tmp_path / "other", "polycam")
    (source / "c.jpg").unlink()
    with pytest.raises(InputError, match="1 of 3 files are missing"):
        convert(source, tmp_path / "other", "colmap")
    assert convert(source, tmp_path / "other", "colmap", skip_missing=True).views == 2
