"""Trying Vulkan adapters in a process of their own: drivers crash and hang, and Python can catch neither.

What was found is kept for a day in the user's cache folder, under a name that changes with slangpy, the shaders and the
drivers that are installed.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from invrender.backends.vulkan.adapters import Adapter
from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_write_text
from invrender.jit import user_cache

TIMEOUT = 120.0  # seconds; compiling all shaders on a slow machine takes a quarter of it
PATIENCE = 15.0  # seconds until one is told what takes so long
KEPT = 24 * 3600.0  # seconds
WORKER = (sys.executable, "-m", "invrender.backends.vulkan.worker")

_DRIVERS = ("/usr/share/vulkan", "/usr/local/share/vulkan", "/etc/vulkan", "~/.local/share/vulkan", "/dev/dri")
_SETTINGS = ("VK_", "MESA_", "LIBGL_", "LP_", "INVRENDER_VULKAN", "CUDA_VISIBLE", "NVIDIA_")


@dataclass(frozen=True)
class Report:
    """What the process said: one line for each adapter as it is found, tried and done."""

    found: tuple[Adapter, ...] = ()
    trying: str = ""
    done: tuple[Adapter, ...] = ()
    ending: str = ""


def adapters(fresh: bool = False, command: Sequence[str] = WORKER, timeout: float = TIMEOUT) -> tuple[Adapter, ...]:
    """All adapters of this machine, each tried with every kernel; those that do not work have a `problem`.

    Args:
        fresh: try them even if that was done within a day.
        command: the process that tries them.
        timeout: seconds that it may take.
    """
    if not fresh and (known := on_record()) is not None:
        return known
    found = _tried_once(tuple(command), timeout, _digest())
    if (path := _kept_at()) is not None:
        with suppress(UsageError, OSError):  # a folder that cannot be written costs time alone
            atomic_write_text(path, json.dumps([asdict(one) for one in found]), lasting=False)
    return found


def on_record() -> tuple[Adapter, ...] | None:
    """What was found within a day, or None."""
    path = _kept_at()
    return None if path is None else _kept(path)


def has_hardware() -> bool:
    """Whether there is an adapter that is no software driver, be it one that does not work."""
    return any(not one.software for one in adapters())


@cache
def _tried_once(command: tuple[str, ...], timeout: float, digest: str) -> tuple[Adapter, ...]:
    """What trying comes to; a driver that hangs is not waited for twice. `digest`: of all that decides it."""
    logging.getLogger(__name__).debug("trying Vulkan devices for %s", digest)
    return tuple(_tried(command, timeout))


def _tried(command: Sequence[str], timeout: float) -> Iterator[Adapter]:
    """Adapters as they are done. The process is started anew behind one that brought it down."""
    skip: list[str] = []
    while True:
        report = _run([*command, *skip], timeout)
        yield from report.done
        if not report.ending:
            return
        if not report.trying:  # it ended before it got to any adapter
            yield Adapter("Vulkan", problem=f"listing the devices {report.ending}")
            return
        broken = next((one for one in report.found if _key(one) == report.trying), Adapter(report.trying))
        yield replace(broken, problem=f"its driver {report.ending}")
        skip += [_key(one) for one in report.done] + [report.trying]


def _run(command: Sequence[str], timeout: float) -> Report:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        list(command), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace", env=environment
    )
    said, complaints, in_time = _heard(process, timeout)
    report = _parsed(said)
    if not in_time:
        return replace(report, ending=f"did not answer within {timeout:.0f} s")
    if process.returncode == 0:
        return report
    logging.getLogger(__name__).debug("trying Vulkan devices ended with:\n%s", complaints)
    return replace(report, ending=_ending(process.returncode, complaints))


def _heard(process: subprocess.Popen[str], timeout: float) -> tuple[str, str, bool]:
    """What a process prints, and whether it ended in time; else it is killed. A long wait is explained."""
    with suppress(subprocess.TimeoutExpired):
        return *process.communicate(timeout=min(PATIENCE, timeout)), True
    if timeout > PATIENCE:
        logging.getLogger(__name__).warning("trying Vulkan devices, %.0f s at most, once a day", timeout)
        with suppress(subprocess.TimeoutExpired):
            return *process.communicate(timeout=timeout - PATIENCE), True
    process.kill()
    return *process.communicate(), False


def _ending(code: int, stderr: str) -> str:
    if code < 0:
        return f"crashed ({signal.Signals(-code).name})"
    lines = [line for line in stderr.splitlines() if line.strip()]
    return f"failed: {lines[-1] if lines else f'exit code {code}'}"


def _parsed(text: str) -> Report:
    report = Report()
    for line in text.splitlines():
        with suppress(ValueError):  # drivers print, too
            said = json.loads(line)
            if isinstance(said, dict):
                report = _with(report, said)
    return report


def _with(report: Report, said: dict[str, Any]) -> Report:
    if "found" in said:
        return replace(report, found=(*report.found, _adapter(said["found"])))
    if "trying" in said:
        return replace(report, trying=said["trying"])
    if "done" in said:
        return replace(report, trying="", done=(*report.done, _adapter(said["done"])))
    return report


def _adapter(said: dict[str, Any]) -> Adapter:
    return Adapter(**{**said, "luid": tuple(said["luid"]), "features": tuple(said["features"])})


def _key(adapter: Adapter) -> str:
    return "-".join(map(str, adapter.luid)) or adapter.name


def _kept_at() -> Path | None:
    above = user_cache()
    return None if above is None else above / "vulkan" / f"adapters-{_digest()}.json"


def _kept(path: Path) -> tuple[Adapter, ...] | None:
    try:
        if not 0 <= time.time() - path.stat().st_mtime < KEPT:
            return None
        return tuple(_adapter(one) for one in json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):  # there is none, or it is damaged
        return None


def _digest() -> str:
    """Changes with whatever decides which adapters there are and whether they work."""
    parts = [metadata.version("slangpy"), sys.version, *_settings(), *_driver_files()]
    parts += [source.read_text(encoding="utf-8") for source in sorted(Path(__file__).parent.rglob("*.slang"))]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _settings() -> list[str]:
    return sorted(f"{name}={value}" for name, value in os.environ.items() if name.startswith(_SETTINGS))


def _driver_files() -> list[str]:
    files = (path for folder in _DRIVERS for path in sorted(Path(folder).expanduser().rglob("*")))
    return [f"{path} {path.stat().st_mtime_ns}" for path in files if path.exists()]
