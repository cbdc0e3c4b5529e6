"""The posterior of what pictures are linear in is known: normal, with the variance of least squares."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

import invrender
from invrender.errors import DivergedError
from tests.methods.scene.made import FLOOR, LAMP, exr, lit_floor, written

GREY = torch.full((3,), 0.5)
SIGMA = 0.05


def noisy(folder: Path) -> Path:
    clean = lit_floor((0.4, 1.5, -0.3), 8.0, GREY)
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    return exr(folder / "t.exr", clean + SIGMA * noise)


def test_draws_follow_the_noise(tmp_path: Path) -> None:
    scene = written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 6))
    outcome = invrender.reconstruct(
        scene, tmp_path / "run", method="scene", target=(str(noisy(tmp_path)),), optimize=("light.intensity",),
        posterior=True, noise=SIGMA, draws=250, gif_frames=0, backend="cpu",
    )  # fmt: skip
    drawn = outcome.metrics["posterior"]["values"]["light.intensity"]
    expected = SIGMA / float((lit_floor((0.4, 1.5, -0.3), 1.0, GREY)).norm())
    assert drawn["deviation"] == pytest.approx(expected, rel=0.15)
    assert drawn["lower"] < 8 < drawn["upper"] and drawn["ess"] > 400
    with np.load(tmp_path / "run" / "samples.npz") as samples:
        assert samples["draws"].shape == (4, 250, 1) and samples["names"].tolist() == ["light.intensity"]
        assert float(samples["draws"].std()) == pytest.approx(drawn["deviation"])
    assert (tmp_path / "run" / "corner.png").is_file()


def test_draws_that_cannot_be_trusted_end_the_run_but_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invrender.methods.scene.posterior.Sampled.trouble", "R-hat is 3")
    scene = written(tmp_path, FLOOR + LAMP.format("0.4, 1.5, -0.3", 6))
    with pytest.raises(DivergedError, match="R-hat is 3"):
        invrender.reconstruct(
            scene, tmp_path / "run", method="scene", target=(str(noisy(tmp_path)),), optimize=("light.intensity",),
            posterior=True, noise=SIGMA, draws=100, gif_frames=0, backend="cpu",
        )  # fmt: skip
    assert (tmp_path / "run" / "samples.npz").is_file() and (tmp_path / "run" / "scene.toml").is_file()
    assert math.isfinite(float(np.load(tmp_path / "run" / "samples.npz")["draws"].mean()))
