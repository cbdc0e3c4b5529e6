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
        each = _sizes(tuple(n for n, role in zip(values.shape, roles, strict=True) if role in SPACE)[::-1])
        values = values.take(checked_frame(frame, values.shape[axis], path, f", each of {each} samples"), axis)
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


def checked_frame(frame: int | None, count: int, path: Path, more: str = "") -> int:
    """The frame that is asked for, of `count`; `more` is said of them where none is.

    Raises:
        InputError: none is.
        UsageError: it does not exist.
    """
    if frame is None:
        raise InputError(
            f"{path} holds {count} volumes along a fourth axis (time, or a list){more}",
            f"choose one with --frame N, from 0 to {count - 1}",
        )
    if not 0 <= frame < count:
        raise UsageError(
            f"--frame is {frame}, and {path.name} holds {count} volumes", f"use a number from 0 to {count - 1}"
        )
    return frame


def unnamed(values: Array, frame: int | None, path: Path, colours: bool = False) -> Array:
    """[C,z,y,x] of an array that does not name its axes.

    Three axes are z, y, x. A fourth one of at most four entries, the first or else the last, holds channels, or frames
    where a frame is asked for; a longer one holds frames. Axes before these are frames. Axes of one entry are left out
    wherever they stand, as long as three remain.

    Args:
        values: the array.
        frame: which volume of several.
        path: of the file.
        colours: whether four channels are known to be extinction and colours; else it is said what they are taken for.

    Raises:
        InputError: there are fewer than three axes, or several frames and none is chosen, or too many channels.
        UsageError: that frame does not exist.
    """
    if values.ndim < 3:
        raise InputError(
            f"{path} holds an array of {values.ndim} axes ({_sizes(values.shape)}), not a grid",
            "write an array [z, y, x] of numbers; pictures are stacked with numpy.stack",
        )
    while values.ndim > 3 and 1 in values.shape:
        values = values.squeeze(values.shape.index(1))
    roles = _guessed(values.shape, frame)
    if values.ndim == 3:
        if values.shape[2] in (3, 4) and min(values.shape[:2]) >= _PICTURE:
            log.warning("%s: %s samples along z, y, x; a colour picture is no volume", path.name, _sizes(values.shape))
    elif CHANNEL in roles and values.shape[roles.index(CHANNEL)] == MAX_CHANNELS and not colours:
        log.warning(
            "%s: the array is %s, and its %s axis is taken for channels (%s); if these are four volumes, "
            "choose one with --frame N",
            path.name,
            _sizes(values.shape),
            "last" if roles.endswith(CHANNEL) else "first" if roles.startswith(CHANNEL) else "fourth last",
            FOUR,
        )
    return arrange(values, roles, frame, path)


def _guessed(shape: tuple[int, ...], frame: int | None) -> str:
    """The roles of the axes of an array, as `unnamed` tells."""
    if len(shape) == 3:
        return SPACE
    outer, inner = shape[:-4], shape[-4:]
    role = FRAME if frame is not None and not outer else CHANNEL
    if inner[0] > MAX_CHANNELS >= inner[3]:
        return FRAME * len(outer) + SPACE + role
    return FRAME * len(outer) + (role if inner[0] <= MAX_CHANNELS else FRAME) + SPACE


def _sizes(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "a single number"
