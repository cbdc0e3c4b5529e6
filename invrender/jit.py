"""How Numba functions are compiled, and where the machine code is kept.

The cache lies in the user's cache folder (INVRENDER_CACHE_DIR moves it), in a subfolder named after a digest of all
sources that a kernel may be made of: Numba looks at the file of an entry point alone, and would miss a change in a
body that it calls.
"""

from __future__ import annotations

import hashlib
import inspect
import logging
import os
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba import njit
from numba.core import config, event

P = ParamSpec("P")
R = TypeVar("R")

_SETTING = "CACHE_DIR"  # Numba defines its settings at run time, unseen by type checkers


def kernel_in(folder: Path | None, function: Callable[P, R], fast: frozenset[str] = frozenset()) -> Callable[P, R]:
    """Compile an entry point at its first call, without the interpreter's lock, and keep the result in `folder`.

    Without a folder the result is not kept. `fast` names what LLVM may do with floating-point arithmetic.
    """
    # Numba picks the folder while it decorates; other users of Numba in this process keep theirs.
    before: str = getattr(config, _SETTING)
    setattr(config, _SETTING, str(folder or before))
    try:
        compiled = njit(cache=folder is not None, error_model="numpy", nogil=True, fastmath=set(fast))(function)
    finally:
        setattr(config, _SETTING, before)
    _kept[id(compiled)] = folder is not None
    return cast("Callable[P, R]", compiled)


def kernel(function: Callable[P, R]) -> Callable[P, R]:
    """`kernel_in` for an entry point whose bodies all lie in its own folder."""
    return kernel_in(cache_folder(Path(inspect.getfile(function)).parent), function)


def body(function: Callable[P, R]) -> Callable[P, R]:
    """Compile a function that only kernels call, as a part of them."""
    return cast("Callable[P, R]", njit(error_model="numpy", nogil=True)(function))


@cache
def announce(kept: bool) -> None:
    """Say in the log that kernels are being compiled, and whether for good; once."""
    again = "later runs start at once" if kept else "the cache folder cannot be written: every run will"
    logging.getLogger(__name__).warning("compiling kernels, a matter of seconds; %s", again)


@cache
def cache_folder(*sources: Path, compiler: str = "") -> Path | None:
    """Where kernels made of the Python files in some folders are kept; None where nothing can be written.

    Then every process compiles anew. `compiler` tells versions of a compiler beyond Numba's own.
    """
    folder = user_cache() / "kernels" / _digest(*sources, compiler=compiler)
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


def _digest(*sources: Path, compiler: str) -> str:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]} {compiler}".encode())
    for path in [Path(__file__), *sorted(path for folder in sources for path in folder.glob("*.py"))]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


_kept: dict[int, bool] = {}
"""Whether entry points are kept on disk, by their identity: they live as long as the process."""


class _Announcer(event.Listener):
    """Speaks up at the first entry point that is really compiled, not loaded from its folder."""

    def on_start(self, event: Any) -> None:
        dispatcher = id(event.data["dispatcher"])
        if dispatcher in _kept:
            announce(_kept[dispatcher])

    def on_end(self, event: Any) -> None:
        """Nothing is left to say."""


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]
