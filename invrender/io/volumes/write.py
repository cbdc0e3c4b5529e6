"""Writing volumes in the formats that `read_volume` reads; files appear in one piece."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch

from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import atomic_path
from invrender.io.volumes.arrays import write_npy, write_npz
from invrender.io.volumes.meta import write_meta
from invrender.io.volumes.nifti import write_nifti
from invrender.io.volumes.nrrd import write_nrrd
from invrender.io.volumes.raw import write_raw
from invrender.io.volumes.read import volume_extension
from invrender.io.volumes.tiff_write import write_tiff
from invrender.io.volumes.vdb_write import write_vdb
from invrender.io.volumes.vti import write_vti
from invrender.nouns import Volume

AT_ONCE = 16  # slices that are looked at together

_WRITERS: dict[str, Callable[[Path, Volume], None]] = {
    ".npz": write_npz,
    ".npy": write_npy,
    ".vti": write_vti,
    ".nrrd": write_nrrd,
    ".nii": write_nifti,
    ".nii.gz": write_nifti,
    ".mha": write_meta,
    ".raw": write_raw,
    ".vdb": write_vdb,
    ".tif": write_tiff,
    ".tiff": write_tiff,
}


def write_volume(path: str | Path, volume: Volume) -> None:
    """Write a volume as float32, in the format of the extension.

    .npz holds `density`, `bounds` and `placement`; .vti, .nrrd, .nii(.gz), .mha and .vdb hold spacing, origin and how
    a grid is turned; .tif spacing and origin as ImageJ has them; .npy and .raw the values alone. NIfTI keeps positions
    in float32; .vdb leaves zeros out, so that the box that is read is that of the others and one sample around them.

    Raises:
        UsageError: the extension is unknown, or the place cannot be written to.
        InputError: the volume holds NaN, the format's package is missing, or a .vdb would be empty.
    """
    target = Path(path)
    extension = check_writable(target)
    if not _is_finite(volume.values):
        raise InputError("the volume holds values that are NaN or infinite", "replace them before writing")
    with atomic_path(target) as temporary:
        # a temporary name keeps only the last suffix, and nibabel decides by all of them
        named = temporary.with_name(temporary.name.removesuffix(".gz").removesuffix(".nii") + extension)
        try:
            _WRITERS[extension](named, volume)
            if named != temporary:
                named.replace(temporary)
        finally:
            if named != temporary:
                named.unlink(missing_ok=True)


def _is_finite(values: torch.Tensor) -> bool:
    """Whether all are, a part at a time: what tells it of all at once takes more memory than they do."""
    return all(bool(torch.isfinite(part).all()) for channel in values for part in channel.split(AT_ONCE))


def check_writable(path: str | Path) -> str:
    """The extension of a name in a format that volumes are written in.

    Raises:
        UsageError: it has another one.
    """
    target = Path(path)
    try:
        extension = volume_extension(target)
    except InputError as error:
        raise UsageError(f"{target.name} cannot be written: {error.cause}", error.remedy) from error
    if extension not in _WRITERS:
        instead = {".mhd": ".mha", ".nhdr": ".nrrd", ".hdr": ".nii", ".img": ".nii"}.get(extension, ".npz")
        raise UsageError(
            f"{target.name} cannot be written: {extension} is only read", f"write {target.stem}{instead} instead"
        )
    return extension
