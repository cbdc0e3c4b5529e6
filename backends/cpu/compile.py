"""How the entry points of the cpu backend are compiled, and where the machine code is kept.

The cache lies in the user's cache folder (INVRENDER_CACHE_DIR moves it), in a subfolder named after a digest of all
kernel sources: Numba looks at the file of an entry point alone, and would miss a change in a body that it calls.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

import numba
from numba import njit
from numba.core import config

P = ParamSpec("P")
R = TypeVar("R")

_SETTING = "CACHE_DIR"  # Numba defines its settings at run time, unseen by type checkers


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """Compile an entry point at its first call, without the interpreter's lock, and keep the result on disk."""
    folder = cache_folder()
    # Numba picks the folder while it decorates; other users of Numba in this process keep theirs.
    before: str = getattr(config, _SETTING)
    setattr(config, _SETTING, str(folder or before))
    try:
        return cast("Callable[P, R]", njit(cache=folder is not None, error_model="numpy", nogil=True)(function))
    finally:
        setattr(config, _SETTING, before)


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept; None where nothing can be written (then every process compiles anew)."""
    folder = user_cache() / "kernels" / _digest()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def user_cache() -> Path:
    """The folder for what can be made again: INVRENDER_CACHE_DIR, else the platform's place for it."""
    if given := os.environ.get("INVRENDER_CACHE_DIR"):
        return Path(given).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home() / "AppData" / "Local")) / "invrender" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "invrender"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "invrender"


def is_warm() -> bool:
    """Whether an earlier process has compiled for this version."""
    folder = cache_folder()
    return folder is not None and any(folder.rglob("*.nbi"))


def _digest() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]}".encode())
    here = Path(__file__).parent
    for path in sorted([*here.glob("*.py"), *(here.parent / "bodies").glob("*.py")]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
