"""Reading volumes of every known format, checked before anything uses them."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from invrender.errors import InputError, UsageError
from invrender.io.files.paths import check_extension, existing_file, is_folder
from invrender.io.volumes.arrays import read_npy, read_npz
from invrender.io.volumes.field import is_field, read_field_volume
from invrender.io.volumes.folders import is_volume_folder, read_folder
from invrender.io.volumes.foreign import VOLUME_EXTENSIONS, is_foreign, not_read
from invrender.io.volumes.grid import Grid, to_volume
from invrender.io.volumes.meta import read_meta
from invrender.io.volumes.nifti import read_nifti
from invrender.io.volumes.nrrd import read_nrrd
from invrender.io.volumes.paths import lower_extension
from invrender.io.volumes.raw import read_raw
from invrender.io.volumes.tiff import read_tiff
from invrender.io.volumes.vdb import read_vdb
from invrender.io.volumes.vti import read_vti
from invrender.nouns import Volume

log = logging.getLogger(__name__)

DEFAULT = "density"  # name of an array
_LEAVE = "leave them out"
_KEYED = {".npz": read_npz, ".vti": read_vti, ".vdb": read_vdb}
_PLAIN: Mapping[str, Callable[[Path, int | None], Grid]] = {
    ".npy": read_npy, ".nrrd": read_nrrd, ".nhdr": read_nrrd, ".nii": read_nifti, ".nii.gz": read_nifti,
    ".hdr": read_nifti, ".img": read_nifti, ".mha": read_meta, ".mhd": read_meta, ".tif": read_tiff,
    ".tiff": read_tiff,
}  # fmt: skip


def read_volume(
    path: str | Path,
    *,
    key: str = DEFAULT,
    shape: Sequence[int] | None = None,
    dtype: str | None = None,
    frame: int | None = None,
    spacing: Sequence[float] | None = None,
) -> Volume:
    """Read a volume file; the samples sit on the vertices of the grid, in the frame and units of the file.

    Grids whose axes are permuted or reversed against the world's come out sorted along +x, +y, +z; turned ones in a
    frame of their own (`Volume.placement`); sheared ones are resampled onto upright axes. A patient's positions count
    to the right, the front and upwards (RAS), as NIfTI has them: those of MetaImage, DICOM and of NRRD files in LPS
    have the signs of x and y changed. Files without a position (.npy, .raw, .npz without `bounds`, TIFF and PNG stacks
    that tell no spacing as ImageJ or OME do) get cubic voxels, a longest axis of length 1, and the centre at 0. A
    neural field (`field.npz` of a run) is put on its own grid.

    Args:
        path: the file; a folder of DICOM slices (FOLDER#2 or FOLDER#UID: one of several series), of TIFF or of PNG
            slices.
        key: which array of an .npz, .vti or .vdb; where that is the default name, the only array will do.
        shape: of a .raw file: the samples along z, y, x (or channels, z, y, x).
        dtype: of a .raw file, as numpy spells it: uint8, '>u2', float32.
        frame: which one, from 0, where a fourth axis (time, a list) holds several volumes.
        spacing: between samples along x, y, z (or one number for all) of a file that tells none.

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, shorter or longer than its header says, a single
            layer, or holds NaN; or it holds several volumes and no frame is chosen.
        UsageError: shape and dtype are missing for a .raw file, or given for another; a key for a format without
            names; there is no such frame; a spacing for a file that tells its own.
        MemoryLimitError: it does not fit.
    """
    source = Path(path)
    if not is_foreign(source) and is_volume_folder(source):
        if key != DEFAULT or shape is not None or dtype is not None:
            raise UsageError(f"--key, --shape and --dtype do not go with {source.name}, a series of slices", _LEAVE)
        return to_volume(_spaced(read_folder(source, frame), spacing, source), source)
    extension = volume_extension(source) if is_foreign(source) or not is_folder(source) else ""
    existing_file(source, "volume")
    if source.stat().st_size == 0:
        raise InputError(f"{source} is empty (0 bytes)", "export or download it again")
    if extension != ".raw" and (shape is not None or dtype is not None):
        raise UsageError(f"--shape and --dtype go with .raw files; {source.name} tells its own", "leave them out")
    if extension not in _KEYED and key != DEFAULT:
        raise UsageError(f"--key is {key}, and the arrays of {source.name} have no names", "leave --key out")
    if extension == ".npz" and is_field(source):
        if key != DEFAULT or frame is not None or spacing is not None:
            raise UsageError(
                f"{source.name} is a neural field, which has no arrays to choose from",
                "leave --key, --frame and --spacing out",
            )
        return read_field_volume(source)
    return to_volume(_spaced(_read(source, extension, key, shape, dtype, frame), spacing, source), source)


def _spaced(grid: Grid, spacing: Sequence[float] | None, path: Path) -> Grid:
    """The grid with the spacing that a user tells of a file that tells none."""
    if spacing is None:
        if not grid.spaced and (is_folder(path) or path.suffix.lower() in (".tif", ".tiff")):
            log.warning(
                "%s tells no spacing that is understood; its cells are taken as cubes (or: convert --spacing x,y,z)%s",
                path.name,
                "; if these are projections of a scan, name its scan.toml instead" if is_folder(path) else "",
            )
        return grid
    if grid.spaced:
        raise UsageError(f"--spacing is given, and {path.name} tells its own", "leave --spacing out, or use --scale")
    if len(spacing) not in (1, 3) or not all(0 < step < math.inf for step in spacing):
        raise UsageError(f"a spacing of {', '.join(map(str, spacing))} is impossible", "give x,y,z, each above 0")
    return replace(grid, axes=np.diag(list(spacing) * (3 // len(spacing))).astype(np.float64), origin=np.zeros(3))


def volume_extension(path: Path) -> str:
    """The extension of `path` in lower case; .nii.gz counts as one.

    Raises:
        InputError: it is not a volume's.
    """
    extension = lower_extension(path)
    if extension in VOLUME_EXTENSIONS:
        return extension
    if is_foreign(path):
        raise not_read(path)
    return check_extension(path, VOLUME_EXTENSIONS, "volume")


def _read(
    path: Path, extension: str, key: str, shape: Sequence[int] | None, dtype: str | None, frame: int | None
) -> Grid:
    if extension == ".raw":
        return read_raw(path, shape, dtype, frame)
    if extension in _KEYED:
        return _KEYED[extension](path, key, frame)
    return _PLAIN[extension](path, frame)
