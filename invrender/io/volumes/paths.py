"""Which paths name volumes. Whoever asks only that imports none of the formats."""

from __future__ import annotations

from pathlib import Path

from invrender.io.files.paths import is_folder
from invrender.io.volumes.dicom_files import EXTENSIONS as DICOM_EXTENSIONS
from invrender.io.volumes.folders import is_volume_folder
from invrender.io.volumes.foreign import VOLUME_EXTENSIONS, is_foreign


def is_volume_path(path: str | Path) -> bool:
    """Whether a name ends like a volume file's, be it in a format that is read or not, or is a folder of slices."""
    source = Path(path)
    named = lower_extension(source) in (*VOLUME_EXTENSIONS, *DICOM_EXTENSIONS) and not is_folder(source)
    return named or is_foreign(source) or is_volume_folder(source)


def lower_extension(path: Path) -> str:
    """The extension of a path in lower case; .nii.gz counts as one."""
    return ".nii.gz" if path.name.lower().endswith(".nii.gz") else path.suffix.lower()
