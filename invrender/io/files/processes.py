"""Whether a process of this machine still lives, so that what dead ones left can be told from work in progress."""

from __future__ import annotations

import os
from pathlib import Path


def exists(pid: int) -> bool:
    """Whether there is a process with this number, as far as this system tells (on Windows: False)."""
    if os.name == "nt" or pid <= 0:  # os.kill(pid, 0) would end the process there
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return _fields(pid)[:1] != ["Z"]  # one that has ended, and whose parent has not asked yet


def began(pid: int) -> str:
    """When a process began, in ticks since the system did; empty where that is not told. Numbers are used again."""
    fields = _fields(pid)
    return fields[19] if len(fields) > 19 else ""


def _fields(pid: int) -> list[str]:
    """The fields of /proc/PID/stat after the name: its state, ..., the time of its beginning; see proc(5)."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    return text.rpartition(")")[2].split()
