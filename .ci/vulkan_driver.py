"""Installs a software Vulkan driver that traces rays, for the tests: Mesa's lavapipe, by apt, where there is none yet.

Debian bookworm's own Mesa is too old: there it comes from the backports suite of the mirror that the machine already
uses, with its key. The machine's list of sources stays as it is. Exit code 0: there is a driver; 1: there is none, and
the last line says why.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

TRACES_RAYS = (24, 1)
"""The first version of Mesa whose software driver does."""

MISSING = "no software driver for Vulkan"
PACKAGES = ("mesa-vulkan-drivers", "libvulkan1")
TOO_OLD = {"bookworm": "bookworm-backports"}
"""Releases whose Mesa traces no rays, and the suite that has one that does."""


def main() -> int:
    """Install it, or say why not."""
    if (installed := _installed()) >= TRACES_RAYS:
        return _said(0, f"there is Mesa {'.'.join(map(str, installed))} already")
    if not shutil.which("apt-get") or (os.geteuid() != 0 and not shutil.which("sudo")):
        return _said(1, f"{MISSING}, and none can be installed: that takes apt-get and root")
    release = _release()
    with tempfile.TemporaryDirectory() as folder:
        try:
            options, suite = _sources(Path(folder), release)
            _apt([*options, "update"])
            _apt([*options, "install", "-y", "--no-install-recommends", *suite, *PACKAGES])
        except LookupError as error:
            return _said(1, f"{MISSING}: {error}")
        except subprocess.CalledProcessError as error:
            return _said(1, f"{MISSING}: apt-get failed with exit code {error.returncode}, see above")
    return _said(0, f"installed {', '.join(PACKAGES)}")


def _said(code: int, text: str) -> int:
    print(text)
    return code


def _installed() -> tuple[int, ...]:
    """The version of Mesa's Vulkan drivers that is installed; empty for none."""
    if not shutil.which("dpkg-query"):
        return ()
    asked = ["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", PACKAGES[0]]
    said = subprocess.run(asked, capture_output=True, text=True, check=False).stdout
    found = re.match(r"installed (\d+)\.(\d+)", said)
    return tuple(map(int, found.groups())) if found else ()


def _release() -> str:
    named = re.search(r'^VERSION_CODENAME="?(\w+)', Path("/etc/os-release").read_text(), re.MULTILINE)
    return named[1] if named else ""


def _sources(folder: Path, release: str) -> tuple[list[str], list[str]]:
    """Options of apt-get for sources of our own, and those that choose a suite."""
    if release not in TOO_OLD:
        return [], []
    uri, key = _mirror(release)
    signed = f"[signed-by={key}] " if key else ""
    suites = (release, TOO_OLD[release])
    (folder / "sources.list").write_text("".join(f"deb {signed}{uri} {suite} main\n" for suite in suites))
    (folder / "lists" / "partial").mkdir(parents=True)
    places = {"Etc::sourcelist": folder / "sources.list", "Etc::sourceparts": "-", "State::lists": folder / "lists"}
    sandbox = ["-o", "APT::Sandbox::User=root"]  # another user cannot read a folder of ours
    given = sandbox + [word for name, value in places.items() for word in ("-o", f"Dir::{name}={value}")]
    return given, ["-t", TOO_OLD[release]]


def _mirror(release: str) -> tuple[str, str]:
    """The address and the key of the machine's mirror of a release.

    Raises:
        LookupError: its sources name none.
    """
    files = [Path("/etc/apt/sources.list"), *sorted(Path("/etc/apt/sources.list.d").glob("*"))]
    for path in files:
        if path.is_file() and path.suffix in (".list", ".sources"):
            read = _stanzas if path.suffix == ".sources" else _lines
            if found := read(path.read_text(), release):
                return found
    raise LookupError(f"the machine's apt sources name no mirror of {release}")


def _stanzas(text: str, release: str) -> tuple[str, str] | None:
    """From a file of stanzas (deb822)."""
    for stanza in re.split(r"\n\s*\n", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)):
        words = {name.lower(): value.split() for name, value in re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.M)}
        main = release in words.get("suites", []) and "main" in words.get("components", [])
        if main and "deb" in words.get("types", []) and words.get("uris"):
            return words["uris"][0], " ".join(words.get("signed-by", [])[:1])
    return None


def _lines(text: str, release: str) -> tuple[str, str] | None:
    """From a file with one source a line."""
    for options, uri in re.findall(rf"^deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+{release}\s.*\bmain\b", text, re.MULTILINE):
        signed = re.search(r"signed-by=(\S+)", options)
        return uri, signed[1] if signed else ""
    return None


def _apt(arguments: list[str]) -> None:
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    rights = [] if os.geteuid() == 0 else ["sudo", "-n", "-E"]
    subprocess.run([*rights, "apt-get", "-q", *arguments], check=True, env=environment)


if __name__ == "__main__":
    sys.exit(main())
