"""The command line also answers to `python -m invrender`."""

from __future__ import annotations

import subprocess
import sys

from invrender import __version__


def test_python_m_invrender() -> None:
    found = subprocess.run([sys.executable, "-m", "invrender", "--version"], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == f"invrender {__version__}"
