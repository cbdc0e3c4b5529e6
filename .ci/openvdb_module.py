"""Installs OpenVDB's own module for Debian's Python, for the tests of .vdb files: by apt, where there is none yet.

Exit code 0: there is one; 1: there is none, and the last line says why.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

PYTHON, PACKAGE = "/usr/bin/python3", "python3-openvdb"
MISSING = "no Python module of OpenVDB"


def main() -> int:
    """Install it, or say why not."""
    if _there():
        return _said(0, f"{PYTHON} has it already")
    if not shutil.which("apt-get") or (os.geteuid() != 0 and not shutil.which("sudo")):
        return _said(1, f"{MISSING}, and none can be installed: that takes apt-get and root")
    try:
        _apt("update")
        _apt("install", "-y", "--no-install-recommends", PACKAGE)
    except subprocess.CalledProcessError as error:
        return _said(1, f"{MISSING}: apt-get failed with exit code {error.returncode}, see above")
    return _said(0, f"installed {PACKAGE}") if _there() else _said(1, f"{MISSING}: {PACKAGE} is not for {PYTHON}")


def _said(code: int, text: str) -> int:
    print(text)
    return code


def _there() -> bool:
    look = "import importlib.util as u, numpy, sys; sys.exit(not any(map(u.find_spec, ('openvdb', 'pyopenvdb'))))"
    return shutil.which(PYTHON) is not None and subprocess.run([PYTHON, "-c", look], check=False).returncode == 0


def _apt(*arguments: str) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    rights = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
    subprocess.run([*rights, "apt-get", "-q", *arguments], check=True, env=environment)


if __name__ == "__main__":
    sys.exit(main())
