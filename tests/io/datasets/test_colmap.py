"""COLMAP models against the same cameras written by hand, as text and as bytes."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from invrender.cameras.projection import intrinsics
from invrender.cameras.rigs import rig
from invrender.errors import InputError
from invrender.io.datasets.dataset import is_dataset, read_dataset
from invrender.io.images import write_png

SIZE = (24, 32)
CAMERAS = rig("sphere", 4, (0.5, 1, -2), 1.2, SIZE)


def poses() -> list[tuple[np.ndarray, np.ndarray]]:
    """(quaternion w x y z, shift) of each camera in OpenCV's axes."""
    flip = np.diag([1.0, -1, -1])
    matrices = CAMERAS.world_to_camera.numpy()
    return [(np.roll(Rotation.from_matrix(flip @ m[:3, :3]).as_quat(), 1), flip @ m[:3, 3]) for m in matrices]


def write_images(folder: Path) -> None:
    mask = np.zeros(SIZE)
    mask[8:16, 8:20] = 1
    for i in range(4):
        write_png(folder / "images" / f"photo{i}.png", np.dstack([np.zeros((*SIZE, 3)), mask]))


def write_text(model: Path, camera: str) -> None:
    model.mkdir(parents=True)
    (model / "cameras.txt").write_text(f"# Camera list\n{camera}\n")
    lines = ["# Image list", "# POINTS2D"]
    for i, (q, t) in reversed(list(enumerate(poses()))):
        lines += [
            f"{i + 1} {' '.join(map(repr, [*q.tolist(), *t.tolist()]))} 7 photo{i}.png",
            "" if i % 2 else "1 2 -1",
        ]
    (model / "images.txt").write_text("\n".join(lines) + "\n")


def write_binary(model: Path, number: int = 7, damage: float = 0) -> None:
    """A binary model; `number` is what the images call the camera, `damage` is added to the first pose."""
    model.mkdir(parents=True)
    fx, fy, cx, cy = (float(v[0]) for v in intrinsics(CAMERAS))
    camera = struct.pack("<Q", 1) + struct.pack("<iiQQ4d", 7, 1, SIZE[1], SIZE[0], fx, fy, cx, cy)
    (model / "cameras.bin").write_bytes(camera)
    content = struct.pack("<Q", 4)
    for i, (q, t) in enumerate(poses()):
        content += struct.pack("<i7di", i, *q, *(t + damage * (i == 0)), number) + f"photo{i}.png".encode() + b"\0"
        content += struct.pack("<Q", i) + struct.pack("<ddq", 1, 2, -1) * i
    (model / "images.bin").write_bytes(content)


def pinhole(model: str = "PINHOLE", extra: str = "") -> str:
    fx, fy, cx, cy = (float(v[0]) for v in intrinsics(CAMERAS))
    focal = f"{fx!r} {fy!r}" if model in ("PINHOLE", "OPENCV") else f"{fx!r}"
    return f"7 {model} {SIZE[1]} {SIZE[0]} {focal} {cx!r} {cy!r} {extra}".strip()


def check(folder: Path) -> None:
    assert is_dataset(folder)
    views = read_dataset(folder)
    assert views.names == ("photo0", "photo1", "photo2", "photo3")
    assert torch.allclose(views.cameras.world_to_camera, CAMERAS.world_to_camera, atol=1e-12)
    keep = [0, 1, 3]  # near and far are not COLMAP's
    assert torch.allclose(views.cameras.projection[:, keep], CAMERAS.projection[:, keep], atol=1e-12)


@pytest.mark.parametrize("place", ["sparse/0", "sparse/2", "sparse", "."])
@pytest.mark.parametrize(
    "camera",
    [pinhole(), pinhole("SIMPLE_PINHOLE"), pinhole("SIMPLE_RADIAL", "0"), pinhole("OPENCV", "0 0 0 0")],
)
def test_text_models(tmp_path, place, camera):
    write_images(tmp_path / "set")
    if place == ".":
        (tmp_path / "set").rename(tmp_path / "photos")
    write_text(tmp_path / "set" / place, camera)
    if place == ".":
        (tmp_path / "photos" / "images").rename(tmp_path / "set" / "images")
    check(tmp_path / "set")


def test_a_dataset_within_the_folder_that_was_named_is_suggested(tmp_path):
    write_images(tmp_path / "dense")
    write_text(tmp_path / "dense" / "sparse", pinhole())
    with pytest.raises(InputError) as error:
        read_dataset(tmp_path)
    assert f"did you mean {tmp_path / 'dense'}?" in error.value.remedy


def test_binary_models(tmp_path):
    write_images(tmp_path)
    write_binary(tmp_path / "sparse" / "0")
    check(tmp_path)


@pytest.mark.parametrize(
    ("camera", "word"),
    [
        ("7 EQUIRECTANGULAR 32 24 32 24", "all around"),
        (pinhole("CUBIC"), "CUBIC is unknown"),
        (pinhole("PINHOLE", "1"), "4 parameters, not 5"),
        ("7 PINHOLE 32", "line 2 is no camera: 7 PINHOLE 32"),
        (pinhole().replace("7", "8", 1), "no camera 7 in cameras.txt, which lists 8"),
    ],
)
def test_unusable_text_models_are_refused(tmp_path, camera, word):
    write_images(tmp_path)
    write_text(tmp_path / "sparse" / "0", camera)
    with pytest.raises(InputError, match=word) as error:
        read_dataset(tmp_path)
    assert error.value.remedy


@pytest.mark.parametrize("lost", [8, 40, 120, 200])
def test_cut_binary_models_are_refused(tmp_path, lost):
    write_images(tmp_path)
    write_binary(tmp_path / "sparse" / "0")
    file = tmp_path / "sparse" / "0" / "images.bin"
    file.write_bytes(file.read_bytes()[:-lost])
    with pytest.raises(InputError, match="damaged"):
        read_dataset(tmp_path)


@pytest.mark.parametrize(
    ("number", "damage", "words"),
    [
        (8, 0, r"images.bin, image 0 \(photo0.png\): there is no camera 8 in cameras.bin, which lists 7"),
        (7, float("nan"), r"images.bin, image 0 \(photo0.png\): its translation is \(nan, nan, nan\)"),
        (7, 1e300, r"images.bin, image 0 \(photo0.png\): its translation is \(1e\+300"),
    ],
)
def test_damaged_numbers_of_binary_models_are_named(tmp_path, number, damage, words):
    write_images(tmp_path)
    write_binary(tmp_path / "sparse" / "0", number, damage)
    with pytest.raises(InputError, match=words):
        read_dataset(tmp_path)


@pytest.mark.parametrize("quaternion", ["1e200 0 0 0", "0 0 inf 0"])
def test_quaternions_beyond_numbers(tmp_path, quaternion):
    write_images(tmp_path)
    write_text(tmp_path / "sparse", pinhole())
    file = tmp_path / "sparse" / "images.txt"
    lines = file.read_text().splitlines()
    lines[2] = f"4 {quaternion} 0 0 1 7 photo3.png"
    file.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"line 3 .* is no rotation"):
        read_dataset(tmp_path)
