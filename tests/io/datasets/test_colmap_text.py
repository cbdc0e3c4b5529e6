"""COLMAP's text files as people strip, edit and write them, and every damage named with its file and line."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from invrender.errors import InputError
from invrender.io.datasets.dataset import is_dataset, read_dataset
from tests.io.datasets.made import write_rgba

CAMERA = "1 PINHOLE 32 24 40 41 16 12\n"
HEAD = "# Image list with two lines of data per image:\n#   IMAGE_ID, QW, ...\n"
POINTS = "10.5 20.5 -1 30.0 40.0 7"
COUNT = 4


def pose(index: int, name: str = "v{}.png", camera: int = 1) -> str:
    """The camera 5 units in front of the origin, turned about the y axis."""
    half = math.pi * index / COUNT
    return f"{index + 1} {math.cos(half)!r} 0 {math.sin(half)!r} 0 0 0 5 {camera} {name.format(index)}"


def write_model(folder: Path, images: str, cameras: str = CAMERA, place: str = "sparse/0") -> None:
    (folder / place).mkdir(parents=True, exist_ok=True)
    (folder / place / "cameras.txt").write_bytes(cameras.encode())
    (folder / place / "images.txt").write_bytes(images.encode())


def write_images(folder: Path, name: str = "images/v{}.png") -> None:
    for i in range(COUNT):
        write_rgba(folder / name.format(i))


LINES = [pose(i) for i in range(COUNT)]
LAYOUTS = {
    "with points": HEAD + "".join(f"{line}\n{POINTS}\n" for line in LINES),
    "without points": HEAD + "".join(f"{line}\n\n" for line in LINES),
    "stripped of blank lines": HEAD + "".join(f"{line}\n" for line in LINES),
    "with two blank lines": HEAD + "".join(f"{line}\n\n\n" for line in LINES),
    "blank lines before points": HEAD + "".join(f"{line}\n\n{POINTS}\n\n" for line in LINES),
    "some with points": f"{LINES[0]}\n{LINES[1]}\n{POINTS}\n\n{LINES[2]}\n\n{LINES[3]}\n{POINTS}",
    "cut after the last pose": HEAD + "\n\n".join(LINES),
    "comments between": "".join(f"  # view {i}\n{line}\n# points\n{POINTS}\n" for i, line in enumerate(LINES)),
    "carriage returns": HEAD.replace("\n", "\r\n") + "".join(f"{line}\r\n{POINTS}\r\n" for line in LINES),
    "tabs, a mark and spaces": "\ufeff" + "".join("\t" + line.replace(" ", "\t") + "  \n" for line in LINES),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts_give_every_view_its_pose(tmp_path, layout):
    write_images(tmp_path)
    write_model(tmp_path, LAYOUTS[layout])
    views = read_dataset(tmp_path)
    assert views.names == ("v0", "v1", "v2", "v3")
    assert torch.allclose(views.cameras.position.norm(dim=1), torch.full((COUNT,), 5.0).double())
    assert torch.allclose(views.cameras.position[1], torch.tensor([5.0, 0, 0]).double(), atol=1e-9)


NAMES = {
    "spaces": ("photo number {}.png", "images/photo number {}.png"),
    "numbers": ("{}", "images/{}.png"),
    "folders": ("left cam/v{}.png", "images/left cam/v{}.png"),
    "folders that are gone": ("capture/v{}.png", "images/v{}.png"),
    "folders that are left out": ("v{}.png", "images/left/v{}.png"),
    "another case": ("V{}.PNG", "images/v{}.png"),
    "beside the model": ("v{}.png", "v{}.png"),
    "smaller copies": ("images/v{}.png", "images_2/v{}.png"),
    "smaller copies alone": ("v{}.png", "images_2/v{}.png"),
}


@pytest.mark.parametrize("kind", NAMES)
def test_names_are_found(tmp_path, kind):
    name, there = NAMES[kind]
    write_images(tmp_path, there)
    write_model(tmp_path, "".join(f"{pose(i, name)}\n{POINTS}\n" for i in range(COUNT)))
    assert len(read_dataset(tmp_path).cameras) == COUNT


def test_smaller_copies_take_scaled_intrinsics(tmp_path):
    for i in range(COUNT):
        write_rgba(tmp_path / "images_2" / f"v{i}.png", (12, 16))
    write_model(tmp_path, LAYOUTS["with points"])
    views = read_dataset(tmp_path)
    assert views.cameras.size == (12, 16)
    assert float(views.cameras.projection[0, 0, 0]) == pytest.approx(2 * 40 / 32)


@pytest.mark.parametrize("model", ["pinhole 32 24 40 40", "Simple_Pinhole 32 24 40", "SIMPLE_PINHOLE 32 24 40"])
def test_models_in_any_case(tmp_path, model):
    write_images(tmp_path)
    write_model(
        tmp_path, LAYOUTS["with points"], f"\n# again\n1 {model} 16 12\n\n2 SIMPLE_PINHOLE 640 480 500 320 240\n"
    )
    assert float(read_dataset(tmp_path).cameras.projection[0, 0, 0]) == pytest.approx(2 * 40 / 32)


BAD_POSES = {
    "unknown camera": (pose(1, camera=9), r"images.txt, line 2 \(v1.png\): there is no camera 9.*lists 1"),
    "nan quaternion": ("2 nan 0 0 1 0 0 5 1 v1.png", r"line 2 \(v1.png\): its quaternion \(nan, 0, 0, 1\)"),
    "no quaternion": ("2 0 0 0 0 0 0 5 1 v1.png", r"line 2 \(v1.png\): its quaternion \(0, 0, 0, 0\)"),
    "nan translation": ("2 1 0 0 0 0 nan 5 1 v1.png", r"line 2 \(v1.png\): its translation is \(0, nan, 5\)"),
    "infinite translation": ("2 1 0 0 0 0 1e999 5 1 v1.png", r"line 2 \(v1.png\): its translation is \(0, inf, 5\)"),
    "no name": ("2 0.7 0.1 0.7 0 0 0 5 1", "line 2 is neither a pose nor the points of one"),
    "a number lost": ("2 1 0 0 0 0 0 1 v1.png", "line 2 is neither a pose nor the points of one"),
    "text": ("2 1 0 0 zero 0 0 5 1 v1.png", "line 2 is neither a pose nor the points of one"),
    "odd points": (f"{POINTS} 5.5", "line 2 is neither a pose nor the points of one"),
    "points twice": (f"{POINTS}\n{POINTS}", "line 3 is no pose"),
    "escapes": ("2 1 0 0 0 0 0 1 \x1b[31m", r"line 2 is .*\\x1b\[31m"),
}


@pytest.mark.parametrize("fault", BAD_POSES)
def test_damaged_poses_are_named_with_their_line(tmp_path, fault):
    line, words = BAD_POSES[fault]
    write_images(tmp_path)
    write_model(tmp_path, "\n".join([LINES[0], line, *LINES[2:]]))
    with pytest.raises(InputError, match=words) as error:
        read_dataset(tmp_path)
    assert error.value.remedy


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        ("1 PINHOLE 32 24 0 40 16 12", "cameras.txt, line 1: a PINHOLE camera of 0, 40, 16, 12 is impossible"),
        ("1 PINHOLE 32 24 -40 40 16 12", "a PINHOLE camera of -40"),
        ("1 PINHOLE 32 24 inf 40 16 12", "a PINHOLE camera of inf"),
        ("1 PINHOLE 32 24 40 40 nan 12", "a PINHOLE camera of 40, 40, nan"),
        ("1 PINHOLE 0 24 40 40 16 12", "a camera of 0 x 24 pixels is impossible"),
        ("1 PINHOLE 32 24 40 40 16", "cameras.txt, line 1: a PINHOLE camera has 4 parameters, not 3"),
        ("1 PINHOLE wide 24 40 40 16 12", "cameras.txt, line 1 is no camera"),
        ("1 SIMPLE_RADIAL 32 24 40 16 12 nan", "a SIMPLE_RADIAL camera of 40, 16, 12, nan"),
        (f"{CAMERA}1 PINHOLE 32 24 50 50 16 12", "line 2: camera 1 is there twice"),
        ("", "there is no camera 1 in cameras.txt, which lists none"),
    ],
)
def test_damaged_cameras_are_named_with_their_line(tmp_path, camera, words):
    write_images(tmp_path)
    write_model(tmp_path, LAYOUTS["with points"], camera)
    with pytest.raises(InputError, match=words):
        read_dataset(tmp_path)


@pytest.mark.parametrize("lost", ["cameras", "images"])
def test_half_a_model_is_named(tmp_path, lost):
    write_images(tmp_path)
    write_model(tmp_path, LAYOUTS["with points"])
    (tmp_path / "sparse/0" / f"{lost}.txt").unlink()
    assert not is_dataset(tmp_path)
    with pytest.raises(InputError, match=f"but no {lost}.txt"):
        read_dataset(tmp_path)


def test_a_missing_picture_suggests_none_that_is_listed(tmp_path):
    write_images(tmp_path)
    write_model(tmp_path, LAYOUTS["with points"])
    (tmp_path / "images" / "v3.png").unlink()
    with pytest.raises(InputError, match="1 of 4 files are missing: images/v3") as error:
        read_dataset(tmp_path)
    assert "did you mean" not in error.value.remedy


@pytest.mark.parametrize(("told", "said"), [(4, False), (6, True)])
def test_a_count_that_differs_is_said(tmp_path, caplog, told, said):
    write_images(tmp_path)
    write_model(tmp_path, f"# Number of images: {told}, mean observations per image: 2\n{LAYOUTS['with points']}")
    read_dataset(tmp_path)
    assert (f"announces {told} images and lists 4" in caplog.text) == said


def test_further_models_are_said_to_be_left_out(tmp_path, caplog):
    write_images(tmp_path)
    for place in ("sparse/0", "sparse/1"):
        write_model(tmp_path, LAYOUTS["with points"], place=place)
    assert len(read_dataset(tmp_path).cameras) == COUNT
    assert "the models 1 beside it are left out" in caplog.text


def test_files_that_are_no_text(tmp_path):
    write_images(tmp_path)
    write_model(tmp_path, LAYOUTS["with points"])
    (tmp_path / "sparse/0/images.txt").write_bytes(LAYOUTS["with points"].encode("utf-16"))
    with pytest.raises(InputError, match="not text in UTF-8"):
        read_dataset(tmp_path)


def test_swapped_sizes_are_refused_here_as_well(tmp_path):
    write_images(tmp_path)
    write_model(tmp_path, LAYOUTS["with points"], "1 PINHOLE 24 32 40 41 12 16\n")
    with pytest.raises(InputError, match="width and height are swapped"):
        read_dataset(tmp_path)
