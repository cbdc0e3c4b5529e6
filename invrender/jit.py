"""How Numba functions are compiled, and where the machine code is kept.

The cache lies in the user's cache folder (INVRENDER_CACHE_DIR moves it), in subfolders named after a digest of all
sources that the kernels of a module may be made of: the module, and what it imports from this package, directly or not.
Numba checks the file of an entry point alone, and would miss a change in a body that it calls or in a constant that it
freezes.
"""

from __future__ import annotations

import hashlib
import importlib
import logging
import os
import pickle
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
from numba import njit
from numba.core import caching, config, event
from numba.core.runtime.nrt import rtsys

from invrender.compiling import Whole, changed, link_parts, share_among_literals

P = ParamSpec("P")
R = TypeVar("R")

PART: dict[str, Any] = {
    "error_model": "numpy",
    "nogil": True,
    "no_cpython_wrapper": True,
    "no_cfunc_wrapper": True,
}
"""How functions are compiled that only kernels call: without the ways in from Python and C, which nobody takes."""

_KERNEL: dict[str, Any] = {
    "error_model": "numpy",
    "nogil": True,
    "no_cfunc_wrapper": True,
    "pipeline_class": Whole,
}
"""How entry points are compiled, which Python calls."""

_SETTING = "CACHE_DIR"  # Numba defines its settings at run time, unseen by type checkers


def kernel(function: Callable[P, R], fast: frozenset[str] = frozenset()) -> Callable[P, R]:
    """Compile an entry point at its first call, without the interpreter's lock, and keep the result on disk.

    `fast` names what LLVM may do with floating-point arithmetic.
    """
    folder = cache_folder(function.__module__)
    # Numba picks the folder while it decorates.
    with changed(config, _SETTING, str(folder or getattr(config, _SETTING))):
        compiled = njit(cache=folder is not None, fastmath=set(fast), **_KERNEL)(function)
    _kept[id(compiled)] = folder is not None
    if folder is not None:
        _keep_by_content(vars(compiled)["_cache"], folder)
        _forgive(vars(compiled)["_cache"], folder)
    link_parts(compiled, folder)
    return cast("Callable[P, R]", compiled)


@cache
def _prepare() -> None:
    """Let Numba import what it needs before its first kernel without scipy.linalg, for which it only asks.

    The answer decides how `np.inner` and the like are done within kernels; `np.dot` asks again, where one has it. The
    import would take as long as all of Numba's own.
    """
    linalg: Any = importlib.import_module("numba.np.linalg")
    ask = linalg.ensure_blas

    def refuse() -> None:
        raise ImportError

    linalg.ensure_blas = refuse
    try:
        importlib.import_module("numba.np.arraymath")
    finally:
        linalg.ensure_blas = ask


def _keep_by_content(kept: Any, folder: Path) -> None:
    """Have Numba find a kernel by what is in its sources, which its folder is named by, not by where they lie and since
    when: what an installation has compiled serves the next one.
    """
    make: Any = caching.IndexDataCacheFile
    kept._cache_file = make(str(folder), kept._impl.filename_base, source_stamp=None)


def _forgive(kept: Any, folder: Path) -> None:
    """Let Numba go on where a kernel cannot be kept, or where what was kept is damaged: it is compiled anew."""
    save = kept.save_overload

    def save_if_possible(*given: Any) -> None:
        try:
            save(*given)
        except OSError as error:
            tell_unkept(folder.parent, error.strerror)

    def load_if_whole(signature: Any, context: Any) -> Any:
        rtsys.initialize(context)  # machine code calls it
        try:
            # Without what `load_overload` does first: it imports all that kernels are compiled with.
            found = kept._load_overload(signature, context)
        except (OSError, EOFError, pickle.UnpicklingError):  # the machine went down before all of it was on the disk
            with suppress(OSError):
                kept.flush()
            found = None
        if found is None:
            _prepare()
        return found

    kept.save_overload, kept.load_overload = save_if_possible, load_if_whole


def body(function: Callable[P, R], **options: Any) -> Callable[P, R]:
    """Compile a function that only kernels call, as a part of them; `options` are Numba's, beside PART."""
    compiled = njit(**PART | options)(function)
    share_among_literals(compiled)
    return cast("Callable[P, R]", compiled)


@cache
def announce(kept: bool) -> None:
    """Say in the log that kernels are being compiled, and whether for good; once."""
    unkept = "the cache folder cannot be written: every run will (set INVRENDER_CACHE_DIR to a folder that can be)"
    again = "later runs start at once" if kept else unkept
    took = "a matter of seconds, with light through media up to two minutes"
    logging.getLogger(__name__).warning("compiling kernels, %s; %s", took, again)


@cache
def tell_unkept(folder: Path, reason: str) -> None:
    """Say in the log that a full disk, say, keeps nothing; once."""
    logging.getLogger(__name__).warning(
        "compiled kernels cannot be kept in %s (%s): every run compiles anew (set INVRENDER_CACHE_DIR to another)",
        folder,
        reason,
    )


@cache
def cache_folder(module: str, compiler: str = "") -> Path | None:
    """Where the kernels of a module are kept; None where nothing can be written: then every process compiles anew.

    `compiler` names a further compiler and its version.
    """
    above = user_cache()
    if above is None:
        return None
    folder = above / "kernels" / _digest(module, compiler)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return folder
    except OSError:
        return None


def user_cache() -> Path | None:
    """The cache folder: INVRENDER_CACHE_DIR, else the platform's usual one; None for a user without a home."""
    try:
        return _user_cache()
    except (RuntimeError, OSError):  # a container's user has none, and a folder that is gone has no absolute name
        return None


def _user_cache() -> Path:
    if given := os.environ.get("INVRENDER_CACHE_DIR"):
        return Path(given).expanduser().absolute()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "invrender" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "invrender"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "invrender"


def _digest(module: str, compiler: str) -> str:
    digest = hashlib.sha256(f"{numba.__version__} {sys.version_info[:2]} {compiler}".encode())
    for name in sorted(_closure(module)):
        digest.update(f"{name} {_scan(name)[0]}".encode())
    return digest.hexdigest()[:16]


def _closure(module: str) -> set[str]:
    """The module and every module of this package that its source names in an import, directly or through others.

    Imports of types and within functions count as well: too much is compiled anew when they change, never too little.
    """
    found, pending = set(), [module]
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(_scan(name)[1])
    return found


@cache
def _scan(name: str) -> tuple[str, tuple[str, ...]]:
    """The digest of a module's source, and the modules of this package that it imports."""
    path = _file(name)
    if not path:
        return "", ()
    source = path.read_bytes()
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return hashlib.sha256(source).hexdigest(), tuple(_imports(source.decode(), package))


_ROOT = __name__.partition(".")[0]
_COMMENT = re.compile(r"#.*")
_IMPORT = re.compile(r"^[ \t]*(?:from[ \t]+(\.*)([\w.]*)[ \t]+import\b(?:[ \t]*\(([^)]*)\)|(.*))|import\b(.*))", re.M)


def _imports(source: str, package: str) -> Iterator[str]:
    """The modules of this package that import statements name. Parsing the source would take far longer."""
    for dots, base, several, few, plain in _IMPORT.findall(_COMMENT.sub("", source)):
        above = package.split(".")[: len(package.split(".")) + 1 - len(dots)] if dots else []
        full = ".".join(filter(None, [*above, base]))
        for name in _names(several or few or plain):
            inner = ".".join(filter(None, [full, name]))  # a module, or else a name from `full`
            if inner.partition(".")[0] == _ROOT:
                yield inner if _file(inner) else full


def _names(listed: str) -> list[str]:
    """What is imported by `a, b as c, d.e`: a, b and d.e."""
    return [words[0] for words in map(str.split, listed.split(",")) if words]


@cache
def _file(name: str) -> Path | None:
    """The source of a module, loaded or not, without importing it; None if there is no such module."""
    if path := getattr(sys.modules.get(name), "__file__", None):
        return Path(path)
    parent, _, last = name.rpartition(".")
    candidates = [
        path for folder in _folders(parent) for path in (folder / last / "__init__.py", folder / f"{last}.py")
    ]
    return next(filter(Path.is_file, candidates), None)


def _folders(package: str) -> list[Path]:
    """Where the modules of a package lie."""
    if package in sys.modules:
        return [Path(path) for path in getattr(sys.modules[package], "__path__", ())]
    path = _file(package) if package else None
    return [path.parent] if path and path.name == "__init__.py" else []


_kept: dict[int, bool] = {}
"""Whether entry points are kept on disk, by their identity: they live as long as the process."""


class _Announcer(event.Listener):
    """Logs the first entry point that is really compiled, not loaded from its folder."""

    def on_start(self, event: Any) -> None:
        dispatcher = id(event.data["dispatcher"])
        if dispatcher in _kept:
            announce(_kept[dispatcher])

    def on_end(self, event: Any) -> None:
        """Nothing is left to say."""


event.register("numba:compile", _Announcer())  # type: ignore[no-untyped-call]
