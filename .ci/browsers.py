"""Installs the browsers that the tests open reports in, by apt, where there are none yet: Chromium, Firefox and WebKit.

Exit code 0: Chromium is there with its driver; 1: it is not, and the last line says why. The tests do without the
others: each says what it lacks.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

NEEDED = {"chromium": "chromium", "chromedriver": "chromium-driver", "firefox-esr": "firefox-esr"}
WISHED = {"WebKitWebDriver": "webkit2gtk-driver", "xvfb-run": "xvfb", "xauth": "xauth"}
"""Commands, and the packages of Debian that have them."""


def main() -> int:
    """Install what is missing, or say why not."""
    if not any(shutil.which(command) is None for command in (*NEEDED, *WISHED)):
        return _said(0, "all browsers are there already")
    if not shutil.which("apt-get") or (os.geteuid() != 0 and not shutil.which("sudo")):
        return _said(_code(), "browsers cannot be installed: that takes apt-get and root")
    failed = []
    _apt("update")
    for packages in (NEEDED, WISHED):  # the wished ones must not keep the others away
        lacking = [package for command, package in packages.items() if shutil.which(command) is None]
        if lacking and _apt("install", "-y", "--no-install-recommends", *lacking):
            failed += lacking
    return _said(_code(), f"apt-get could not install {', '.join(failed)}" if failed else "installed browsers")


def _code() -> int:
    return int(any(shutil.which(command) is None for command in NEEDED))


def _said(code: int, text: str) -> int:
    print(text)
    return code


def _apt(*arguments: str) -> int:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    rights = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
    return subprocess.run([*rights, "apt-get", "-q", *arguments], check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
