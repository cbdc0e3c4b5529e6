"""How much memory is free, asked before a file's promise of many numbers is believed."""

from __future__ import annotations

import os
from pathlib import Path

from invrender.errors import MemoryLimitError

SPARE = 0.9


def available_memory() -> int | None:
    """Free bytes, file caches included; None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:  # noqa: PTH123 - a device file, not a path of ours
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except OSError:
        pass
    names = getattr(os, "sysconf_names", {})
    if "SC_AVPHYS_PAGES" in names:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def check_room(path: Path, needed: int) -> None:
    """Refuse a file whose content does not fit in memory.

    Args:
        path: of the file.
        needed: bytes that reading it takes at once.

    Raises:
        MemoryLimitError: they are more than this machine has free.
    """
    room = available_memory()
    if room is not None and needed > SPARE * room:
        raise MemoryLimitError(
            f"{path} takes {needed / 2**30:.1f} GiB in memory, and {room / 2**30:.1f} are free",
            "reduce it (every second sample, or a part) in the program that made it, or use a larger machine",
        )
