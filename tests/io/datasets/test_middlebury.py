"""Middlebury's *_par.txt against K [R t] by hand, and our own cameras.json against the same cameras."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from invrender.cameras.projection import intrinsics
from invrender.errors import InputError
from invrender.io.datasets.dataset import is_dataset, read_cameras, read_dataset
from tests.io.datasets.made import write_rgba

K = [40.0, 0, 15.25, 0, 42.0, 11.5, 0, 0, 1]
POSES = [(Rotation.from_euler("xyz", angles).as_matrix(), [0.1, -0.2, 4.0]) for angles in ([0.1, 0.2, 3], [0, 1, 0.2])]
NAMES = ["view one.png", "b.png"]
POINT = np.array([0.2, -0.1, 0.3])


def par_lines() -> list[str]:
    return [
        f"{name} {' '.join(map(repr, [*K, *r.ravel().tolist(), *t]))}"
        for name, (r, t) in zip(NAMES, POSES, strict=True)
    ]


def seen(r: np.ndarray, t: list[float]) -> np.ndarray:
    """Where K [R t] sees the point, counted from the corner of the first pixel, whose middle is (0, 0) there."""
    x, y, z = np.array(K).reshape(3, 3) @ (r @ POINT + t)
    return np.array([x / z, y / z]) + 0.5


def check(cameras) -> None:
    clip = cameras.clip_from_world @ torch.tensor([*POINT, 1.0], dtype=torch.float64)
    ndc = (clip[:, :2] / clip[:, 3:]).numpy()
    pixels = (ndc * [1, -1] + 1) / 2 * [32, 24]
    assert np.allclose(pixels, [seen(*pose) for pose in POSES], atol=1e-9)


@pytest.fixture
def folder(tmp_path):
    for name in NAMES:
        write_rgba(tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(["2", *par_lines()]),
        "\r\n".join(["# cameras", "", "2", "", *par_lines(), "# end", ""]),
        "\n".join(par_lines()),
    ],
)
def test_cameras_of_middlebury(folder, text):
    (folder / "set_par.txt").write_bytes(text.encode())
    assert is_dataset(folder) and is_dataset(folder / "set_par.txt")
    views = read_dataset(folder)
    assert views.names == ("view one", "b")
    check(views.cameras)
    assert torch.equal(read_dataset(folder / "set_par.txt").cameras.projection, views.cameras.projection)


def test_unusable_lines_are_named(folder):
    lines = par_lines()
    faults = {
        "line 1 is no camera": [lines[0].replace("0.0", "zero", 1)],
        "lists no views": ["2"],
        "has skew": [lines[0].replace("40.0 0", "40.0 9", 1)],
        "sheared": [lines[0].replace(repr(float(POSES[0][0][0, 0])), "0.5", 1)],
        "holds 20 numbers|is no camera": [lines[1].rsplit(maxsplit=1)[0]],
    }
    for words, content in faults.items():
        (folder / "set_par.txt").write_text("\n".join(content))
        with pytest.raises(InputError, match=words) as error:
            read_dataset(folder)
        assert error.value.remedy
    (folder / "other_par.txt").write_text("\n".join(lines))
    with pytest.raises(InputError, match="several sets of cameras"):
        read_dataset(folder)


def cameras_table() -> dict:
    """The same cameras in two ways each: K and numbers, world to camera and back, OpenCV's axes and OpenGL's."""
    shifted = [[40, 0, 15.75], [0, 42, 12], [0, 0, 1]]
    (r, t), (r2, t2) = POSES
    back = np.eye(4)
    back[:3, :3], back[:3, 3] = r2.T @ np.diag([1.0, -1, -1]), -r2.T @ t2
    return {
        "width": 32,
        "height": 24,
        "cameras": [
            {"file": NAMES[0], "axes": "opencv", "K": shifted, "world_to_camera": np.c_[r, t].tolist()},
            {"file": NAMES[1], "axes": "opengl", "fx": 40, "fy": 42, "cx": 15.75, "cy": 12, "split": "test"}
            | {"camera_to_world": back.tolist()},
        ],
    }


def write_table(folder, table: dict) -> None:
    (folder / "cameras.json").write_text(json.dumps(table))


def test_cameras_json(folder):
    write_table(folder, cameras_table())
    assert is_dataset(folder)
    views = read_dataset(folder)
    check(views.cameras)
    assert views.held_out == (1,)
    check_again = read_cameras(folder / "cameras.json", (24, 32))
    assert float(intrinsics(check_again)[2][0]) == 15.75


FAULTS = {
    "'axes' is missing": lambda c: c.pop("axes"),
    "'axes' is 'blender'": lambda c: c.update(axes="blender"),
    "has both of world_to_camera": lambda c: c.update(camera_to_world=c["world_to_camera"]),
    "has none of world_to_camera": lambda c: c.pop("world_to_camera"),
    "no focal length": lambda c: c.pop("K"),
    "no field 'widht'": lambda c: c.update(widht=3),
    "the split 'dev' is unknown": lambda c: c.update(split="dev"),
    r"'K' has the shape \(2, 3\)": lambda c: c.update(K=[[1, 0, 1], [0, 1, 1]]),
    "names no file": lambda c: c.pop("file"),
    "is not understood": lambda c: c.update(distortion={"model": "OPENCV", "kappa": 1}),
    "'WOBBLE' is one that is not known": lambda c: c.update(distortion={"model": "wobble"}),
    "mirror image": lambda c: c.update(world_to_camera=[[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 4]]),
}


@pytest.mark.parametrize("words", FAULTS)
def test_faulty_fields_of_cameras_json_are_named(folder, words):
    table = cameras_table()
    FAULTS[words](table["cameras"][0])
    write_table(folder, table)
    with pytest.raises(InputError, match=words) as error:
        read_dataset(folder)
    assert error.value.remedy
