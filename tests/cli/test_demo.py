"""`invrender demo`: a sample, and a run that is reconstructed from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invrender.cli.app import run


def test_the_whole_way_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in {"SIZE": "32", "VIEWS": "4", "ITERATIONS": "3", "GIF_FRAMES": "0", "EFFORT": "0.1"}.items():
        monkeypatch.setenv(f"INVRENDER_{name}", value)
    assert run(["demo"]) == 0
    folder = tmp_path / "outputs" / "demo"
    assert (folder / "torus-knot.glb").is_file()
    assert json.loads((folder / "run" / "metrics.json").read_text())["views"] == 4
    told = capsys.readouterr().err
    assert "progress.gif" in told
    assert "report.html" in told
    assert "hollows" in told
    assert run(["demo"]) == 6
    assert run(["demo", "--overwrite", "-q"]) == 0
