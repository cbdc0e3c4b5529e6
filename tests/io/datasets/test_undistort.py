"""Distorted lenses: each pixel of the undistorted picture shows what OpenCV's and COLMAP's formulas say.

The pictures are ramps of floats, whose value at a place is the place: no interpolation changes that.
"""

from __future__ import annotations

import builtins
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.projection import intrinsics
from invrender.errors import InputError
from invrender.io.datasets.dataset import read_cameras, read_dataset
from invrender.nouns import Views
from tests.io.datasets.made import edit, write_poses

SIZE = (240, 320)
FX, FY, CX, CY = 250.0, 262.0, 155.0, 127.0
LENS = {"fl_x": FX, "fl_y": FY, "cx": CX, "cy": CY, "w": 320, "h": 240}
POSES = "1 1 0 0 0 0 0 4 1 a.tif\n\n2 0.6 0 0.8 0 0 0 4 1 b.tif\n\n"


def write_ramps(folder: Path, size: tuple[int, int] = SIZE) -> None:
    """a.tif holds the column and b.tif the row of each place, divided by 320."""
    row, column = (np.mgrid[: size[0], : size[1]] + 0.5) * (SIZE[0] / size[0]) / 320
    for name, values in (("a", column), ("b", row)):
        Image.fromarray(values.astype(np.float32)).save(folder / f"{name}.tif")
        write_mask(folder.parent / "masks" if folder.name == "images" else folder / "masks", name)


def write_mask(folder: Path, name: str) -> None:
    mask = np.zeros(SIZE, np.uint8)
    mask[60:200, 90:] = 255
    folder.mkdir(exist_ok=True)
    Image.fromarray(mask).save(folder / f"{name}.png")


def write_colmap(folder: Path, camera: str) -> None:
    (folder / "sparse").mkdir(parents=True)
    (folder / "sparse" / "cameras.txt").write_text(f"1 {camera}\n")
    (folder / "sparse" / "images.txt").write_text(POSES)
    (folder / "images").mkdir()
    write_ramps(folder / "images")


def rays(views: Views) -> np.ndarray:
    """[H,W,2] the directions of the middles of the pixels at depth 1, in OpenCV's axes."""
    fx, fy, cx, cy = (float(values[0]) for values in intrinsics(views.cameras))
    y, x = np.mgrid[: views.cameras.size[0], : views.cameras.size[1]] + 0.5
    return np.stack([(x - cx) / fx, (y - cy) / fy], axis=2)


def shown(views: Views) -> tuple[np.ndarray, np.ndarray]:
    """[H,W,2] where the pixels were in the distorted picture, and [H,W] whether all of each is known."""
    assert views.images is not None
    known = torch.ones_like(views.masks) if views.confidence is None else views.confidence
    return 320 * views.images[..., 0].permute(1, 2, 0).numpy(), (known > 0.999).all(0).numpy()


def opencv(points: np.ndarray, k: list[float]) -> np.ndarray:
    """Pixels of points at depth 1, ours: the middle of the first is (0.5, 0.5)."""
    matrix = np.array([[FX, 0, CX], [0, FY, CY], [0, 0, 1]])
    flat = np.concatenate([points.reshape(-1, 2), np.ones((points[..., 0].size, 1))], axis=1)
    return cv2.projectPoints(flat, np.zeros(3), np.zeros(3), matrix, np.array(k, float))[0].reshape(points.shape)


def fisheye(points: np.ndarray, k: list[float]) -> np.ndarray:
    matrix = np.array([[FX, 0, CX], [0, FY, CY], [0, 0, 1]])
    return cv2.fisheye.distortPoints(points.reshape(1, -1, 2), matrix, np.array(k, float)).reshape(points.shape)


def field_of_view(points: np.ndarray, k: list[float]) -> np.ndarray:
    """Devernay and Faugeras, Straight lines have to be straight, 2001."""
    r = np.linalg.norm(points, axis=-1, keepdims=True)
    return points * np.arctan(2 * r * np.tan(k[0] / 2)) / (r * k[0]) * (FX, FY) + (CX, CY)


def check(views: Views, expected: np.ndarray, least: float = 0.9) -> None:
    seen, known = shown(views)
    assert known.mean() > least
    assert np.abs(seen - expected)[known].max() < 0.01


@pytest.mark.parametrize(
    ("camera", "formula", "k"),
    [
        (f"SIMPLE_RADIAL 320 240 {FX} {CX} {CY} -0.2", opencv, [-0.2, 0, 0, 0]),
        (f"RADIAL 320 240 {FX} {CX} {CY} 0.2 -0.1", opencv, [0.2, -0.1, 0, 0]),
        (f"OPENCV 320 240 {FX} {FY} {CX} {CY} -0.2 .05 .01 -.02", opencv, [-0.2, 0.05, 0.01, -0.02]),
        (
            f"FULL_OPENCV 320 240 {FX} {FY} {CX} {CY} .3 -.1 .001 .002 .03 .4 -.05 .01",
            opencv,
            [0.3, -0.1, 0.001, 0.002, 0.03, 0.4, -0.05, 0.01],
        ),
        (f"OPENCV_FISHEYE 320 240 {FX} {FY} {CX} {CY} .05 -.02 .01 .002", fisheye, [0.05, -0.02, 0.01, 0.002]),
        (f"SIMPLE_RADIAL_FISHEYE 320 240 {FX} {CX} {CY} .05", fisheye, [0.05, 0, 0, 0]),
        (f"RADIAL_FISHEYE 320 240 {FX} {CX} {CY} .05 -.02", fisheye, [0.05, -0.02, 0, 0]),
        (f"FOV 320 240 {FX} {FY} {CX} {CY} 0.8", field_of_view, [0.8]),
    ],
)
def test_colmap_models(tmp_path, monkeypatch, camera, formula, k):
    write_colmap(tmp_path, camera)
    if camera.startswith(("SIMPLE", "RADIAL")):  # they have one focal length
        monkeypatch.setitem(globals(), "FY", FX)
    views = read_dataset(tmp_path)
    check(views, formula(rays(views), k))
    assert [round(float(v[0])) for v in intrinsics(views.cameras)[:2]] == [FX, FY]
    height, width = views.cameras.size
    assert 0.7 < height / SIZE[0] < 1.6 and 0.7 < width / SIZE[1] < 1.6


@pytest.mark.parametrize(
    ("fields", "formula", "k"),
    [
        ({"k1": -0.2, "k2": 0.05, "p1": 0.01, "p2": -0.02}, opencv, [-0.2, 0.05, 0.01, -0.02]),
        ({"camera_model": "OPENCV", "k1": 0.1, "k3": 0.1, "k6": 0.05}, opencv, [0.1, 0, 0, 0, 0.1, 0, 0, 0.05]),
        ({"camera_model": "OPENCV_FISHEYE", "k1": 0.05, "k4": 0.01}, fisheye, [0.05, 0, 0, 0.01]),
        ({"is_fisheye": True, "k2": -0.02}, fisheye, [0, -0.02, 0, 0]),
        ({"is_fisheye": True}, fisheye, [0, 0, 0, 0]),
    ],
)
@pytest.mark.parametrize("per_frame", [False, True])
def test_transforms_of_the_file_and_of_frames(tmp_path, fields, formula, k, per_frame):
    write_poses(tmp_path, ["a.tif", "b.tif"], **({} if per_frame else {**LENS, **fields}))
    if per_frame:
        edit(tmp_path, lambda table: [frame.update({**LENS, **fields}) for frame in table["frames"]])
    write_ramps(tmp_path)
    views = read_dataset(tmp_path)
    check(views, formula(rays(views), k))


def test_scaled_down_the_picture_still_fits_its_camera(tmp_path):
    """A lens told for a picture of half the size, read at a quarter: the average of a ramp is its middle."""
    write_poses(tmp_path, ["a.tif", "b.tif"], **LENS, k1=-0.1, p1=0.01)
    write_ramps(tmp_path, (480, 640))
    views = read_dataset(tmp_path, size=160)
    assert max(views.cameras.size) == 160
    seen, known = shown(views)
    inner = known.copy()
    inner[[0, -1]], inner[:, [0, -1]] = False, False
    assert np.abs(seen - opencv(rays(views), [-0.1, 0, 0.01, 0]))[inner].max() < 0.02  # the lens bends within a pixel


def test_what_the_picture_lacks_is_unknown(tmp_path):
    """A strong barrel folds back on itself: beyond, nothing is known, and nothing is shown twice."""
    write_poses(tmp_path, ["a.tif", "b.tif"], **{**LENS, "fl_x": 150.0, "fl_y": 150.0}, k1=-0.3)
    write_ramps(tmp_path)
    views = read_dataset(tmp_path)
    assert views.confidence is not None
    fold = np.linalg.norm(rays(views), axis=2) > 1 / np.sqrt(0.9)  # where d(r - .3 r^3)/dr = 0
    assert bool((views.confidence[0].numpy()[fold] == 0).all())
    assert float(views.confidence.mean()) > 0.7


def test_masks_are_undistorted_as_their_pictures(tmp_path):
    """A mask that is the object's half-plane in the distorted picture ends where the ramp says so."""
    write_poses(tmp_path, ["a.tif", "b.tif"], **LENS, k1=-0.2)
    write_ramps(tmp_path)
    views = read_dataset(tmp_path)
    seen, known = shown(views)
    inside = (seen[..., 0] > 91) & (seen[..., 1] > 61) & (seen[..., 1] < 199)
    outside = (seen[..., 0] < 89) | (seen[..., 1] < 59) | (seen[..., 1] > 201)
    assert float(views.masks[0].numpy()[inside & known].min()) > 0.999
    assert float(views.masks[0].numpy()[outside & known].max()) < 0.001


def test_without_the_package_the_extra_is_named(tmp_path, monkeypatch):
    write_poses(tmp_path, ["a.tif", "b.tif"], **LENS, k1=-0.21)
    write_ramps(tmp_path)
    real = builtins.__import__

    def missing(name, *rest, **options):
        if name == "pycolmap":
            raise ImportError(name)
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(InputError, match=r"-0\.21.*takes pycolmap") as error:
        read_dataset(tmp_path)
    assert 'pip install "invrender[photos]"' in error.value.remedy


def test_cameras_alone_are_pinholes_and_it_is_said(tmp_path, caplog):
    write_poses(tmp_path, ["a.tif", "b.tif"], **LENS, k1=-0.2)
    cameras = read_cameras(tmp_path, SIZE)
    assert float(intrinsics(cameras)[0][0]) == FX
    assert "left out" in caplog.text


def test_zero_distortion_is_no_distortion(tmp_path):
    write_poses(tmp_path, ["a.tif", "b.tif"], **LENS, camera_model="OPENCV", k1=0.0, k2=0, p1=0, p2=0)
    write_ramps(tmp_path)
    views = read_dataset(tmp_path)
    assert views.cameras.size == SIZE and views.confidence is None
