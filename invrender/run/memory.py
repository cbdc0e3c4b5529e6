"""Whether a job fits in memory, asked before it starts."""

from __future__ import annotations

import math
import sys

from invrender.errors import MemoryLimitError
from invrender.io.files.memory import SPARE, available_memory

PER_VOXEL = 4 * 14  # bytes: the grids that a solver holds at once, and the reference
PER_RAY = 160  # bytes: rays, their data, and what sorting them takes for a moment
PER_PIXEL = 40  # bytes: of pictures that are drawn and held together


def check_memory(
    shape: tuple[int, int, int],
    rays: int,
    available: int | None = None,
    per_voxel: float = PER_VOXEL,
    per_ray: float = PER_RAY,
) -> None:
    """Refuse a job that needs more than this machine has free.

    Args:
        shape: (D, H, W) of the grid.
        rays: pixels of all views.
        available: bytes; measured if None.
        per_voxel, per_ray: bytes of each.

    Raises:
        MemoryLimitError: naming the largest grid that fits.
    """
    room = available_memory() if available is None else available
    if room is None:
        return
    needed = math.prod(shape) * per_voxel + rays * per_ray
    if needed <= SPARE * room:
        return
    left = SPARE * room - rays * per_ray
    have = f"{needed / 2**30:.1f} GiB are needed and {room / 2**30:.1f} are free"
    if left < 8 * per_voxel:
        raise MemoryLimitError(f"the images alone do not fit: {have}", "use fewer --views or a smaller --size")
    share = (left / per_voxel / math.prod(shape)) ** (1 / 3)
    largest = " x ".join(str(max(2, int(n * share))) for n in shape[::-1])
    raise MemoryLimitError(
        f"a grid of {shape[2]} x {shape[1]} x {shape[0]} does not fit: {have}", f"the largest that fits is {largest}"
    )


def check_pictures(
    count: int, size: tuple[int, int], available: int | None = None, at_work: int = 0, per_pixel: int = PER_PIXEL
) -> None:
    """Refuse more pixels than this machine can hold.

    Args:
        count: pictures.
        size: (H, W) of each.
        available: bytes; measured if None.
        at_work: how many pictures' worth is needed besides, while they are drawn.
        per_pixel: bytes of each.

    Raises:
        MemoryLimitError: naming what would be needed.
    """
    room = available_memory() if available is None else available
    needed = (count + at_work) * math.prod(size) * per_pixel
    if room is not None and needed > SPARE * room:
        raise MemoryLimitError(
            f"{count} pictures of {size[1]} x {size[0]} pixels do not fit: {needed / 2**30:.1f} GiB are needed and "
            f"{room / 2**30:.1f} are free",
            "use a smaller --size or fewer --views",
        )


def give_back() -> None:
    """Return to the system what was freed, and the C library keeps: where it is glibc, which keeps hundreds of MiB."""
    import ctypes

    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)


def resident() -> int:
    """Bytes that this process holds now; where the system does not say, the most that it has held, or 0."""
    return _status("VmRSS") or peak()


def peak() -> int:
    """The most bytes that this process has held so far; 0 where the system does not say."""
    return _status("VmHWM") or _usage()


def _status(name: str) -> int:
    try:
        with open("/proc/self/status", encoding="ascii") as file:  # noqa: PTH123 - a device file, not a path of ours
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith(f"{name}:")), 0)
    except OSError:
        return 0


def _usage() -> int:
    try:
        import resource
    except ImportError:  # Windows
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024
