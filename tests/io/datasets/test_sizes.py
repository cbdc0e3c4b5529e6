"""Pictures against the size that their intrinsics are for: scaled, turned, swapped, cropped."""

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.projection import intrinsics
from invrender.errors import InputError
from invrender.io.datasets.dataset import read_dataset
from invrender.io.datasets.transmittance import read_transmittance
from tests.io.datasets.made import SIZE, disc, edit, write_poses, write_rgba

FILES = ["a.png", "b.png", "c.png"]
FULL = {"fl_x": 40.0, "fl_y": 42.0, "cx": 15.0, "cy": 12.5, "w": 32, "h": 24}


def lens(views) -> list[float]:
    return [float(values[0]) for values in intrinsics(views.cameras)]


def write_set(folder, size=SIZE, **fields) -> None:
    write_poses(folder, FILES, **{**FULL, **fields})
    for file in FILES:
        write_rgba(folder / file, size)


@pytest.mark.parametrize(("size", "factor"), [((48, 64), 2), ((12, 16), 0.5), ((25, 33), 33 / 32)])
def test_scaled_copies_take_scaled_intrinsics_and_it_is_said(tmp_path, caplog, size, factor):
    write_set(tmp_path, size)
    with caplog.at_level(logging.INFO):
        views = read_dataset(tmp_path)
    assert views.cameras.size == size
    assert np.allclose(lens(views), np.array([40, 42, 15, 12.5]) * factor, rtol=0.02)
    assert f"intrinsics of 32 x 24 pixels are scaled to pictures of {size[1]} x {size[0]} (a and 2 more)" in caplog.text


def test_one_side_alone_tells_the_scale_of_both(tmp_path):
    write_set(tmp_path, (48, 64))
    edit(tmp_path, lambda table: table.pop("h"))
    assert np.allclose(lens(read_dataset(tmp_path)), [80, 84, 30, 25])


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"w": 24, "h": 32}, "of 24 x 32 pixels, but its picture is 32 x 24: width and height are swapped"),
        ({"w": 32, "h": 32}, "of 32 x 32 pixels, but its picture is 32 x 24: one is no scaled copy"),
        ({"w": 1920, "h": 1080}, "of 1920 x 1080 pixels, but its picture is 32 x 24"),
        ({"w": None, "h": None, "cx": 64.0, "cy": 48.0}, "the middle of a picture of 128 x 96 pixels"),
        ({"fl_x": 1e-300}, "focal lengths 1e-300, 42 of a are impossible"),
        ({"cx": 1e100}, r"principal point \(1e\+100, 12.5\) of a is nowhere near"),
    ],
)
def test_other_intrinsics_are_refused(tmp_path, fields, words):
    write_set(tmp_path, **fields)
    with pytest.raises(InputError, match=words) as error:
        read_dataset(tmp_path)
    assert error.value.remedy


def test_principal_points_off_the_middle_need_no_size(tmp_path):
    write_set(tmp_path, w=None, h=None, cx=20.0, cy=3.0)
    assert np.allclose(lens(read_dataset(tmp_path)), [40, 42, 20, 3])


def test_transmittance_is_checked_as_well(tmp_path):
    write_poses(tmp_path, ["a.npy", "b.npy"], kind="transmittance", w=24, h=32)
    for name in ("a.npy", "b.npy"):
        np.save(tmp_path / name, np.ones(SIZE, np.float32))
    with pytest.raises(InputError, match="swapped"):
        read_transmittance(tmp_path)


def write_photos(folder, orientation: int, stored: np.ndarray, **fields) -> None:
    """JPEG photographs whose pixels lie as `stored` [H,W], with masks of the upright disc."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    files = ["a.jpg", "b.jpg", "c.jpg"]
    write_poses(folder, files, **fields)
    (folder / "masks").mkdir()
    for file in files:
        grey = (stored * 255).astype(np.uint8)
        Image.fromarray(grey).convert("RGB").save(folder / file, exif=exif, quality=95)
        Image.fromarray(disc((32, 24))).save(folder / "masks" / f"{file[0]}.png")


LYING = {6: np.rot90(disc((32, 24)), 1), 8: np.rot90(disc((32, 24)), -1)}
UPRIGHT = {"w": 24, "h": 32, "cx": 12.0, "cy": 16.0}


@pytest.mark.parametrize("orientation", LYING)
@pytest.mark.parametrize("fields", [UPRIGHT, {}], ids=["by w and h", "by the masks"])
def test_photographs_that_lie_are_turned_to_fit(tmp_path, caplog, orientation, fields):
    write_photos(tmp_path, orientation, LYING[orientation], **fields)
    views = read_dataset(tmp_path)
    assert views.cameras.size == (32, 24)
    assert views.images is not None
    assert torch.equal(views.images[0, ..., 0] > 0.2, torch.from_numpy(disc((32, 24))))
    assert torch.equal(views.masks[0] > 0.5, torch.from_numpy(disc((32, 24))))
    assert "turned as their Exif orientation says" in caplog.text


def test_masks_that_lie_as_well_follow_their_photographs(tmp_path):
    write_photos(tmp_path, 6, LYING[6], **UPRIGHT)
    for name in "abc":
        Image.fromarray(np.ascontiguousarray(LYING[6])).save(tmp_path / "masks" / f"{name}.png")
    assert torch.equal(read_dataset(tmp_path).masks[0] > 0.5, torch.from_numpy(disc((32, 24))))


def test_photographs_whose_poses_fit_the_stored_pixels_stay_as_they_are(tmp_path, caplog):
    """COLMAP does not look at Exif's orientation: its intrinsics are of the pixels as they lie."""
    write_photos(tmp_path, 6, disc(), w=32, h=24)
    for name in "abc":
        Image.fromarray(disc()).save(tmp_path / "masks" / f"{name}.png")
    views = read_dataset(tmp_path)
    assert views.images is not None
    assert torch.equal(views.images[0, ..., 0] > 0.2, torch.from_numpy(disc()))
    assert "Exif orientation 6 is not applied (a and 2 more)" in caplog.text


def test_masks_of_another_resolution_are_scaled(tmp_path):
    write_set(tmp_path)
    for name in "abc":
        (tmp_path / "masks").mkdir(exist_ok=True)
        Image.fromarray(disc((48, 64))).save(tmp_path / "masks" / f"{name}.png")
    masks = read_dataset(tmp_path, tmp_path / "masks").masks
    assert masks.shape == (3, *SIZE)
    assert float(masks.mean()) == pytest.approx(disc().mean(), rel=0.03)
