"""Which kind of source a folder is, and opening it."""

from __future__ import annotations

from pathlib import Path

from invrender.errors import InputError
from invrender.io.files.paths import existing_file, is_file, is_folder, shown
from invrender.io.pairs.from_arrays import EXTENSIONS, arrays_source, kind_of
from invrender.io.pairs.from_vdb import vdb_source
from invrender.io.pairs.meta import is_pairs
from invrender.io.pairs.source import Source, files_below

_KNOWN = (
    "name a folder of volume_samples_000.npz, ... and image_samples_000.npz, ..., of .vdb files and pictures, of .npz "
    "files with the voxels and the picture of a sample each, or of voxels.npy and pictures.npy"
)


def open_source(path: Path, key: str = "density", resolution: int | None = None) -> Source:
    """The samples that a folder, or one .npz file, holds.

    Args:
        path: of it.
        key: which grid of each .vdb; `resolution`: see `from_vdb.vdb_source`.

    Raises:
        InputError: it is missing, of no known kind, damaged, empty, or not all of it goes together.
        UsageError: the resolution is too small.
    """
    if not is_folder(path):
        existing_file(path, "data set")
        if path.suffix.lower() != ".npz":
            raise InputError(f"{shown(path)} holds no voxels with pictures", _KNOWN)
        return arrays_source(path)
    if is_pairs(path):
        raise InputError(
            f"{shown(path)} is a data set of voxels and pictures already",
            f"use it as it is: `invrender inspect {path}` shows what is in it",
        )
    if files_below(path, (".vdb",)):
        return vdb_source(path, key, resolution)
    if files_below(path, EXTENSIONS):
        return arrays_source(path)
    raise InputError(f"{shown(path)} holds no voxels with pictures", _KNOWN)


def is_foreign_pairs(path: Path) -> bool:
    """Whether a folder looks like voxels and pictures that `dataset import` takes, by the names of its files alone."""
    if not is_folder(path):
        return False
    kinds = {kind_of(file, path) for file in files_below(path, EXTENSIONS)}
    if {"voxels", "pictures"} <= kinds:
        return True
    volumes = files_below(path, (".vdb",))
    pictures = files_below(path, (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".exr"))
    return bool(volumes) and len(volumes) == len(pictures) and not is_file(path / "transforms.json")


def refuse_pairs(path: Path) -> None:
    """Refuse voxels with pictures where an asset is asked for.

    Raises:
        InputError: a folder holds them, as a data set or in files that become one.
    """
    if is_pairs(path):
        raise InputError(
            f"{shown(path)} is a data set of voxels and pictures, no asset and no dataset with cameras",
            f"look at it with `invrender inspect {path}`; networks learn from it with `invrender train`",
        )
    if is_foreign_pairs(path):
        raise InputError(
            f"{shown(path)} holds voxels with pictures of them, for training",
            f"bring them in with `invrender dataset import {path} -o DIR`",
        )
