"""run.json: what ran, on what, how it ended. Plain data and the functions that read, describe and write it."""

from __future__ import annotations

import json
import os
import platform
import socket
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from invrender import __version__
from invrender.io.files.atomic import atomic_write_text

Status = Literal["running", "finished", "failed", "interrupted"]

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "trimesh", "pygltflib", "pyvista", "vtk", "cholespy", "embreex")


@dataclass(frozen=True)
class Record:
    """The content of run.json.

    Attributes:
        invrender: version that wrote it.
        command, argv: what was called.
        status: running, finished, failed or interrupted.
        started, ended: UTC, ISO 8601; `seconds` that the last process spent.
        resumed: when a stopped run was resumed.
        seed, backend, device: what the numbers came from.
        timings: seconds by phase.
        versions: of Python and of each package that matters and is installed.
        machine: operating system, processor, cores.
        pid, host: who writes into the folder while the status is running.
        files: what the run put into the folder; only these are ever removed again.
        error: one line, where the run failed.
        warnings: what looked wrong in the input and in the result.
        extinction: of a volume's run: the factor between its values and the measured optical depths.
    """

    invrender: str = __version__
    command: str = ""
    argv: tuple[str, ...] = ()
    status: Status = "running"
    started: str = ""
    ended: str | None = None
    resumed: tuple[str, ...] = ()
    seconds: float | None = None
    seed: int | None = None
    backend: str | None = None
    device: str | None = None
    timings: dict[str, float] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    machine: dict[str, str | int | None] = field(default_factory=dict)
    pid: int = 0
    host: str = ""
    files: tuple[str, ...] = ()
    error: str | None = None
    warnings: tuple[str, ...] = ()
    extinction: float | None = None


def new_record(command: str, argv: tuple[str, ...]) -> Record:
    """The record of a run that starts now, in this process."""
    return Record(
        command=command,
        argv=argv,
        started=now(),
        versions=versions(),
        machine={"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        pid=os.getpid(),
        host=socket.gethostname(),
    )


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that are installed, without importing them."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def read_record(path: Path) -> dict[str, Any] | None:
    """The content of a run.json, or None if there is none that invrender wrote."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return data if isinstance(data, dict) and "invrender" in data and "status" in data else None


def write_record(path: Path, record: Record) -> None:
    """Write run.json, whole or not at all."""
    atomic_write_text(path, json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n")


def is_alive(record: dict[str, Any]) -> bool:
    """Whether the process that writes this run still lives, as far as this machine can tell."""
    if record.get("status") != "running" or record.get("host") != socket.gethostname():
        return False
    pid = record.get("pid")
    if not isinstance(pid, int) or pid <= 0 or pid == os.getpid():
        return False
    return _exists(pid)


def _exists(pid: int) -> bool:
    if os.name == "nt":  # os.kill(pid, 0) would end the process there
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
