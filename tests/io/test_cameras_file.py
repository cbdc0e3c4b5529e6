"""Files of cameras and of camera paths: written and read back, and what is wrong in them named."""

from __future__ import annotations

from pathlib import Path

import pytest

from invrender.cameras.path import CameraPath
from invrender.cameras.viewpoint import Viewpoint
from invrender.errors import InputError
from invrender.io.cameras_file import read_camera_path, read_viewpoint, write_camera_path, write_viewpoint

VIEW = Viewpoint((1.5, 2, 3), (0, 0.25, 0), (0, 0, 1), 30)


def test_a_camera_is_read_back(tmp_path: Path) -> None:
    write_viewpoint(tmp_path / "view.json", VIEW)
    assert read_viewpoint(tmp_path / "view.json") == VIEW


def test_what_is_left_out_has_a_default(tmp_path: Path) -> None:
    (tmp_path / "view.toml").write_text("eye = [0, 0, 3]\ntarget = [0, 0, 0]\n")
    assert read_viewpoint(tmp_path / "view.toml") == Viewpoint((0, 0, 3), (0, 0, 0), (0, 1, 0), 45)


def test_a_path_is_read_back(tmp_path: Path) -> None:
    path = CameraPath((0, 1.5), (VIEW, Viewpoint((0, 0, 3), (0, 0, 0))), 12, True)
    write_camera_path(tmp_path / "path.json", path)
    assert read_camera_path(tmp_path / "path.json") == path


def test_a_path_is_read_from_toml(tmp_path: Path) -> None:
    (tmp_path / "path.toml").write_text(
        "fps = 10\n[[keys]]\ntime = 0\neye = [0, 0, 3]\ntarget = [0, 0, 0]\n"
        "[[keys]]\ntime = 2\neye = [3, 0, 0]\ntarget = [0, 0, 0]\n"
    )
    path = read_camera_path(tmp_path / "path.toml")
    assert path.times == (0, 2)
    assert path.frames == 21


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"eye": [0, 0, 1]}', "no 'target'"),
        ('{"eye": [0, 0, 1], "target": [0, 0]}', "three numbers"),
        ('{"eye": [0, 0, 1], "target": [0, 0, "x"]}', "no finite number"),
        ('{"eye": [0, 0, 1], "target": [0, 0, 1]}', "is its target"),
        ('{"eye": [0, 1, 0], "target": [0, 0, 0]}', "up direction"),
        ('{"eye": [0, 0, 1], "target": [0, 0, 0], "fow": 45}', "did you mean 'fov'"),
        ('{"keys": []}', "--path"),
    ],
)
def test_a_faulty_camera_is_told(tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "view.json").write_text(text)
    with pytest.raises(InputError, match=told):
        read_viewpoint(tmp_path / "view.json")


@pytest.mark.parametrize(
    ("keys", "told"),
    [
        ('[{"time": 0, "eye": [0, 0, 1], "target": [0, 0, 0]}]', "goes nowhere"),
        (
            '[{"time": 1, "eye": [0, 0, 1], "target": [0, 0, 0]}, {"time": 0, "eye": [0, 0, 2], "target": [0, 0, 0]}]',
            "do not rise",
        ),
        ('[{"eye": [0, 0, 1], "target": [0, 0, 0]}]', "time of key 1' is missing"),
        ('{"time": 1}', "no list of 'keys'"),
    ],
)
def test_a_faulty_path_is_told(tmp_path: Path, keys: str, told: str) -> None:
    (tmp_path / "path.json").write_text('{"keys": ' + keys + "}")
    with pytest.raises(InputError, match=told):
        read_camera_path(tmp_path / "path.json")
