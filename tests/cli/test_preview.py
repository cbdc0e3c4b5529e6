"""The preview command: pictures where a driver works, a sentence where none does, never a crash."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from invrender.io.meshes.write import write_mesh
from invrender.nouns import Mesh
from invrender.run.folder import RunFolder

BOX = torch.tensor([[x, y, z] for x in (-1, 1) for y in (-2, 2) for z in (-3, 3)], dtype=torch.float64)
SIDES = [[0, 1, 3, 2], [4, 6, 7, 5], [0, 4, 5, 1], [2, 3, 7, 6], [0, 2, 6, 4], [1, 5, 7, 3]]
FACES = torch.tensor([[a, b, c] for p, q, r, s in SIDES for a, b, c in ((p, q, r), (p, r, s))])


@pytest.fixture
def box(tmp_path: Path) -> Path:
    write_mesh(tmp_path / "box.ply", Mesh(BOX, FACES))
    return tmp_path / "box.ply"


def check_drawn(outcome: Any) -> None:
    """Skip where no OpenGL driver is installed; there, the other tests see to the message."""
    if outcome.code == 4:
        pytest.skip(outcome.stderr)
    assert outcome.code == 0, outcome.stderr
    assert outcome.stdout == ""


def test_a_screenshot_shows_the_mesh_before_a_soft_background(run_cli: Callable[..., Any], box: Path) -> None:
    outcome = run_cli("preview", box, "--screenshot", "a.png", "--size", 120)
    check_drawn(outcome)
    pixels = np.asarray(Image.open(box.parent / "a.png").convert("RGB")).astype(int)
    assert pixels.shape == (120, 120, 3)
    centre, corner = pixels[55:65, 55:65].mean((0, 1)), pixels[5, -5]
    assert corner.min() > 215  # near white, and grey
    assert np.ptp(corner) < 12
    assert centre[0] - centre[2] > 15  # clay
    shades = {tuple(pixels[row, column] // 8) for row, column in ((70, 45), (70, 80), (35, 60))}
    assert len(shades) == 3  # three sides, three shades: creases stay sharp


def test_a_turntable_of_a_run_shows_target_and_result_turning(run_cli: Callable[..., Any], box: Path) -> None:
    config = f"input = {json.dumps(str(box))}\nviews = 12\n"
    with RunFolder.create(box.parent / "run", command="reconstruct", config=config) as run:
        write_mesh(run.file("mesh.ply"), Mesh(BOX * 0.9, FACES))
        run.metrics({"iou": 0.9, "watertight": True})
    outcome = run_cli("preview", "run", "--turntable", "b.gif", "--size", 80, "--frames", 4, "-q")
    check_drawn(outcome)
    assert outcome.stderr == ""
    with Image.open(box.parent / "b.gif") as gif:
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


def test_a_driver_that_crashes_exits_4_and_leaves_no_file(run_cli: Callable[..., Any], box: Path) -> None:
    crash = box.parent / "path" / "pyvista.py"
    crash.parent.mkdir()
    crash.write_text("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)\n")
    path = f"{crash.parent}:{Path(__file__).parents[2]}"
    outcome = run_cli("preview", box, "--screenshot", "a.png", environment={"PYTHONPATH": path})
    assert outcome.code == 4
    assert "crashed (SIGSEGV)" in outcome.stderr
    assert "invrender render" in outcome.stderr
    assert len(outcome.stderr.splitlines()) <= 6
    assert not (box.parent / "a.png").exists()


def test_a_missing_package_is_named(run_cli: Callable[..., Any], box: Path) -> None:
    missing = box.parent / "path" / "pyvista.py"
    missing.parent.mkdir()
    missing.write_text("raise ModuleNotFoundError(\"No module named 'vtk'\", name='vtk')\n")
    path = f"{missing.parent}:{Path(__file__).parents[2]}"
    outcome = run_cli("preview", box, "--screenshot", "a.png", environment={"PYTHONPATH": path})
    assert outcome.code == 4
    assert "pip install --force-reinstall vtk" in outcome.stderr


def test_no_display_is_said(run_cli: Callable[..., Any], box: Path) -> None:
    outcome = run_cli("preview", box, environment={"DISPLAY": "", "WAYLAND_DISPLAY": ""})
    assert outcome.code == 4
    assert "--screenshot" in outcome.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "part"),
    [
        (["cub.ply", "--screenshot", "a.png"], 3, "box.ply"),
        (["empty", "--screenshot", "a.png"], 3, "run.json"),
        (["early", "--screenshot", "a.png"], 3, "no result yet"),
        (["box.ply", "--screenshot", "a.bmp"], 2, ".png"),
        (["box.ply", "--turntable", "a.png"], 2, ".gif"),
        (["box.ply", "--screenshot", "there.png"], 6, "--overwrite"),
    ],
)
def test_what_cannot_be_done_is_refused_before_anything_is_drawn(
    run_cli: Callable[..., Any], box: Path, arguments: list[str], code: int, part: str
) -> None:
    (box.parent / "empty").mkdir()
    (box.parent / "there.png").touch()
    RunFolder.create(box.parent / "early", command="reconstruct")
    outcome = run_cli("preview", *arguments)
    assert outcome.code == code, outcome.stderr
    assert part in outcome.stderr
    assert (box.parent / "there.png").stat().st_size == 0
