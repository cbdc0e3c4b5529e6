"""Lights and materials from pictures that are known by formula, and what the pictures cannot tell."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

import invrender
from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.errors import UsageError
from invrender.io.images import write_png
from tests.methods.scene.made import BALL, FLOOR, LAMP, SUN, exr, lit_floor, written

ALBEDO = torch.tensor([0.6, 0.3, 0.1])


def found(scene: Path, target: Path, *free: str, **settings: Any) -> dict[str, Any]:
    """The metrics of a run."""
    more = {"gif_frames": 0, "backend": "cpu", **settings}
    outcome = invrender.reconstruct(scene, method="scene", target=(str(target),), optimize=free, **more)
    metrics: dict[str, Any] = outcome.metrics
    return metrics


def test_a_light_by_how_it_falls_off(tmp_path: Path) -> None:
    target = exr(tmp_path / "t.exr", lit_floor((0.4, 1.5, -0.3), 8.0, torch.full((3,), 0.5)))
    scene = written(tmp_path, FLOOR + LAMP.format("-0.8, 2.5, 0.5", 1))
    values = found(scene, target, "light")["values"]
    assert [values[f"light.position.{axis}"]["found"] for axis in "xyz"] == pytest.approx(
        [0.4, 1.5, -0.3], abs=4e-3
    )  # .exr holds three digits
    assert values["light.intensity"]["found"] == pytest.approx(8, rel=4e-3)


def test_a_colour_under_a_known_light(tmp_path: Path) -> None:
    target = exr(tmp_path / "t.exr", lit_floor((0.4, 1.5, -0.3), 8.0, ALBEDO))
    scene = written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 8))
    values = found(scene, target, "material.floor.Kd", solver="lbfgs", spp=1)["values"]
    colour = [values[f"material.floor.Kd.{name}"]["found"] for name in ("red", "green", "blue")]
    assert colour == pytest.approx(ALBEDO.tolist(), abs=1e-3)


def test_adam_gets_there_too(tmp_path: Path) -> None:
    target = exr(tmp_path / "t.exr", lit_floor((0.4, 1.5, -0.3), 8.0, ALBEDO))
    scene = written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 8))
    values = found(scene, target, "material.floor.Kd", solver="adam", rate=0.3, iterations=60, spp=1)["values"]
    assert values["material.floor.Kd.red"]["found"] == pytest.approx(0.6, abs=0.01)


def test_errors_are_those_of_the_noise(tmp_path: Path) -> None:
    clean = lit_floor((0.4, 1.5, -0.3), 8.0, torch.full((3,), 0.5))
    noisy = clean + 0.01 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    scene = written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 5))
    row = found(scene, exr(tmp_path / "t.exr", noisy), "light.intensity")["values"]["light.intensity"]
    expected = 0.01 / float((clean / 8).norm())  # least squares of one factor
    assert row["standard_error"] == pytest.approx(expected, rel=0.05)
    assert abs(row["found"] - 8) < 4 * expected


def test_errors_know_of_rounding(tmp_path: Path) -> None:
    seen = 0.5 * 2 / math.pi  # Kd E / pi, the same in every pixel
    write_png(tmp_path / "t.png", torch.full((24, 24, 3), seen))
    scene = written(tmp_path, FLOOR + SUN.format("0, 1, 0", 1.2))
    row = found(scene, tmp_path / "t.png", "light.intensity", spp=1)["values"]["light.intensity"]
    stored = round(float(linear_to_srgb(np.float64(seen))) * 255)
    low, high = srgb_to_linear(np.array([stored - 0.5, stored + 0.5]) / 255)
    assert row["standard_error"] == pytest.approx(2 * (high - low) / seen / 12**0.5, rel=0.05)
    assert abs(row["found"] - 2) < 2 * row["standard_error"]


def test_a_light_and_a_surface_cannot_be_told_apart(tmp_path: Path) -> None:
    target = exr(tmp_path / "t.exr", lit_floor((0.4, 1.5, -0.3), 8.0, torch.full((3,), 0.5)))
    scene = written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 5))
    metrics = found(scene, target, "light.intensity", "material.floor.Kd")
    assert any("a stronger light from a brighter surface" in pair["words"] for pair in metrics["confounded"])
    assert "light.intensity" in metrics["undetermined"]


def test_the_sun_by_shading_and_shadow(tmp_path: Path) -> None:
    truth = invrender.read(written(tmp_path, BALL + SUN.format("0.5, 1, 0.4", 2.0), "truth"))
    from invrender.backends import select
    from invrender.render.scene_view import Shot
    from invrender.render.scenes import picture

    target = exr(tmp_path / "t.exr", picture(truth, truth.cameras[0], (32, 32), select("cpu"), Shot()))
    scene = written(tmp_path, BALL + SUN.format("-0.6, 1, -0.2", 0.5))
    values = found(scene, target, "light", spp=1)["values"]
    towards = torch.tensor([values[f"light.direction.{axis}"]["found"] for axis in "xyz"])
    assert float(towards @ torch.nn.functional.normalize(torch.tensor([0.5, 1, 0.4]), dim=0)) > math.cos(
        math.radians(1)
    )
    assert values["light.intensity"]["found"] == pytest.approx(2, rel=0.01)


def test_what_no_pixel_shows_is_refused(tmp_path: Path) -> None:
    target = exr(tmp_path / "t.exr", lit_floor((0.4, 1.5, -0.3), 8.0, ALBEDO))
    behind = '[[sphere]]\ncenter = [0, 9, 0]\nradius = 0.1\nmaterial = "hidden"\n[material.hidden]\nKd = 0.5\n'
    scene = written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 8) + behind)
    with pytest.raises(UsageError, match=r"no pixel of the targets depends on material\.hidden\.Kd"):
        found(scene, target, "material.floor.Kd", "material.hidden.Kd")


def test_noise_of_the_renderer_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sky = "[environment]\ncolour = [1, 1, 1]\n"
    target = exr(tmp_path / "t.exr", torch.full((24, 24, 3), 0.3))
    text = BALL.replace("[[camera]]", f"{sky}[[camera]]", 1)
    metrics = found(written(tmp_path, text), target, "environment.intensity", spp=1, iterations=3)
    assert metrics["own_noise"] > 0.02
    assert "err by" in capsys.readouterr().err
