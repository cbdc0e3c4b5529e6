"""Folders that are volumes: DICOM series and slices. FOLDER#2 or FOLDER#UID chooses one of several series."""

from __future__ import annotations

from pathlib import Path

from invrender.io.files.paths import is_file, is_folder
from invrender.io.volumes.dicom_files import EXTENSIONS, Series, all_series, has_dicom, is_dicom_file, series_of_file
from invrender.io.volumes.grid import Grid
from invrender.io.volumes.stack import is_stack, read_stack

_NOT_VOLUMES = ("run.json", "transforms.json", "cameras.json", "scan.toml", "scene.toml")


def chosen_series(path: Path) -> tuple[Path, str | None]:
    """A folder, and which series of it a '#' behind its name chooses."""
    if "#" not in path.name or is_file(path) or is_folder(path):
        return path, None
    name, _, series = path.name.rpartition("#")
    folder = path.parent / name if name else path
    return (folder, series) if name and series and is_folder(folder) else (path, None)


def is_volume_folder(path: Path) -> bool:
    """Whether a path names a folder of DICOM files or of slices (or one DICOM file without an extension)."""
    folder, series = chosen_series(path)
    if not is_folder(folder):
        return is_dicom(folder)
    if any(is_file(folder / name) for name in _NOT_VOLUMES):
        return False
    return series is not None or is_stack(folder) or has_dicom(folder)


def is_dicom(path: Path) -> bool:
    """Whether a path names a DICOM file, by its extension or its mark."""
    return is_file(path) and (path.suffix.lower() in EXTENSIONS or ((path.suffix[1:].isdigit() or not path.suffix)
                              and is_dicom_file(path)))  # fmt: skip


def series_of(path: Path) -> Series | None:
    """The DICOM series that a path means; None where it means something else.

    Raises: see `read_dicom`.
    """
    folder, series = chosen_series(path)
    if is_dicom(folder):
        return series_of_file(folder)
    if not is_volume_folder(path) or (series is None and is_stack(folder)):
        return None
    from invrender.io.volumes.dicom import chosen

    return chosen(all_series(folder), series, folder)


def read_folder(path: Path, frame: int | None = None) -> Grid:
    """The grid of a folder of slices, a DICOM series or a file of one.

    Raises: see `read_stack` and `read_dicom`.
    """
    folder, series = chosen_series(path)
    if series is None and is_folder(folder) and is_stack(folder):
        return read_stack(folder)
    from invrender.io.volumes.dicom import read_dicom  # whoever asks only what a folder is does without

    return read_dicom(folder, series, frame)
