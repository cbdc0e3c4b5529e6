"""Doctor: a fix for everything that does not work, and an exit code that tells whether the rest can."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from invrender.cli.app import run

ROOT = str(Path(__file__).parents[2])


def test_a_working_machine_is_usable_and_every_gap_has_a_fix(capsys: pytest.CaptureFixture[str]) -> None:
    code = run(["doctor", "--json"])
    shown = capsys.readouterr().out
    assert code == 0, shown
    report = json.loads(shown)
    assert report["usable"]
    checks = {check["name"]: check for check in report["checks"]}
    assert checks["torch"]["status"] == checks["backend torch"]["status"] == "ok"
    for backend in ("cpu", "torch"):
        assert checks[f"backend {backend}"]["status"] == "ok"
        for kernel in ("rasterize", "interpolate", "antialias", "silhouette", "trace"):
            assert kernel in checks[f"backend {backend}"]["detail"]
        for kernel in ("line_integral", "joseph_rays", "smooth_step", "composite"):
            assert kernel in checks[f"backend {backend}"]["detail"]
    assert "backend cuda" in checks
    for check in checks.values():
        assert check["status"] in ("ok", "optional", "broken")
        assert check["detail"]
        assert check["fix"] or check["status"] == "ok"


def test_a_broken_package_is_red_with_its_fix(run_cli: Callable[..., Any], tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "trimesh.py").write_text("raise ImportError('libmissing.so.1: cannot open shared object file')\n")
    path = os.pathsep.join([str(broken), ROOT])
    outcome = run_cli("doctor", environment={"PYTHONPATH": path, "VTK_DEFAULT_OPENGL_WINDOW": "none"})
    assert outcome.code == 4
    lines = outcome.stdout.splitlines()
    (row,) = [index for index, line in enumerate(lines) if line.startswith("NO")]
    assert "trimesh" in lines[row]
    assert "libmissing.so.1" in lines[row]
    assert "pip install --force-reinstall trimesh" in lines[row + 1]
    assert "cannot work here" in lines[-1]
    assert "Traceback" not in outcome.stdout + outcome.stderr
