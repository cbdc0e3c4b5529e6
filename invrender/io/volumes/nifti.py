"""NIfTI volumes through nibabel: .nii, .nii.gz and pairs of .hdr and .img, those of ANALYZE 7.5 too.

The format: https://nifti.nimh.nih.gov/nifti-1. Its world counts x to the right, y to the front and z upwards (RAS).
The package is optional: `pip install 'invrender[volumes]'`.
"""

from __future__ import annotations

import importlib
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.memory import check_room
from invrender.io.volumes.axes import arrange, checked_frame
from invrender.io.volumes.grid import Array, Grid, damaged, place, scalars, size_lie
from invrender.nouns import Volume

_PACKED = 1100  # a deflated byte holds at most 1032
_AXES = "ctzyx"  # dimensions 5 (vectors) to 1
_UNITS = {"metre": 1, "millimetre": 2, "micrometre": 3}  # codes of xyzt_units


def read_nifti(path: Path, frame: int | None = None) -> Grid:
    """Scaled values and the position from the sform, else the qform, else the spacing alone; one `frame` of time.

    Raises:
        InputError: the file is damaged, one of a pair is missing, or it holds no volume.
        MemoryLimitError: it does not fit.
    """
    nibabel = _nibabel(path)
    _check_pair(path)
    try:
        image = nibabel.load(str(path))
        _check_size(image, path)
        values, roles = _values(image, frame, path)
        return Grid(arrange(values, roles, None, path), *_place(image), units=_unit(image.header))
    except (
        OSError, EOFError, ValueError, KeyError, TypeError, OverflowError, AttributeError, zlib.error,
        nibabel.filebasedimages.ImageFileError, nibabel.spatialimages.HeaderDataError,
    ) as error:  # fmt: skip
        raise damaged(path, error) from error


def write_nifti(path: Path, volume: Volume) -> None:
    """float32 values with axes and origin as sform and qform, and the unit of length; the header keeps float32."""
    nibabel = _nibabel(path)
    values = scalars(volume)
    affine = np.eye(4)
    affine[:3, :3], affine[:3, 3] = place(volume)
    data = values[0].T if len(values) == 1 else values.transpose(3, 2, 1, 0)[:, :, :, None]
    image = nibabel.Nifti1Image(np.ascontiguousarray(data), affine)
    image.set_sform(affine, "scanner")
    image.set_qform(affine, "scanner")  # the nearest rotation: what reads it alone finds the place too
    image.header.set_xyzt_units(_UNITS.get(volume.units or "", 0))
    if len(values) > 1:
        image.header.set_intent("vector")
    nibabel.save(image, str(path))


def _nibabel(path: Path) -> Any:
    try:
        return importlib.import_module("nibabel")
    except ImportError as error:
        raise InputError(
            f"{path.name} needs the package nibabel, which is not installed",
            "run `pip install nibabel`, or convert the file to .nrrd, .mha or .npz",
        ) from error


def _check_pair(path: Path) -> None:
    """Of .hdr and .img neither will do alone."""
    others = {".hdr": ".img", ".img": ".hdr"}
    other = others.get(path.suffix.lower())
    if other is None:
        return
    same = other.upper() if path.suffix.isupper() else other
    if not path.with_suffix(same).is_file():
        raise InputError(
            f"{path} is one of a pair, and {path.with_suffix(same).name} is not there",
            "put both side by side, or save the volume as .nii",
        )


def _check_size(image: Any, path: Path) -> None:
    """Compare what the header promises with the file, before anything is allocated."""
    holder = image.file_map["image"]
    source = Path(holder.filename or path)
    needed = math.prod(int(n) for n in image.shape) * image.get_data_dtype().itemsize
    found = source.stat().st_size
    packed = source.suffix.lower() in (".gz", ".bz2", ".zst")
    if needed > (found * _PACKED if packed else found):
        raise size_lie(path, tuple(int(n) for n in image.shape[::-1]), needed, found)
    check_room(path, needed)


def _values(image: Any, frame: int | None, path: Path) -> tuple[Array, str]:
    """The array, its slowest axis first, and the roles of its axes; only the frame that is asked for is unpacked."""
    shape = image.shape
    if len(shape) > 3 and shape[3] > 1:
        chosen = checked_frame(frame, shape[3], path)
        values = np.asarray(image.dataobj[:, :, :, chosen : chosen + 1])
    else:
        if frame:
            checked_frame(frame, 1, path)
        values = np.asarray(image.dataobj)
    while values.ndim > len(_AXES) and values.shape[-1] == 1:
        values = values[..., 0]
    if not 3 <= values.ndim <= len(_AXES):
        raise InputError(f"{path} has {len(shape)} dimensions", "use a volume of three dimensions")
    roles, values = _AXES[-values.ndim :], values.transpose()
    if values.dtype.names is not None:  # RGB24 and RGBA32 are records of bytes
        values = np.stack([values[name] for name in values.dtype.names], -1)
        roles += "c"
    return values, roles


def _unit(header: Any) -> str | None:
    code = int(header["xyzt_units"]) % 8 if "xyzt_units" in header else 0
    return next((name for name, known in _UNITS.items() if known == code), None)


def _place(image: Any) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes and origin; where the header has neither sform nor qform, the standard's method 1: the spacing alone."""
    header = image.header
    affine = np.asarray(image.affine, np.float64)
    if "sform_code" in header and not int(header["sform_code"]) and not int(header["qform_code"]):
        return np.diag(np.asarray(header.get_zooms()[:3], np.float64)), np.zeros(3)
    return affine[:3, :3], affine[:3, 3]
