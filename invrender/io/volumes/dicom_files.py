"""Which DICOM files belong together, and what the header of each says of its slices."""

from __future__ import annotations

import importlib
import math
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.volumes.grid import damaged

Vector = NDArray[np.float64]

LOADER = "dcm2niix -z y -o OUT FOLDER writes .nii.gz from a folder of slices (so does 3D Slicer, as .nrrd)"
EXTENSIONS = (".dcm", ".dicom", ".ima", ".dc3")
_MOST_FILES = 100_000
_MAGIC = (128, b"DICM")  # DICOM PS3.10, 7.1
_LAST = 2**31


@dataclass(frozen=True)
class Slice:
    """One plane of a file, in millimetres and LPS.

    Attributes:
        path, index: of the file, and which of its frames it is.
        uid: of the image.
        size: (rows, columns).
        order: what slices without, or of one, place are sorted by: acquisition, time, number.
        position: [3] of the first pixel's centre; None: not told.
        directions: [2,3], in which a row and a column run; None: not told.
        spacing: between rows and between columns; None: not told.
        thickness: between slices as the file says, where positions do not.
        slope, intercept: of the stored values (Modality LUT, PS3.3 C.11.1).
        inverted: whether low values are bright (MONOCHROME1).
    """

    path: Path
    index: int
    uid: str
    size: tuple[int, int]
    order: tuple[float, ...]
    position: Vector | None
    directions: Vector | None
    spacing: tuple[float, float] | None
    thickness: float | None
    slope: float
    intercept: float
    inverted: bool

    @property
    def orientation(self) -> tuple[Vector, Vector]:
        """Directions of a row and of a column; those of an axial slice where the file tells none."""
        found = np.eye(3)[:2] if self.directions is None else self.directions
        return found[0], found[1]


@dataclass(frozen=True)
class Series:
    """Slices that one UID holds together."""

    uid: str
    description: str
    modality: str
    slices: tuple[Slice, ...]

    def __str__(self) -> str:
        name = f"'{self.description}', " if self.description else ""
        return f"{name}{self.modality}, {len(self.slices)} slices, UID {self.uid}"


def is_dicom_file(path: Path) -> bool:
    """Whether a file has DICOM's mark, behind 128 bytes of anything."""
    try:
        with path.open("rb") as file:
            return file.read(132)[_MAGIC[0] :] == _MAGIC[1]
    except OSError:
        return False


def has_dicom(folder: Path, looked_at: int = 20) -> bool:
    """Whether a folder, or one below it, holds DICOM files, as far as the first few files tell."""
    first = [path for path, _ in zip(_walk(folder, 4), range(looked_at), strict=False)]
    return any(path.suffix.lower() in EXTENSIONS or is_dicom_file(path) for path in first)


def all_series(folder: Path) -> list[Series]:
    """Every series of images in a folder and those below it, in the order of their numbers.

    Raises:
        InputError: pydicom is missing, or none of the files can be read.
    """
    pydicom = _pydicom(folder)
    groups: dict[str, list[tuple[Any, Path]]] = {}
    broken: list[tuple[Path, Exception]] = []
    for path in _walk(folder, _MOST_FILES):
        if not (path.suffix.lower() in EXTENSIONS or is_dicom_file(path)) or path.name.upper() == "DICOMDIR":
            continue
        try:
            header = _header(pydicom, path)
            if "Rows" in header and "Columns" in header:  # plans, reports and structures hold no picture
                groups.setdefault(str(header.get("SeriesInstanceUID", "")), []).append((header, path))
        except _faults(pydicom) as error:
            broken.append((path, error))
    if broken:
        raise damaged(broken[0][0], broken[0][1])
    found = [_series(uid, members) for uid, members in groups.items()]
    numbers = {uid: _number(members[0][0], "SeriesNumber") for uid, members in groups.items()}
    return sorted(found, key=lambda each: (numbers[each.uid], each.uid))


def series_of_file(path: Path) -> Series:
    """The series that a file belongs to: of several frames itself, else all files beside it with the same UID.

    Raises:
        InputError: pydicom is missing, or it cannot be read or holds no image.
    """
    pydicom = _pydicom(path)
    try:
        header = _header(pydicom, path)
        if "Rows" not in header or "Columns" not in header:
            kind = str(header.get("Modality", "")) or "of another kind"
            raise InputError(f"{path} is DICOM ({kind}), but holds no image", "name the folder with the slices")
        if int(header.get("NumberOfFrames") or 1) > 1:
            return _series(str(header.get("SeriesInstanceUID", "")), [(header, path)])
    except _faults(pydicom) as error:
        raise damaged(path, error) from error
    wanted = str(header.get("SeriesInstanceUID", ""))
    return next(each for each in all_series(path.parent) if each.uid == wanted)


def _walk(folder: Path, most: int) -> Iterator[Path]:
    """Files below a folder, hidden ones left out, folder by folder in the order of names."""
    waiting, seen = [folder], 0
    while waiting:
        current = waiting.pop()
        inside = sorted(current.iterdir())
        waiting += [entry for entry in reversed(inside) if entry.is_dir() and not entry.name.startswith(".")]
        for entry in inside:
            if entry.is_file() and not entry.name.startswith("."):
                yield entry
                seen += 1
                if seen >= most:
                    return


def _header(pydicom: Any, path: Path) -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of values that break small rules, which is looked at where they are used
        header = pydicom.dcmread(path, stop_before_pixels=True, force=path.suffix.lower() in EXTENSIONS)
    if "SOPClassUID" not in header and "Rows" not in header:
        raise ValueError("it holds no DICOM data")
    return header


def _faults(pydicom: Any) -> tuple[type[Exception], ...]:
    return (pydicom.errors.InvalidDicomError, OSError, EOFError, ValueError, KeyError, TypeError, AttributeError,
            IndexError, NotImplementedError)  # fmt: skip


def _pydicom(path: Path) -> Any:
    try:
        return importlib.import_module("pydicom")
    except ImportError as error:
        raise InputError(
            f"{path} holds DICOM slices, for which the package pydicom is needed",
            f"run `pip install 'invrender[dicom]'`, or convert: {LOADER}",
        ) from error


def _series(uid: str, members: Sequence[tuple[Any, Path]]) -> Series:
    header = members[0][0]
    slices = [one for each, path in members for one in _slices(each, path)]
    text = " ".join(str(header.get("SeriesDescription", "")).split())[:60]
    return Series(uid, text, str(header.get("Modality", "?")), tuple(slices))


def _slices(header: Any, path: Path) -> list[Slice]:
    frames = int(header.get("NumberOfFrames") or 1)
    shared = (header.get("SharedFunctionalGroupsSequence") or [None])[0]
    each = header.get("PerFrameFunctionalGroupsSequence") or [None] * frames
    offsets = header.get("GridFrameOffsetVector")  # of doses: along the normal
    if len(each) != frames:
        raise InputError(f"{path} promises {frames} frames and describes {len(each)}", "export it again")
    found = [_slice(header, path, index, (each[index], shared)) for index in range(frames)]
    first = found[0]
    if frames > 1 and first.position is not None and each[0] is None:
        rows, columns = first.orientation
        normal = np.cross(rows, columns)
        deep = first.thickness or (first.spacing or (1.0, 1.0))[0]
        steps = [float(n) for n in offsets] if offsets is not None else [deep * n for n in range(frames)]
        places = [first.position + normal * (step - steps[0]) for step in steps]
        found = [_moved(one, place) for one, place in zip(found, places, strict=True)]
    return found


def _moved(one: Slice, place: Vector) -> Slice:
    return replace(one, position=place)


def _slice(header: Any, path: Path, index: int, groups: tuple[Any, Any]) -> Slice:
    """What is said of a frame: by its own group, the one that all share, or the file (PS3.3 C.7.6.16)."""

    def said(sequence: str, name: str) -> Any:
        for group in groups:
            inner = None if group is None else group.get(sequence)
            if inner and inner[0].get(name) is not None:
                return inner[0].get(name)
        return header.get(name)

    position = _vector(said("PlanePositionSequence", "ImagePositionPatient"), 3)
    directions = _vector(said("PlaneOrientationSequence", "ImageOrientationPatient"), 6)
    spacing = _vector(said("PixelMeasuresSequence", "PixelSpacing"), 2)
    between = said("PixelMeasuresSequence", "SpacingBetweenSlices") or said("PixelMeasuresSequence", "SliceThickness")
    thickness = abs(float(between)) if between else None
    slope, intercept = (said("PixelValueTransformationSequence", f"Rescale{name}") for name in ("Slope", "Intercept"))
    photometric = str(header.get("PhotometricInterpretation", ""))
    content = None if groups[0] is None else (groups[0].get("FrameContentSequence") or [None])[0]
    order = (
        _number(header, "AcquisitionNumber"),
        _number(content or header, "TemporalPositionIndex" if content is not None else "TemporalPositionIdentifier"),
        _number(header, "EchoNumbers"), _number(header, "TriggerTime"), _number(header, "InstanceNumber"), float(index),
    )  # fmt: skip
    return Slice(
        path=path,
        index=index,
        uid=f"{header.get('SOPInstanceUID', path)}:{index}",
        size=(int(header.Rows), int(header.Columns)),
        order=order,
        position=position,
        directions=None if directions is None else directions.reshape(2, 3),
        spacing=None if spacing is None or not (spacing > 0).all() else (float(spacing[0]), float(spacing[1])),
        thickness=thickness or None,
        slope=1.0 if slope is None else float(slope),
        intercept=0.0 if intercept is None else float(intercept),
        inverted=photometric == "MONOCHROME1",
    )


def _vector(value: Any, count: int) -> Vector | None:
    """So many finite numbers, or None where they are not told."""
    if value is None or not hasattr(value, "__len__") or len(value) != count:
        return None
    numbers = np.array([float(n) for n in value])
    return numbers if np.isfinite(numbers).all() else None


def _number(header: Any, name: str) -> float:
    """A number to sort by; what is missing comes last."""
    value = header.get(name)
    try:
        found = float(value)
    except (TypeError, ValueError):
        return float(_LAST)
    return found if math.isfinite(found) else float(_LAST)
