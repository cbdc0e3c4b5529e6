"""Results on large grids are measured by the solver's projector, which comes close to exact integrals."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from invrender.backends import select
from invrender.io.volumes.write import write_volume
from invrender.methods.transmittance import report
from invrender.methods.transmittance import task as tasks
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns import Volume


def test_both_ways_of_measuring_tell_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    z, y, x = torch.meshgrid(*(torch.linspace(-1, 1, n) for n in (30, 28, 32)), indexing="ij")
    density = torch.exp(-3 * ((x - 0.2) ** 2 + 2 * y**2 + z**2))
    write_volume(tmp_path / "bump.npz", Volume(density[None], torch.tensor([[-0.5] * 3, [0.5] * 3]).double()))
    cpu = select("cpu")
    given = tasks.load(TransmittanceSettings(tmp_path / "bump.npz", views=6, size=40), cpu)
    result = tasks.Result(0.98 * density * given.extinction, 0.0, {}, 1.0, 0, False)
    exact = report.measure(given, result, cpu)
    calls = []
    monkeypatch.setattr("invrender.methods.transmittance.budget.LARGE", 1000)
    monkeypatch.setattr(report, "optical_depth", lambda *_: calls.append(1))
    projected = report.measure(given, result, cpu)
    assert not calls
    assert projected["views_psnr"] == pytest.approx(exact["views_psnr"], abs=0.3)
    for name, share in exact["view_residuals"].items():
        assert projected["view_residuals"][name] == pytest.approx(share, rel=0.05)
