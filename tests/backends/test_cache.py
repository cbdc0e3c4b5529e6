"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROGRAM = """
import torch
from invrender.backends.cpu import load
backend = load(torch.device("cpu"))
backend.interpolate(torch.zeros(3, 1), torch.zeros(0, 3).long(), torch.full((1, 1, 1), -1), torch.zeros(1, 3, 4))
from numba.core import config
assert not config.CACHE_DIR, config.CACHE_DIR
"""


def run(folder: Path) -> str:
    environment = {**os.environ, "INVRENDER_CACHE_DIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environment, capture_output=True, text=True, check=True)
    return done.stderr


def test_the_first_run_says_that_it_compiles_and_the_second_does_not(tmp_path):
    first = run(tmp_path)
    assert "compiling" in first
    assert len(first.splitlines()) == 1
    assert list(tmp_path.rglob("*.nbi"))
    assert run(tmp_path) == ""


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path):
    (tmp_path / "file").touch()
    assert "cannot be written" in run(tmp_path / "file")
