"""DICOM series: a folder, its sub-folders included, or one file of it, put together as one grid.

What counts is where each slice says that it lies (DICOM PS3.3, C.7.6.2: Image Plane), not names or numbers. A patient's
positions count to the left and the back there (LPS); ours, as everywhere, to the right, the front and upwards (RAS).
The package is optional: `pip install 'invrender[dicom]'`.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.volumes.axes import checked_frame
from invrender.io.volumes.dicom_files import Series, Slice, all_series, series_of_file
from invrender.io.volumes.dicom_pixels import forget, slice_values
from invrender.io.volumes.grid import Grid

log = logging.getLogger(__name__)
Vector = NDArray[np.float64]

_RAS = np.array([-1.0, -1.0, 1.0])  # from LPS
_SAME_PLACE = 1e-3  # of a slice's distance from the next: closer ones are one place
_EVEN = 1e-2  # of the distance: scanners round positions to a hundredth of a millimetre
_WHOLE = 0.1  # how near to a whole number of distances a gap is where slices are missing
_PARALLEL = 1e-3  # by which directions of slices may differ
_NAMED = 3  # slices that a message names


def read_dicom(path: Path, series: str | None = None, frame: int | None = None) -> Grid:
    """A series as values [1,k,j,i] float32 after the file's own rescaling (Hounsfield units in CT), in millimetres.

    Args:
        path: a folder, whose only series it is or of which `series` chooses one, or a file of a series.
        series: its number from 1 in the list that the error for several gives, or its UID.
        frame: where each place has several slices (phases, echoes): which, from 0, in the order of acquisition.

    Raises:
        InputError: pydicom is missing; there is no image, or several series and none is chosen; slices differ in size
            or direction; they are in colour or in a compression that cannot be undone here.
        MemoryLimitError: it does not fit.
    """
    found = series_of_file(path) if path.is_file() else _chosen(all_series(path), series, path)
    slices = _alike(found.slices, path)
    if any(each.position is None for each in slices):
        return _without_places(slices, frame, path)
    normal = _normal(slices[0])
    along = np.array([float(normal @ each.position) for each in slices if each.position is not None])
    places = _places(slices, along, frame, path)
    if len(places) < 2:
        raise InputError(
            f"{path}: the series has one slice, which is no volume", "name the folder that holds all slices"
        )
    return _stacked(places, normal, path)


def _chosen(every: Sequence[Series], wanted: str | None, path: Path) -> Series:
    if not every:
        raise InputError(f"{path} holds no DICOM images", "name the folder with the slices")
    listed = "; ".join(f"#{n} {each}" for n, each in enumerate(every[:12], 1))
    more = f"; and {len(every) - 12} more" if len(every) > 12 else ""
    if wanted is None:
        if len(every) == 1:
            return every[0]
        first = max(range(len(every)), key=lambda n: len(every[n].slices))
        raise InputError(
            f"{path} holds {len(every)} DICOM series: {listed}{more}",
            f"choose one by its number or UID behind the folder's name: '{path}#{first + 1}'",
        )
    for number, each in enumerate(every, 1):
        if wanted in (str(number), each.uid):
            return each
    raise InputError(f"{path} has no series {wanted}; there are: {listed}{more}", f"name one of them: '{path}#1'")


def _alike(slices: Sequence[Slice], path: Path) -> list[Slice]:
    """The slices, which must be of one size and direction."""
    first = slices[len(slices) // 2]  # at either end there may be a survey image
    for each in slices:
        if each.size != first.size:
            raise InputError(
                f"{path}: {each.path.name} has {each.size[1]} x {each.size[0]} pixels, and the other slices "
                f"{first.size[1]} x {first.size[0]}",
                "move that file out of the folder, or give the series its own",
            )
        if each.directions is None or first.directions is None:
            continue
        if np.abs(each.directions - first.directions).max() > _PARALLEL:
            raise InputError(
                f"{path}: {each.path.name} is not parallel to the other slices",
                "move images in other directions (surveys, reformats) out of the folder",
            )
    return list(slices)


def _normal(one: Slice) -> Vector:
    rows, columns = one.orientation
    normal: Vector = np.cross(rows, columns)
    length = float(np.linalg.norm(normal))
    if length < 0.5:
        raise InputError(f"{one.path}: the directions of its rows and columns are no right angle", "export it again")
    return normal / length


def _places(slices: Sequence[Slice], along: Vector, frame: int | None, path: Path) -> list[Slice]:
    """One slice for each place, sorted along the normal."""
    order = sorted(range(len(slices)), key=lambda n: (along[n], slices[n].order))
    gaps = np.diff(along[order])
    typical = float(np.median(gaps[gaps > 1e-4])) if (gaps > 1e-4).any() else 1.0
    groups: list[list[Slice]] = []
    last = -np.inf
    for n in order:
        if along[n] - last > max(_SAME_PLACE * typical, 1e-4):
            groups.append([])
            last = along[n]
        groups[-1].append(slices[n])
    groups = [sorted(group, key=lambda each: each.order) for group in groups]
    most = max(map(len, groups))
    if most == 1:
        if frame:
            checked_frame(frame, 1, path)
        return [group[0] for group in groups]
    if all(len(group) == most for group in groups) and not _repeated(groups):
        chosen = checked_frame(frame, most, path)
        return [group[chosen] for group in groups]
    names = [group[1].path.name for group in groups if len(group) > 1]
    log.warning(
        "%s: %d places have several slices (%s); the first of each is taken", path.name, len(names), _list(names)
    )
    return [group[0] for group in groups]


def _repeated(groups: Sequence[Sequence[Slice]]) -> bool:
    """Whether all slices of a place are copies of one image, as where a folder holds everything twice."""
    return all(len({each.uid for each in group}) == 1 for group in groups)


def _stacked(places: Sequence[Slice], normal: Vector, path: Path) -> Grid:
    """The grid of slices in order; onto even distances where theirs are not."""
    first = places[0]
    positions = np.stack([each.position for each in places if each.position is not None])
    values = _values(places, path)
    along = (positions - positions[0]) @ normal
    gaps = np.diff(along)
    typical = float(np.median(gaps))
    step = (positions[-1] - positions[0]) / (len(places) - 1)
    if np.abs(gaps - gaps.mean()).max() > _EVEN * typical:
        values = _evened(values, along, typical, path)
        step = (positions[-1] - positions[0]) / (values.shape[1] - 1)
    rows, columns = first.orientation
    down, across = first.spacing or (1.0, 1.0)
    if first.spacing is None:
        log.warning("%s tells no PixelSpacing; its pixels are taken as 1 mm wide", path.name)
    axes = np.column_stack([rows * across, columns * down, step])
    return Grid(values, _RAS[:, None] * axes + 0.0, _RAS * positions[0] + 0.0, units="millimetre")


def _values(places: Sequence[Slice], path: Path) -> NDArray[np.float32]:
    """[1,k,j,i], filled slice by slice."""
    height, width = places[0].size
    check_room(path, 2 * 4 * len(places) * height * width)
    values = np.empty((1, len(places), height, width), np.float32)
    for each, target in zip(places, values[0], strict=True):
        target[:] = slice_values(each)
    forget()
    if any(each.inverted for each in places):
        log.warning("%s: MONOCHROME1, where low is bright; turned round, as ITK and 3D Slicer do", path.name)
    return values


def _evened(values: NDArray[np.float32], along: Vector, typical: float, path: Path) -> NDArray[np.float32]:
    """Slices at places `along` put onto even distances, linear between neighbours; says why."""
    gaps = np.diff(along)
    counts = gaps / typical
    missing = (np.abs(counts - counts.round()) < _WHOLE).all() and counts.max() > 1.5
    if missing:
        holes = np.flatnonzero(counts.round() > 1)
        lost = int((counts.round() - 1).sum())
        where = _list([f"behind {along[n]:.6g} mm" for n in holes])
        log.warning(
            "%s: %d slices are missing (%s from the first); they are filled linearly between their neighbours",
            path.name, lost, where,
        )  # fmt: skip
        number = len(along) + lost
    else:
        log.warning(
            "%s: slices are %.4g to %.4g mm apart; resampled to even distances, linear between neighbours",
            path.name, gaps.min(), gaps.max(),
        )  # fmt: skip
        number = max(2, round(along[-1] / typical) + 1)
    check_room(path, 4 * values[0, 0].size * number)
    even = np.empty((1, number, *values.shape[2:]), np.float32)
    for slot, place in enumerate(np.linspace(0, along[-1], number)):
        before = int(np.clip(np.searchsorted(along, place, side="right") - 1, 0, len(along) - 2))
        share = np.float32(np.clip((place - along[before]) / gaps[before], 0, 1))
        even[0, slot] = values[0, before] * (1 - share) + values[0, before + 1] * share
    return even


def _without_places(slices: Sequence[Slice], frame: int | None, path: Path) -> Grid:
    """Slices that do not say where they lie, by their numbers and the thickness that they tell."""
    if frame:
        checked_frame(frame, 1, path)
    ordered = sorted(slices, key=lambda each: each.order)
    if len(ordered) < 2:
        raise InputError(f"{path} holds one picture, which is no volume", "name the folder that holds all slices")
    first = ordered[0]
    down, across = first.spacing or (1.0, 1.0)
    deep = first.thickness or down
    log.warning(
        "%s: slices do not say where they lie (ImagePositionPatient); in the order of their numbers, %g mm apart",
        path.name, deep,
    )  # fmt: skip
    known = [replace(each, position=None) for each in ordered]
    return Grid(_values(known, path), np.diag([across, down, deep]), np.zeros(3), units="millimetre")


def _list(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (f" and {len(names) - _NAMED} more" if len(names) > _NAMED else "")
