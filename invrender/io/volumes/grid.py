"""From the arrays of volume files to `Volume`: axes sorted along the world's, samples on grid vertices, all checked."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.content import remedy_by_content
from invrender.io.volumes.oblique import is_turned, is_upright, resample_upright, sorted_axes
from invrender.nouns import Volume

log = logging.getLogger(__name__)
Array = NDArray[Any]

MAX_CHANNELS = 4
SMALLEST, LARGEST = 1e-30, 1e30  # of a box, in its own units
FLATTEST = 1e9  # longest side over shortest
_COARSE = 1e-5  # of values: about a hundred steps of float32
_FLAT = 1e-6  # of the box that three axes span, as a share of what they could


@dataclass(frozen=True)
class Grid:
    """What a file says about a regular grid.

    Attributes:
        values: [C,k,j,i] of any number type.
        axes: [3,3]; column a is the step in the world from one sample to the next along i, j, k (a = 0, 1, 2).
        origin: [3], the world position of sample (0, 0, 0).
        placement: [3,4], where the file keeps a frame of its own, in which axes and origin then are (`Volume`).
        units: of length, where the file says so.
        spaced: whether the file tells the spacing; False: axes are those of `default_axes`.
    """

    values: Array
    axes: NDArray[np.float64]
    origin: NDArray[np.float64]
    placement: NDArray[np.float64] | None = None
    units: str | None = None
    spaced: bool = True


def to_volume(grid: Grid, path: Path) -> Volume:
    """The volume of a grid, float32, its axes sorted as the world's run.

    A grid that is turned against its world keeps its samples, in a frame of its own: turned upright about its centre,
    with the way back as `Volume.placement`. Axes that are sheared are resampled onto upright ones.

    Raises:
        InputError: fewer than two samples along an axis, values that are no finite numbers, an impossible spacing or
            extent, or axes that lie in one plane.
        MemoryLimitError: resampling would not fit.
    """
    _check_extent(grid.values.shape[1:], path)
    _check_axes(grid, path)
    if _wrapped(grid.values):
        log.warning(
            "%s: no values from 20000 to 60000, but higher ones, as where negative numbers are read as unsigned "
            "(-1000 as 64536); if so, write the file as int16 (.raw: --dtype int16)",
            path.name,
        )
    grid = replace(grid, values=finite(grid.values, path))
    if not (is_upright(grid.axes) or is_turned(grid.axes)):
        values, axes, origin = resample_upright(grid.values, grid.axes, grid.origin, path)
        grid = replace(grid, values=values, axes=axes, origin=origin)
    order, signs = sorted_axes(grid.axes)
    values = grid.values.transpose(0, *(3 - order[axis] for axis in (2, 1, 0)))
    steps = np.linalg.norm(grid.axes, axis=0)[order]
    low = grid.origin.copy()
    straight = is_upright(grid.axes)
    for axis, sign in enumerate(signs):
        if sign < 0:
            values = np.flip(values, 3 - axis)
            last = values.shape[3 - axis] - 1
            low += (-steps[axis] * np.eye(3)[axis] if straight else grid.axes[:, order[axis]]) * last
    sides = steps * (np.array(values.shape[:0:-1]) - 1)
    placement = grid.placement
    if not straight:
        low, placement = _turned_upright(grid.axes[:, order] * signs / steps, low, sides)
    with np.errstate(over="ignore"):  # what overflows is refused next
        bounds = np.stack([low, low + sides])
    _check_bounds(bounds, path)
    return Volume(
        values=torch.from_numpy(np.ascontiguousarray(values)),
        bounds=torch.from_numpy(bounds),
        units=grid.units,
        placement=None if placement is None else torch.from_numpy(placement),
    )


def _turned_upright(
    directions: NDArray[np.float64], low: NDArray[np.float64], sides: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first corner [3] of a turned box once it is upright, its centre where it was, and the way back [3,4]."""
    centre = low + directions @ sides / 2
    return centre - sides / 2, np.column_stack([directions, centre - directions @ centre])


def upright(volume: Volume, path: Path) -> Volume:
    """A volume on upright axes of its world: resampled where it is turned, which is said; else itself.

    Raises:
        MemoryLimitError: it would not fit.
    """
    if volume.placement is None:
        return volume
    values, axes, origin = resample_upright(scalars(volume), *place(volume), path)
    bounds = np.stack([origin, origin + np.diag(axes) * (np.array(values.shape[:0:-1]) - 1)])
    return Volume(torch.from_numpy(values), torch.from_numpy(bounds), volume.name, volume.units)


def default_axes(shape: tuple[int, ...]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes and origin for a file that has none: cubic cells, the longest axis of length 1, the centre at 0."""
    counts = np.array(shape[::-1], np.float64) - 1
    step = 1 / max(float(counts.max()), 1.0)
    return np.eye(3) * step, -counts * step / 2


def spacing(volume: Volume) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Distance between samples along x, y, z and the position of the first one, [3] float64 each."""
    bounds = volume.bounds.detach().cpu().double().numpy()
    counts = np.array(volume.values.shape[:0:-1]) - 1
    return (bounds[1] - bounds[0]) / counts, bounds[0]


def place(volume: Volume) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes [3,3] and origin [3] of the grid in the world of its file, as `Grid` has them."""
    steps, origin = spacing(volume)
    if volume.placement is None:
        return np.diag(steps), origin
    turn = volume.placement.detach().cpu().double().numpy()
    return turn[:, :3] * steps, turn[:, :3] @ origin + turn[:, 3]


def scalars(volume: Volume) -> NDArray[np.float32]:
    """The values [C,D,H,W] as numpy."""
    values: NDArray[np.float32] = np.ascontiguousarray(volume.values.detach().cpu().float().numpy())
    return values


def damaged(path: Path, reason: object) -> InputError:
    """The error for a file that its own format's rules forbid."""
    text = str(reason).strip().splitlines()[0][:160] if str(reason).strip() else type(reason).__name__
    return InputError(
        f"{path} cannot be read as {path.suffix.lower()}: {text}",
        remedy_by_content(path) or "the file is damaged or of another kind: export it again, or convert it to .npz",
    )


def size_lie(path: Path, shape: tuple[int, ...], needed: int, found: int) -> InputError:
    """The error for a file whose header and data disagree."""
    grid = " x ".join(str(n) for n in reversed(shape))
    return InputError(
        f"{path}: the header promises {grid} samples ({needed} bytes), but there are {found} bytes of data",
        "the file is cut off or its header is wrong: export it again",
    )


def _wrapped(values: Array) -> bool:
    """Whether unsigned 16-bit numbers look like signed ones: air of a CT scan, at -1000, becomes 64536."""
    if values.dtype.kind != "u" or values.dtype.itemsize != 2:
        return False
    high = values[values > 20_000]
    return high.size > 0 and bool(60_000 <= high.min() < high.max())


def _check_extent(shape: tuple[int, ...], path: Path) -> None:
    if min(shape) < 2:
        grid = " x ".join(str(n) for n in reversed(shape))
        raise InputError(
            f"{path} is a grid of {grid} samples, which has no extent along every axis",
            "use a volume with at least two samples along x, y and z",
        )


def _check_axes(grid: Grid, path: Path) -> None:
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused next
        lengths = np.linalg.norm(grid.axes, axis=0)
    if not np.isfinite(lengths).all() or (lengths <= 0).any():
        raise InputError(
            f"{path}: the spacing {', '.join(f'{length:g}' for length in lengths)} is impossible",
            "give each axis a spacing above 0 in the file's header",
        )
    if abs(np.linalg.det(grid.axes / lengths)) < _FLAT:
        raise InputError(
            f"{path}: the axes of the grid lie in one plane", "correct the directions in the file's header"
        )
    if not np.isfinite(grid.origin).all():
        raise InputError(f"{path}: the origin is not a finite number", "correct the file's header")


def _check_bounds(bounds: NDArray[np.float64], path: Path) -> None:
    sides = bounds[1] - bounds[0]
    if not SMALLEST <= float(sides.max()) <= LARGEST or float(np.abs(bounds).max()) > LARGEST:
        raise InputError(
            f"{path}: a box from {bounds[0].tolist()} to {bounds[1].tolist()} is beyond what can be computed with",
            f"use units of length in which it measures between {SMALLEST:g} and {LARGEST:g}",
        )
    if float(sides.max()) > FLATTEST * float(sides.min()) > 0:
        raise InputError(
            f"{path}: its sides measure {', '.join(f'{side:g}' for side in sides)}: one is {FLATTEST:g} times another",
            "correct the spacing in the file's header",
        )
    if not (sides > 0).all():
        raise InputError(
            f"{path}: its samples are too close to each other to be told apart so far from the origin",
            "write a spacing or an origin that double precision can tell",
        )


def finite(values: Array, path: Path) -> NDArray[np.float32]:
    """The values as float32.

    Raises:
        InputError: they are no real numbers, or some are NaN or beyond float32.
    """
    if values.dtype.kind not in "biuf":
        raise InputError(f"{path} holds values of type {values.dtype}, not real numbers", _as_real(values.dtype))
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        result = np.array(values, np.float32, order="C")  # a copy: what was read may not be writable
    wrong = ~np.isfinite(result)
    if not wrong.any():
        if values.dtype.itemsize > 2 and values.dtype != np.float32:
            _check_range(values, path)
        return result
    where = tuple(int(i) for i in np.argwhere(wrong)[0])
    found, first = f"{int(wrong.sum())} of {result.size} values", f"the first at z, y, x = {where[1:]}"
    if np.isfinite(values[wrong]).all():
        raise InputError(
            f"{path}: {found} are too large for float32 ({first} is {values[where]:g})", "scale the values down"
        )
    raise InputError(
        f"{path}: {found} are NaN or infinite ({first})",
        "replace them in the program that made the file: numpy.nan_to_num(values) where they stand for emptiness",
    )


def _check_range(values: Array, path: Path) -> None:
    """Say where small differences of large numbers are lost in float32."""
    low, high = float(values.min()), float(values.max())
    if 0 < high - low < _COARSE * max(abs(low), abs(high)):
        log.warning(
            "%s: values from %.12g to %.12g differ by little more than float32 can tell; subtract the least first",
            path.name,
            low,
            high,
        )


def _as_real(kind: np.dtype[Any]) -> str:
    if kind.names:
        return f"write one of the fields alone, as float32: values['{kind.names[0]}']"
    return "write its magnitude: numpy.abs(values)" if kind.kind == "c" else "write it as float32"
