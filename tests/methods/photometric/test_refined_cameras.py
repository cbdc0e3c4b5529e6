"""Cameras that are off: what the command finds, tells and writes, on a painted ball; and which of them are named."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.io.datasets.dataset import read_dataset, write_dataset
from invrender.methods.photometric.change import change, finding, told
from invrender.methods.photometric.posing import cameras_of, posing_phase
from invrender.nouns import Cameras
from invrender.parameters.frame import Frame
from invrender.photometry.registration import Moved, corrected
from invrender.poses.similarity import compare
from tests.conftest import RunCli
from tests.photometry.painted_ball import FRAME, SIZE, photographed


def off(cameras: Cameras, size: float, frame: Frame = FRAME) -> Cameras:
    random = torch.Generator().manual_seed(5)
    twist = size * torch.randn(len(cameras), 6, dtype=torch.float64, generator=random)
    return corrected(cameras, frame, Moved(twist - twist.mean(0)))


def _cameras() -> tuple[Cameras, Cameras]:
    """Those that are given, and the right ones."""
    right = rig("sphere", 10, FRAME.centre, 3.0, SIZE)
    return off(right, 0.03), right


def apart(a: Cameras, b: Cameras) -> float:
    """Mean distance in percent once similarity is taken out: a ball does not tell how it has turned as a whole."""
    inside_out = (torch.linalg.inv(cameras.world_to_camera).numpy() for cameras in (a, b))
    return 100 * float(compare(*inside_out).position.mean())


def test_rounds_bring_cameras_nearer() -> None:
    given, right = _cameras()
    views = replace(photographed(right, fine=4), cameras=given)
    phase = posing_phase(views, select("cpu"), ("shape", "pose"), rounds=5)
    params = phase.start().params
    for number in range(phase.steps):
        params, terms = phase.objective(params, number)
    assert terms["focal"] == 0
    assert apart(cameras_of(params, views), right) < 0.7 * apart(given, right)


def test_the_command_refines_cameras_and_writes_them(tmp_path: Path, run_cli: RunCli) -> None:
    given, right = _cameras()
    views = photographed(right, fine=4)
    assert views.images is not None
    darker = views.images * torch.tensor([1.0, 0.5]).repeat(5)[:, None, None, None]
    write_dataset(tmp_path / "photos", type(views)(given, views.masks, darker, held_out=(4,)))
    done = run_cli(
        "reconstruct", tmp_path / "photos", "-o", tmp_path / "run", "--method", "photometric", "--texture", 0,
        "--optimize", "shape,albedo,light,pose,exposure", "--set", "effort=0.01", "--set", "gif_frames=0",
    )  # fmt: skip
    assert done.code == 0, done.stderr
    refined = read_dataset(tmp_path / "run" / "refined")
    assert refined.held_out == (9,)
    metrics: dict[str, Any] = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert len(metrics["cameras"]["each"]) == 9
    assert 0 < metrics["cameras"]["position_percent_mean"] < metrics["cameras"]["position_percent_max"] < 12
    stops = np.log2([np.mean(gain) for gain in metrics["gains"].values()])
    wanted = np.array([0, 1, 0, 1, 1, 0, 1, 0, 1.0])
    assert stops == pytest.approx(wanted - wanted.mean(), abs=0.2)


def test_a_motion_is_told_in_the_users_units() -> None:
    cameras = rig("sphere", 5, np.zeros(3), 4.0, SIZE)
    moved = cameras.world_to_camera.clone()
    moved[0, 2, 3] -= 0.01 * float(moved[0, :3, 3].norm())  # a hundredth of the distance, backwards
    turn = Moved(torch.tensor([[0.0, 0, 0, 0, 0, 0]] * 4 + [[np.radians(2), 0, 0, 0, 0, 0]], dtype=torch.float64))
    after = corrected(Cameras(moved, cameras.projection, SIZE), Frame(np.zeros(3), 1.0), Moved(turn.twist, np.log(1.1)))
    found = change(cameras, after, np.zeros(3))
    assert found.position[:4] == pytest.approx([1, 0, 0, 0], abs=1e-9)
    assert found.angle == pytest.approx([0, 0, 0, 0, 2], abs=1e-6)
    assert found.focal == pytest.approx(1.1)


def test_cameras_that_moved_much_more_than_the_rest_are_named() -> None:
    cameras = rig("sphere", 8, FRAME.centre, 3.0, SIZE)
    twist = 0.01 * torch.ones(8, 6, dtype=torch.float64)
    twist[3] *= -15
    found = change(cameras, corrected(cameras, FRAME, Moved(twist)), FRAME.centre)
    names = [f"photo {i}" for i in range(8)]
    m = found.of(names)
    assert m["moved_much_more"] == ["photo 3"]
    (one,) = finding(m)
    assert one.views == ("photo 3",) and "photo 3" in one.cause
    assert "at most" in told(m)
    assert not finding(change(cameras, off(cameras, 0.01), FRAME.centre).of(names))
