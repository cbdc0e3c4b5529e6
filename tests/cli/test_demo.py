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
    for name, value in {"SIZE": "32", "VIEWS": "4", "ITERATIONS": "3", "GIF_FRAMES": "0"}.items():
        monkeypatch.setenv(f"INVRENDER_{name}", value)
    assert run(["demo"]) == 0
    folder = tmp_path / "outputs" / "demo"
    assert (folder / "mug.glb").is_file()
    assert json.loads((folder / "run" / "metrics.json").read_text())["views"] == 4
    assert "progress.gif" in capsys.readouterr().err
    assert run(["demo"]) == 6
    assert run(["demo", "--overwrite", "-q"]) == 0
