"""What the reader of an input warns of is shown and stays with the run."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from invrender.cli.app import run

TETRAHEDRON = """mtllib gone.mtl
v 0 0 0\nv 1 0 0\nv 0 1 0\nv 0 0 1
f 1 3 2\nf 1 2 4\nf 1 4 3\nf 2 3 4
"""


def test_what_a_reader_says_is_in_the_log_and_in_run_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("some.obj").write_text(TETRAHEDRON)
    small = ["--size", "24", "--views", "4", "--iterations", "2", "--set", "gif_frames=0", "--backend", "torch"]
    assert run(["reconstruct", "some.obj", "-o", "out", "-q", *small]) == 0
    assert "gone.mtl" in caplog.text
    (warning, *_) = json.loads(Path("out/run.json").read_text())["warnings"]
    assert "gone.mtl" in warning
    assert f"warning: {warning}" in Path("out/log.txt").read_text()
