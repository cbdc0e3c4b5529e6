"""Fixtures for every test: the command line in a subprocess, and one thread per worker."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

if "PYTEST_XDIST_WORKER" in os.environ:  # the workers share the cores; threads within them only get in the way
    torch.set_num_threads(1)
    os.environ["OMP_NUM_THREADS"] = "1"


@dataclass(frozen=True)
class Outcome:
    """What one call of the command line left behind."""

    code: int
    stdout: str
    stderr: str


RunCli = Callable[..., Outcome]


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("INVRENDER_")]:
        monkeypatch.delenv(name)


@pytest.fixture
def run_cli(tmp_path: Path) -> RunCli:
    """Run `invrender ARGUMENTS...` through its real entry point, in a subprocess whose folder is tmp_path."""

    def run(*arguments: object, environment: dict[str, str] | None = None, timeout: float = 120) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-m", "invrender.cli.app", *map(str, arguments)],
            cwd=tmp_path,
            env=cli_environment() | (environment or {}),
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run


def cli_environment() -> dict[str, str]:
    """The environment of a subprocess that runs this checkout, without colours, one thread."""
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", "COLUMNS": "120", "OMP_NUM_THREADS": "1"}
