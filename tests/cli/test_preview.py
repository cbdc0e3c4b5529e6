"""The preview command: pictures where a driver works, a sentence where none does, never a crash."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.cameras.viewpoint import Viewpoint
from invrender.cli.app import run
from invrender.io.cameras_file import write_viewpoint
from invrender.io.meshes.write import write_mesh
from invrender.nouns import Mesh
from invrender.preview.scene import line_height
from invrender.run.folder import RunFolder

BOX = torch.tensor([[x, y, z] for x in (-1, 1) for y in (-2, 2) for z in (-3, 3)], dtype=torch.float64)
SIDES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
FACES = torch.tensor([[a, b, c] for p, q, r, s in SIDES for a, b, c in ((p, q, r), (p, r, s))])


@pytest.fixture
def box(tmp_path: Path) -> Path:
    write_mesh(tmp_path / "box.ply", Mesh(BOX, FACES))
    return tmp_path / "box.ply"


def check_drawn(code: int, said: str) -> None:
    """Skip where no OpenGL driver is installed; there, the other tests see to the message."""
    if code == 4:
        pytest.skip(said)
    assert code == 0, said


def test_a_screenshot_shows_the_mesh_before_a_soft_background(run_cli: Callable[..., Any], box: Path) -> None:
    outcome = run_cli("preview", box, "--screenshot", "a.png", "--size", 120)
    check_drawn(outcome.code, outcome.stderr)
    assert outcome.stdout == ""
    pixels = np.asarray(Image.open(box.parent / "a.png").convert("RGB")).astype(int)
    assert pixels.shape == (120, 120, 3)
    centre, corner = pixels[55:65, 55:65].mean((0, 1)), pixels[5, -5]
    assert corner.min() > 215  # near white, and grey
    assert np.ptp(corner) < 12
    assert centre[0] - centre[2] > 15  # clay
    shades = {tuple(pixels[row, column] // 8) for row, column in ((70, 45), (70, 80), (35, 60))}
    assert len(shades) == 3  # three sides, three shades: creases stay sharp


def test_colours_multiply_the_texture_and_a_stray_vertex_hides_nothing(
    run_cli: Callable[..., Any], tmp_path: Path
) -> None:
    corners = "0 0 0 0 0 255 0 0\n1 0 0 1 0 255 0 0\n1 1 0 1 1 255 0 0\n0 1 0 0 1 255 0 0\n1e11 0 0 0 0 255 0 0\n"
    numbers = "".join(f"property float {name}\n" for name in ("x", "y", "z", "s", "t"))
    colours = "".join(f"property uchar {name}\n" for name in ("red", "green", "blue"))
    header = "ply\nformat ascii 1.0\ncomment TextureFile halves.png\nelement vertex 5\n" + numbers + colours
    faces = "element face 1\nproperty list uchar int vertex_indices\nend_header\n"
    (tmp_path / "square.ply").write_text(header + faces + corners + "4 0 1 2 3\n")
    Image.fromarray(np.array([[[255, 255, 255]] * 16 + [[0, 0, 255]] * 16] * 8, np.uint8)).save(tmp_path / "halves.png")
    outcome = run_cli("preview", tmp_path / "square.ply", "--screenshot", "a.png", "--size", 120)
    check_drawn(outcome.code, outcome.stderr)
    pixels = np.asarray(Image.open(tmp_path / "a.png").convert("RGB")).astype(int)
    left, right = pixels[55:65, 40:45].mean((0, 1)), pixels[55:65, 75:80].mean((0, 1))
    assert left[0] > 100 + max(left[1:])  # white times red
    assert max(right) < 40  # blue times red


def test_a_turntable_of_a_run_shows_target_and_result_turning(box: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = f"input = {json.dumps(str(box))}\nviews = 12\n"
    with RunFolder.create(box.parent / "run", command="reconstruct", config=config) as folder:
        write_mesh(folder.file("mesh.ply"), Mesh(BOX * 0.9, FACES))
        folder.metrics({"iou": 0.9, "watertight": True})
    file = box.parent / "b.gif"
    code = run(["preview", str(box.parent / "run"), "--turntable", str(file), "--size", "80", "--frames", "4", "-q"])
    said = capsys.readouterr()
    check_drawn(code, said.err)
    assert (said.out, said.err) == ("", "")
    with Image.open(file) as gif:
        assert gif.size == (160, 80)
        frames = []
        for index in range(4):
            gif.seek(index)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
        assert getattr(gif, "n_frames", 1) == 4
    left, right = np.array(frames)[:, :, :80], np.array(frames)[:, :, 80:]
    assert (np.abs(left[1] - left[0]) > 30).mean() > 0.05  # it turns
    differ = (np.abs(left[0, 10:60] - right[0, 10:60]).max(-1) > 30).mean()
    assert 0.01 < differ < 0.3  # the result is smaller, and seen from the same side


def test_a_camera_file_a_background_and_a_size_that_is_no_square(run_cli: Callable[..., Any], box: Path) -> None:
    """Seen along -X from 20 before its side, which is 4 high and 6 wide: half and three quarters of the panel."""
    fov = 2 * math.degrees(math.atan(0.2))
    write_viewpoint(box.parent / "camera.json", Viewpoint((21.0, 0, 0), (0.0, 0, 0), fov=fov))
    options = ("--size", "160,96", "--background", "#204060", "--camera", "camera.json")
    outcome = run_cli("preview", box, "--screenshot", "a.png", *options)
    check_drawn(outcome.code, outcome.stderr)
    pixels = np.asarray(Image.open(box.parent / "a.png").convert("RGB")).astype(int)
    assert pixels.shape == (96, 160, 3)
    assert pixels[2, 2].tolist() == [0x20, 0x40, 0x60]
    panel = 96 - line_height(96)  # without the strip of text
    seen = np.abs(pixels - pixels[2, 2]).max(-1)[:panel] > 60
    assert np.ptp(np.flatnonzero(seen[:, 80])) == pytest.approx(panel / 2, abs=3)
    assert np.ptp(np.flatnonzero(seen[panel // 2])) == pytest.approx(panel * 3 / 4, abs=3)


def screenshot_with(pyvista: str, box: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    """Exit code of a screenshot whose drawing child finds this program in place of pyvista."""
    broken = box.parent / "path" / "pyvista.py"
    broken.parent.mkdir()
    broken.write_text(pyvista)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(broken.parent), str(Path(__file__).parents[2])]))
    return run(["preview", str(box), "--screenshot", str(box.parent / "a.png")])


@pytest.mark.skipif(os.name == "nt", reason="a crash is an exit code there, not a signal")
def test_a_driver_that_crashes_exits_4_and_leaves_no_file(
    box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screenshot_with("import signal\nsignal.raise_signal(signal.SIGSEGV)\n", box, monkeypatch) == 4
    said = capsys.readouterr().err
    assert "crashed (SIGSEGV)" in said
    assert "invrender render" in said
    assert len(said.splitlines()) <= 6
    assert not (box.parent / "a.png").exists()


def test_a_missing_package_is_named(
    box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert screenshot_with("raise ModuleNotFoundError(\"No module named 'vtk'\", name='vtk')\n", box, monkeypatch) == 4
    assert "pip install --force-reinstall vtk" in capsys.readouterr().err


def test_no_display_is_said(box: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.setenv(name, "")
    assert run(["preview", str(box)]) == 4
    assert "--screenshot" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["cub.ply", "--screenshot", "a.png"], 3, "box.ply"),
        (["empty", "--screenshot", "a.png"], 3, "run.json"),
        (["early", "--screenshot", "a.png"], 3, "no result yet"),
        (["box.ply", "--screenshot", "a.bmp"], 2, ".png"),
        (["box.ply", "--turntable", "a.png"], 2, ".gif"),
        (["box.ply", "--screenshot", "there.png"], 6, "--overwrite"),
        (["box.ply", "--screenshot", "a.png", "--size", "8"], 2, "800,600"),
        (["box.ply", "--screenshot", "a.png", "--size", "1,2,3"], 2, "800,600"),
        (["box.ply", "--screenshot", "a.png", "--background", "red"], 2, "'#20242a'"),
        (["box.ply", "--screenshot", "a.png", "--camera", "no.json"], 3, "no.json"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_drawn(
    box: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    part: str,
) -> None:
    monkeypatch.chdir(box.parent)
    (box.parent / "empty").mkdir()
    (box.parent / "there.png").touch()
    RunFolder.create(box.parent / "early", command="reconstruct")
    assert run(["preview", *arguments]) == code
    assert part in capsys.readouterr().err
    assert (box.parent / "there.png").stat().st_size == 0
