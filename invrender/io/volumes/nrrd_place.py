"""What the axes of an NRRD file mean, and where in the world its samples lie."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from invrender.io.volumes.axes import CHANNEL, FRAME
from invrender.io.volumes.grid import MAX_CHANNELS, default_axes
from invrender.io.volumes.nrrd_header import NrrdHeader

Vector = NDArray[np.float64]

_SPACE_KINDS = ("domain", "space")
_FRAME_KINDS = ("time", "list")
_UNNAMED = ("none", "???")
_SHORT = {"ras": "right-anterior-superior", "las": "left-anterior-superior", "lps": "left-posterior-superior"}


def roles(header: NrrdHeader) -> str:
    """A letter per axis, the slowest first, as `axes.arrange` takes them.

    Raises:
        ValueError: there are not three axes of space.
    """
    kinds = header.words("kinds") or ["???"] * len(header.sizes)
    spatial = _spatial(header, kinds)
    if sum(spatial) != 3:
        raise ValueError(f"{sum(spatial)} of its axes are spatial, not 3")
    letters, space = "", "xyz"
    for axis, (kind, inside) in enumerate(zip(kinds, spatial, strict=True)):
        if inside:
            letters, space = letters + space[0], space[1:]
        else:
            letters += _role(kind, axis == 0 and header.sizes[0] <= MAX_CHANNELS)
    return letters[::-1]


def _role(kind: str, fast_and_short: bool) -> str:
    if kind in _FRAME_KINDS or kind in _SPACE_KINDS:
        return FRAME
    if kind in _UNNAMED:
        return CHANNEL if fast_and_short else FRAME
    return CHANNEL


def _spatial(header: NrrdHeader, kinds: list[str]) -> list[bool]:
    if "spacedirections" in header.fields:
        rows = header.vectors("spacedirections")
        if len(rows) != len(kinds):
            raise ValueError(f"space directions: {header.fields['spacedirections']}")
        return [row is not None and any(row[:3]) for row in rows]
    if len(kinds) == 3:
        return [True] * 3
    known = [kind in _SPACE_KINDS for kind in kinds]
    if sum(known) == 3:
        return known
    spaced = [not math.isnan(step) for step in header.numbers("spacings")] if "spacings" in header.fields else []
    if sum(spaced) == 3 and not any(known):
        return spaced
    if any(known) and sum(known) < 3:
        return known
    others = len(kinds) - 3
    first = others == 1 and header.sizes[0] <= MAX_CHANNELS < min(header.sizes[1:]) and not any(known)
    return [False, True, True, True] if first else [True] * 3 + [False] * others


def place(header: NrrdHeader, letters: str) -> tuple[NDArray[np.float64], Vector]:
    """Axes [3,3] and origin [3] in the world.

    Raises:
        ValueError: vectors of a wrong length.
    """
    inside = np.array([letter in "xyz" for letter in letters[::-1]])
    shape = tuple(np.array(header.sizes)[inside][::-1].tolist())
    if "spacedirections" in header.fields:
        rows = [row[:3] for row in header.vectors("spacedirections") if row is not None and any(row[:3])]
        turn = _to_ras(header.fields.get("space", ""))
        axes = np.array(rows, np.float64).reshape(3, 3).T
        return turn[:, None] * axes + 0.0, turn * _origin(header) + 0.0
    axes, origin = default_axes(shape)
    steps = _steps(header, inside)
    if steps is not None:
        axes, origin = np.diag(steps), np.zeros(3)
    if "spaceorigin" in header.fields:
        return axes, _origin(header)
    if "axismins" in header.fields:
        lows = np.nan_to_num(np.array(header.numbers("axismins"))[inside])
        return axes, lows + np.where(_cells(header, inside), np.diag(axes) / 2, 0)
    return axes, origin


def _origin(header: NrrdHeader) -> Vector:
    if "spaceorigin" not in header.fields:
        return np.zeros(3)
    rows = header.vectors("spaceorigin")
    if len(rows) != 1 or rows[0] is None or len(rows[0]) < 3:
        raise ValueError(f"space origin: {header.fields['spaceorigin']}")
    return np.array(rows[0][:3], np.float64)


def _steps(header: NrrdHeader, inside: NDArray[np.bool_]) -> Vector | None:
    """Spacings, or what axis mins and maxs come to; None where the file has neither."""
    if "spacings" in header.fields:
        steps = np.array(header.numbers("spacings"))[inside]
        return None if np.isnan(steps).all() else steps
    if "axismins" in header.fields and "axismaxs" in header.fields:
        sides = (np.array(header.numbers("axismaxs")) - np.array(header.numbers("axismins")))[inside]
        counts = np.array(header.sizes, np.float64)[inside] - np.where(_cells(header, inside), 0, 1)
        return np.asarray(sides / np.maximum(counts, 1))
    return None


def _cells(header: NrrdHeader, inside: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Along which spatial axes the samples are centres of cells."""
    words = header.words("centers") or header.words("centerings") or ["node"] * len(header.sizes)
    return np.array([word == "cell" for word in words])[inside]


def _to_ras(space: str) -> Vector:
    """The signs that turn a patient's directions to right, anterior, superior; 1 where the space names none."""
    name = space.strip().strip('"').lower().removesuffix("-time")
    words = _SHORT.get(name.removesuffix("t") if len(name) == 4 else name, name).split("-")
    if len(words) != 3 or words[0] not in ("left", "right"):  # 3D-left-handed is no patient's space
        return np.ones(3)
    return np.array([-1.0 if word in words else 1.0 for word in ("left", "posterior", "inferior")])
