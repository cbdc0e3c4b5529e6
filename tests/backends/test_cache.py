"""Where compiled kernels are kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BACKEND = """
import torch
from invrender.backends.cpu import load
backend = load(torch.device("cpu"))
backend.interpolate(torch.zeros(3, 1), torch.zeros(0, 3).long(), torch.full((1, 1, 1), -1), torch.zeros(1, 3, 4))
"""
GEOMETRY = """
import numpy as np
from invrender.geometry.intersections import self_intersections
self_intersections(np.eye(3), np.array([[0, 1, 2], [0, 2, 1]]))
from numba.core import config
assert not config.CACHE_DIR, config.CACHE_DIR
"""


def run(folder: Path, program: str = BACKEND) -> str:
    environment = {**os.environ, "INVRENDER_CACHE_DIR": str(folder), "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stderr


@pytest.mark.parametrize("program", [BACKEND + GEOMETRY, GEOMETRY], ids=["backend", "geometry"])
def test_the_first_run_says_once_that_it_compiles_and_the_second_does_not(tmp_path, program):
    first = run(tmp_path, program)
    assert "compiling" in first
    assert len(first.splitlines()) == 1
    assert list(tmp_path.rglob("*.nbi"))
    assert run(tmp_path, program) == ""


def test_a_folder_that_cannot_be_written_is_no_obstacle(tmp_path):
    (tmp_path / "file").touch()
    assert "cannot be written" in run(tmp_path / "file")
