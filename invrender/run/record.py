"""run.json: what ran, on what, how it ended. Plain data and the functions that read, describe and write it."""

from __future__ import annotations

import json
import os
import platform
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from invrender import __version__
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.processes import began, exists

Status = Literal["running", "finished", "failed", "interrupted"]

PACKAGES = ("torch", "numpy", "scipy", "scikit-image", "trimesh", "pygltflib", "pyvista", "vtk", "cholespy", "embreex")

LARGEST, BLOCK = 1 << 24, 4096  # bytes: of a run.json that is worth reading; that disks give out at least


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
        pid, began, host: who writes into the folder while the status is running; `began` tells processes of one number
            apart, where the system says when each began.
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
    began: str = ""
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
        began=began(os.getpid()),
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
    """The content of a run.json, or None if there is none that invrender wrote.

    Its `files`, `resumed` and `timings` are always there; what is not of their type is left out.
    """
    try:
        if path.stat().st_size > LARGEST:
            return None
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not (isinstance(data, dict) and "invrender" in data and isinstance(data.get("status"), str)):
        return None
    timings = data.get("timings")
    seconds = {k: v for k, v in timings.items() if isinstance(v, int | float)} if isinstance(timings, dict) else {}
    return data | {"files": _texts(data.get("files")), "resumed": _texts(data.get("resumed")), "timings": seconds}


def _texts(value: Any) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def write_record(path: Path, record: Record, lasting: bool = True) -> None:
    """Write run.json, whole or not at all; see `atomic_path`."""
    atomic_write_text(path, _text(record), lasting)


def amend_record(path: Path, record: Record) -> None:
    """Write run.json where it lies, if that takes no more room on the disk: the last resort where that is full."""
    data = _text(record).encode(errors="backslashreplace")
    if len(data) > -(-path.stat().st_size // BLOCK) * BLOCK:
        return
    with path.open("rb+", buffering=0) as file:
        file.write(data)
        file.truncate(len(data))


def _text(record: Record) -> str:
    return json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n"


def is_alive(record: Mapping[str, Any]) -> bool:
    """Whether another process that writes this run still lives, as far as this machine can tell."""
    if record.get("status") != "running" or record.get("host") != socket.gethostname():
        return False
    pid = record.get("pid")
    if not isinstance(pid, int) or pid == os.getpid() or not exists(pid):
        return False
    return record.get("began") in (None, "", began(pid))


def state(record: Mapping[str, Any]) -> str:
    """How a run stands, in words: a process that was killed could not say so itself."""
    status = str(record["status"])
    if status != "running" or is_alive(record):
        return status
    if record.get("host") == socket.gethostname():
        return f"stopped: process {record.get('pid')} ended without a word; run the same command again to go on"
    return f"running on {record.get('host')}, as far as can be told from here"
