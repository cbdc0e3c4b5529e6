"""From the arrays of volume files to `Volume`: axes sorted along the world's, samples on grid vertices, all checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.nouns import Volume

Array = NDArray[Any]

MAX_CHANNELS = 4
_AXIS_TOLERANCE = 1e-4  # of an axis's length: rotations are stored with six digits at times


@dataclass(frozen=True)
class Grid:
    """What a file says about a regular grid.

    Attributes:
        values: [C,k,j,i] of any number type.
        axes: [3,3]; column a is the step in the world from one sample to the next along i, j, k (a = 0, 1, 2).
        origin: [3], the world position of sample (0, 0, 0).
    """

    values: Array
    axes: NDArray[np.float64]
    origin: NDArray[np.float64]


def to_volume(grid: Grid, path: Path) -> Volume:
    """The volume of a grid whose axes run along the world's, in any order and direction; float32.

    Raises:
        InputError: fewer than two samples along an axis, values that are no finite numbers, an impossible spacing, or
            axes that are rotated against the world's.
    """
    values = grid.values
    if values.shape[0] > MAX_CHANNELS or values.shape[0] < 1:
        raise InputError(
            f"{path} holds {values.shape[0]} values per sample",
            f"write one scalar per sample (up to {MAX_CHANNELS} channels are understood)",
        )
    _check_extent(values.shape[1:], path)
    order, steps = _order(grid.axes, path)
    values = values.transpose(0, *(3 - order[axis] for axis in (2, 1, 0)))
    low = grid.origin.copy()
    for axis, step in enumerate(steps):
        if step < 0:
            values = np.flip(values, 3 - axis)
            low[axis] += step * (values.shape[3 - axis] - 1)
    counts = np.array(values.shape[:0:-1]) - 1
    bounds = np.stack([low, low + np.abs(steps) * counts])
    if not np.isfinite(bounds).all():
        raise InputError(f"{path}: the origin or spacing is not a finite number", "correct the file's header")
    return Volume(values=torch.from_numpy(_finite(values, path)), bounds=torch.from_numpy(bounds))


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


def scalars(volume: Volume) -> NDArray[np.float32]:
    """The values [C,D,H,W] as numpy."""
    values: NDArray[np.float32] = np.ascontiguousarray(volume.values.detach().cpu().float().numpy())
    return values


def channels_first(values: Array, path: Path) -> Array:
    """[C,D,H,W] of [D,H,W], or of four axes with the channels first or, where only the last is short, last.

    Raises:
        InputError: the array has another number of axes.
    """
    if values.ndim == 3:
        return values[None]
    if values.ndim == 4:
        last = values.shape[3] <= MAX_CHANNELS < values.shape[0]
        return np.moveaxis(values, 3, 0) if last else values
    shape = " x ".join(map(str, values.shape)) or "a single number"
    raise InputError(
        f"{path} holds an array of {values.ndim} axes ({shape}), not a grid", "write an array [z, y, x] of numbers"
    )


def damaged(path: Path, reason: object) -> InputError:
    """The error for a file that its own format's rules forbid."""
    text = str(reason).strip().splitlines()[0][:160] if str(reason).strip() else type(reason).__name__
    return InputError(
        f"{path} cannot be read as {path.suffix.lower()}: {text}",
        "the file is damaged or of another kind: export it again, or convert it to .npz",
    )


def size_lie(path: Path, shape: tuple[int, ...], needed: int, found: int) -> InputError:
    """The error for a file whose header and data disagree."""
    grid = " x ".join(str(n) for n in reversed(shape))
    return InputError(
        f"{path}: the header promises {grid} samples ({needed} bytes), but there are {found} bytes of data",
        "the file is cut off or its header is wrong: export it again",
    )


def _check_extent(shape: tuple[int, ...], path: Path) -> None:
    if min(shape) < 2:
        grid = " x ".join(str(n) for n in reversed(shape))
        raise InputError(
            f"{path} is a grid of {grid} samples, which has no extent along every axis",
            "use a volume with at least two samples along x, y and z",
        )


def _order(axes: NDArray[np.float64], path: Path) -> tuple[list[int], NDArray[np.float64]]:
    """For each world axis the grid axis (0: i) along it, and the signed step."""
    lengths = np.linalg.norm(axes, axis=0)
    if not np.isfinite(axes).all() or (lengths <= 0).any():
        raise InputError(
            f"{path}: the spacing {', '.join(f'{length:g}' for length in lengths)} is impossible",
            "give each axis a spacing above 0 in the file's header",
        )
    along = np.abs(axes / lengths)
    world_axis = along.argmax(0)
    if sorted(world_axis) != [0, 1, 2] or (np.sort(along, axis=0)[:2] > _AXIS_TOLERANCE).any():
        raise InputError(
            f"{path}: the grid is turned against the axes of its world",
            "resample it onto upright axes first (SimpleITK's Resample, or nibabel.processing.resample_to_output)",
        )
    order = [int(np.flatnonzero(world_axis == axis)[0]) for axis in range(3)]
    steps = np.array([np.sign(axes[axis, order[axis]]) * lengths[order[axis]] for axis in range(3)])
    return order, steps


def _finite(values: Array, path: Path) -> NDArray[np.float32]:
    if values.dtype.kind not in "biuf":
        raise InputError(f"{path} holds values of type {values.dtype}, not real numbers", "write it as float32")
    with np.errstate(over="ignore"):
        result = np.array(values, np.float32, order="C")  # a copy: what was read may not be writable
    wrong = ~np.isfinite(result)
    if wrong.any():
        first = tuple(int(i) for i in np.argwhere(wrong)[0][1:])
        raise InputError(
            f"{path}: {int(wrong.sum())} of {result.size} values are NaN or infinite (the first at z, y, x = {first})",
            "replace them (numpy.nan_to_num) in the program that made the file",
        )
    return result
