"""Reading volumes: .npz .npy .vti .nrrd .nii .nii.gz .mha .mhd .raw .vdb, checked before anything uses them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invrender.errors import InputError, UsageError
from invrender.io.files.paths import check_extension, existing_file
from invrender.io.volumes.arrays import read_npy, read_npz, read_raw
from invrender.io.volumes.grid import Grid, to_volume
from invrender.io.volumes.medical import read_nifti, read_nrrd, read_vdb
from invrender.io.volumes.meta import read_meta
from invrender.io.volumes.vti import read_vti
from invrender.nouns import Volume

VOLUME_EXTENSIONS = (".npz", ".npy", ".vti", ".nrrd", ".nii", ".nii.gz", ".mha", ".mhd", ".raw", ".vdb")


def read_volume(
    path: str | Path, *, key: str = "density", shape: Sequence[int] | None = None, dtype: str | None = None
) -> Volume:
    """Read a volume file; the samples sit on the vertices of the grid, in the frame and units of the file.

    Grids whose axes are permuted or reversed against the world's come out sorted along +x, +y, +z. Files without a
    position (.npy, .raw, .npz without `bounds`) get cubic voxels, a longest axis of length 1, and the centre at 0.

    Args:
        path: the file.
        key: which array of an .npz, .vti or .vdb; where that is the default name, the only array will do.
        shape: of a .raw file: the samples along z, y, x (or channels, z, y, x).
        dtype: of a .raw file, as numpy spells it: uint8, '>u2', float32.

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, shorter or longer than its header says, not
            upright, a single layer, or holds NaN.
        UsageError: shape and dtype are missing for a .raw file, or given for another.
    """
    source = Path(path)
    extension = volume_extension(source) if not source.is_dir() else ""
    existing_file(source, "volume")
    if source.stat().st_size == 0:
        raise InputError(f"{source} is empty (0 bytes)", "export or download it again")
    if extension != ".raw" and (shape is not None or dtype is not None):
        raise UsageError(f"--shape and --dtype go with .raw files; {source.name} tells its own", "leave them out")
    return to_volume(_read(source, extension, key, shape, dtype), source)


def is_volume_path(path: str | Path) -> bool:
    """Whether a name ends like a volume file's."""
    return _extension(Path(path)) in VOLUME_EXTENSIONS


def volume_extension(path: Path) -> str:
    """The extension of `path` in lower case; .nii.gz counts as one.

    Raises:
        InputError: it is not a volume's.
    """
    extension = _extension(path)
    if extension in VOLUME_EXTENSIONS:
        return extension
    return check_extension(path, VOLUME_EXTENSIONS, "volume")


def _extension(path: Path) -> str:
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()


def _read(path: Path, extension: str, key: str, shape: Sequence[int] | None, dtype: str | None) -> Grid:
    if extension == ".raw":
        return read_raw(path, shape, dtype)
    if extension in (".npz", ".vti", ".vdb"):
        return {".npz": read_npz, ".vti": read_vti, ".vdb": read_vdb}[extension](path, key)
    if extension == ".npy":
        return read_npy(path)
    if extension == ".nrrd":
        return read_nrrd(path)
    return read_meta(path) if extension in (".mha", ".mhd") else read_nifti(path)
