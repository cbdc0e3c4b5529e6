"""Imports point down the list of layers in pyproject.toml, and the contracts there see one that does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CHOICE = "Only the command line and public functions choose a backend"
ROOT = Path(__file__).parents[1]
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True))"


def lint(root: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a checkout."""
    given = {**os.environ, "PYTHONPATH": str(root), "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}
    return subprocess.run(
        [sys.executable, "-c", LINT], cwd=root, env=given, capture_output=True, text=True, check=False
    )


def test_imports_point_down() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("file", "line", "contract"),
    [
        ("nouns/mesh.py", "from invrender.kernels import Backend", "Imports point down the layers"),
        ("io/images.py", "from invrender.render.raster import *", "Imports point down the layers"),
        ("stray.py", "", "Imports point down the layers"),
        (
            "render/raster.py",
            "from invrender.backends import select",
            CHOICE,
        ),
        ("backends/cuda/launch.py", "from invrender.backends.select import select", "between backends point down"),
    ],
)
def test_an_import_that_points_up_is_seen(tmp_path: Path, file: str, line: str, contract: str) -> None:
    shutil.copytree(ROOT / "invrender", tmp_path / "invrender", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    changed = tmp_path / "invrender" / file
    changed.write_text(f"{changed.read_text() if changed.exists() else ''}\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1, done.stdout + done.stderr
    broken = [text for text in done.stdout.splitlines() if " BROKEN" in text]
    assert len(broken) == 1
    assert contract in broken[0]
