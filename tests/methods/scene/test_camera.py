"""A camera that is off finds its way back by outlines and shading, without anybody telling it which pixels belong."""

from __future__ import annotations

import math
from pathlib import Path

import torch

import invrender
from invrender.backends import select
from invrender.render.scene_view import Shot
from invrender.render.scenes import picture
from tests.methods.scene.made import BALL, SUN, exr, written

BOX = '[[box]]\ncenter = [0.9, 0.3, -0.2]\nsize = [0.6, 0.6, 0.6]\nrotate = [0, 25, 0]\nmaterial = "box"\n'
BLUE = "[material.box]\nKd = [0.2, 0.3, 0.7]\n"


def test_pose(tmp_path: Path) -> None:
    text = BALL.replace("[material.ball]", f"{BOX}[material.ball]", 1) + BLUE + SUN.format("0.5, 1, 0.4", 2.0)
    truth = invrender.read(written(tmp_path, text, "truth"))
    target = exr(tmp_path / "front.exr", picture(truth, truth.cameras[0], (32, 32), select("cpu"), Shot(spp=16)))
    moved = text.replace("position = [0, 2, 4]", "position = [0.25, 2.15, 3.9]")
    start = written(tmp_path, moved.replace("target = [0, 0.4, 0]", "target = [0.15, 0.3, 0]"), "start")
    found = invrender.reconstruct(
        start, method="scene", target=(str(target),), optimize=("camera.pose",), gif_frames=0, backend="cpu", spp=4
    ).asset.cameras[0]
    asked = truth.cameras[0].pose
    cosine = (float((found.pose[:3, :3] @ asked[:3, :3].T).trace()) - 1) / 2
    assert math.degrees(math.acos(min(1.0, cosine))) < 0.5
    assert float(torch.dist(found.pose[:3, 3], asked[:3, 3])) < 0.05
