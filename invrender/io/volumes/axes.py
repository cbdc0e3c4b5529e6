"""Which axis of a file's array is what: space, channels, or frames (time, a list), of which a volume is one."""

from __future__ import annotations

import logging
from pathlib import Path

import numpy as np

from invrender.errors import InputError, UsageError
from invrender.io.volumes.grid import MAX_CHANNELS, Array

log = logging.getLogger(__name__)

_PICTURE = 32  # pixels on a side, from which rows of 3 or 4 look like colours
SPACE, CHANNEL, FRAME = "zyx", "c", "t"
FOUR = "extinction, red, green, blue where they are drawn"


def arrange(values: Array, roles: str, frame: int | None, path: Path) -> Array:
    """[C,z,y,x] of an array whose axes have these roles, one letter each: z, y, x (in this order), c or t.

    Axes of one entry beside space are left out. Of the others at most one may be c and at most one t; `frame` chooses
    along the latter.

    Raises:
        InputError: there are several frames and none is chosen, more channels than any volume has, or too many axes.
        UsageError: that frame does not exist.
    """
    for axis in reversed(range(values.ndim)):
        if values.ndim > 3 and roles[axis] not in SPACE and values.shape[axis] == 1:
            values = values.squeeze(axis)
            roles = roles[:axis] + roles[axis + 1 :]
    if roles.count(CHANNEL) > 1 or roles.count(FRAME) > 1:
        raise InputError(
            f"{path} holds an array of {values.ndim} axes ({_sizes(values.shape)}), not a grid",
            "write one volume of three axes [z, y, x] into a file",
        )
    if FRAME in roles:
        axis = roles.index(FRAME)
        values = values.take(checked_frame(frame, values.shape[axis], path), axis)
        roles = roles.replace(FRAME, "")
    elif frame:
        raise UsageError(f"--frame is {frame}, and {path.name} holds one volume", "leave --frame out")
    if CHANNEL not in roles:
        return values[None]
    values = np.moveaxis(values, roles.index(CHANNEL), 0)
    if len(values) > MAX_CHANNELS:
        raise InputError(
            f"{path} holds {len(values)} values per sample",
            f"write one scalar per sample (up to {MAX_CHANNELS} channels are understood)",
        )
    return values


def checked_frame(frame: int | None, count: int, path: Path) -> int:
    """The frame that is asked for, of `count`.

    Raises:
        InputError: none is.
        UsageError: it does not exist.
    """
    if frame is None:
        raise InputError(
            f"{path} holds {count} volumes along a fourth axis (time, or a list)",
            f"choose one with --frame N, from 0 to {count - 1}",
        )
    if not 0 <= frame < count:
        raise UsageError(
            f"--frame is {frame}, and {path.name} holds {count} volumes", f"use a number from 0 to {count - 1}"
        )
    return frame


def array_roles(shape: tuple[int, ...], frame: int | None, path: Path) -> str:
    """The roles of the axes of an array that does not name them.

    Three axes are z, y, x. A fourth one of at most four entries, the first or else the last, holds channels, or frames
    where a frame is asked for; a longer one holds frames. Axes before these are frames.

    Raises:
        InputError: there are fewer than three axes.
    """
    if len(shape) < 3:
        raise InputError(
            f"{path} holds an array of {len(shape)} axes ({_sizes(shape)}), not a grid",
            "write an array [z, y, x] of numbers; pictures are stacked with numpy.stack",
        )
    if len(shape) == 3:
        if shape[2] in (3, 4) and min(shape[:2]) >= _PICTURE:
            log.warning("%s: %s samples along z, y, x; a colour picture is no volume", path.name, _sizes(shape))
        return SPACE
    outer, inner = shape[:-4], shape[-4:]
    role = FRAME if frame is not None and max(outer, default=1) == 1 else CHANNEL
    if inner[0] > MAX_CHANNELS >= inner[3] or inner[0] > 1 == inner[3]:
        return FRAME * len(outer) + SPACE + role
    return FRAME * len(outer) + (role if inner[0] <= MAX_CHANNELS else FRAME) + SPACE


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
