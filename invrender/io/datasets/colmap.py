"""COLMAP models, text and binary: cameras.txt/.bin and images.txt/.bin (colmap.github.io/format.html).

COLMAP stores world-to-camera rotations as quaternions and looks down +Z with +Y downwards; diag(1, -1, -1) turns that
into OpenGL's axes. Its pixel coordinates are ours: the middle of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import logging
import os
import struct
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.colmap_text import camera_lines, pose_lines, told_count
from invrender.io.datasets.distortion import COLMAP_MODELS, MODELS, distortion_of
from invrender.io.datasets.locate import Locator
from invrender.io.datasets.posed import Lens, PosedImage
from invrender.io.files.paths import entries as entries_of
from invrender.io.files.paths import is_file, listing, shown
from invrender.io.pixels import IMAGE_EXTENSIONS

log = logging.getLogger(__name__)
_SUBFOLDERS = (".", "sparse/0", "sparse", "colmap/sparse/0", "model")
_CUT_OUT = "cut views of a pinhole out of it (COLMAP: panorama_sfm.py)"
_AGAIN = "export the model from COLMAP again"


@dataclass(frozen=True)
class _Entry:
    """An image of the model: where it stands in the file, its pose (world-to-camera, OpenCV axes), camera and name."""

    where: str
    quaternion: NDArray[np.float64]
    shift: NDArray[np.float64]
    camera: int
    name: str


def find_model(folder: Path) -> Path | None:
    """The folder of a COLMAP model in a dataset, or None."""
    numbered = (f"sparse/{name}" for name in entries_of(folder / "sparse") if name.isdecimal())
    for subfolder in (*_SUBFOLDERS, *numbered):
        for extension in (".bin", ".txt"):
            if all(is_file(folder / subfolder / f"{part}{extension}") for part in ("cameras", "images")):
                return folder / subfolder
    return None


def refuse_half_model(folder: Path) -> None:
    """Refuse a dataset whose model lacks one of its two files (InputError)."""
    for place in (folder / subfolder for subfolder in _SUBFOLDERS):
        for extension in (".bin", ".txt"):
            for part, other in (("images", "cameras"), ("cameras", "images")):
                if is_file(place / f"{part}{extension}"):
                    raise InputError(
                        f"{place} holds {part}{extension}, but no {other}{extension}",
                        "put both files of the model there, of one kind (.txt or .bin)",
                    )


def read_colmap(model: Path, images: Path) -> list[PosedImage]:
    """The views of a model, in the order of their names.

    Args:
        model: the folder with cameras and images, .bin or .txt.
        images: the folder that the names in the model start from.

    Raises:
        InputError: the model is damaged, has no views, or its lenses are none of `MODELS`.
    """
    extension = ".bin" if is_file(model / "cameras.bin") and is_file(model / "images.bin") else ".txt"
    cameras_file, images_file = model / f"cameras{extension}", model / f"images{extension}"
    try:
        lenses = _lenses_binary(cameras_file) if extension == ".bin" else _lenses_text(cameras_file)
        entries = _entries_binary(images_file) if extension == ".bin" else _entries_text(images_file)
    except (ValueError, IndexError, OverflowError, OSError, struct.error) as error:
        why = "it ends too early" if isinstance(error, struct.error) else error or type(error).__name__
        raise InputError(f"{model} is damaged: {why}", _AGAIN) from error
    if not entries:
        raise InputError(f"{images_file} lists no images", "check that COLMAP registered them")
    _tell_others(model)
    locator = Locator(images, IMAGE_EXTENSIONS, by_name=True)
    return [_posed(entry, lenses, cameras_file, locator) for entry in sorted(entries, key=lambda e: e.name)]


def _tell_others(model: Path) -> None:
    """COLMAP writes one model for each set of images that it could not join: sparse/0, sparse/1, ..."""
    others = [name for name in entries_of(model.parent) if name.isdecimal() and name != model.name]
    if model.name.isdecimal() and others:
        log.warning("%s is read; the models %s beside it are left out", shown(model), listing(others))


def _posed(entry: _Entry, lenses: dict[int, Lens], cameras: Path, locator: Locator) -> PosedImage:
    where = f"{entry.where} ({shown(entry.name)})"
    if entry.camera not in lenses:
        known = listing(str(number) for number in lenses) or "none"
        raise InputError(
            f"{where}: there is no camera {entry.camera} in {cameras.name}, which lists {known}",
            "write the number of one of its cameras, or add the camera",
        )
    usable = bool((np.abs(entry.quaternion) < 1e6).all())
    norm = np.linalg.norm(entry.quaternion) if usable else np.float64(0)
    if not norm > 1e-6:
        shape = ", ".join(f"{value:g}" for value in entry.quaternion)
        raise InputError(
            f"{where}: its quaternion ({shape}) is no rotation", "leave the image out, or correct its pose"
        )
    if not bool((np.abs(entry.shift) < 1e30).all()):
        shift = ", ".join(f"{value:g}" for value in entry.shift)
        raise InputError(f"{where}: its translation is ({shift})", "leave the image out, or correct its pose")
    matrix = np.eye(4)
    flip = np.diag([1.0, -1.0, -1.0])
    matrix[:3, :3] = flip @ rotation_matrix(entry.quaternion / norm)
    matrix[:3, 3] = flip @ entry.shift
    name = PurePosixPath(entry.name.replace("\\", "/"))
    stem = name.with_suffix("") if name.suffix.lower() in IMAGE_EXTENSIONS else name
    return PosedImage(stem.as_posix(), locator.find(entry.name), None, matrix, lenses[entry.camera])


def rotation_matrix(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """[3,3] of a unit quaternion (w, x, y, z)."""
    w, x, y, z = quaternion
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def _lens(where: str, name: str, size: tuple[int, int], values: list[float]) -> Lens:
    """The lens of one camera; `size` is (width, height)."""
    if name == "EQUIRECTANGULAR":
        raise InputError(f"{where}: a picture all around (EQUIRECTANGULAR) is no pinhole's", _CUT_OUT)
    pinhole, count = MODELS[name]
    if len(values) != count:
        raise InputError(f"{where}: a {name} camera has {count} parameters, not {len(values)}", _AGAIN)
    focal, centre = values[: pinhole - 2], values[pinhole - 2 : pinhole]
    usable = all(0 < value < 1e9 for value in focal) and all(abs(value) < 1e9 for value in centre)
    if not usable or not all(abs(value) < 1e9 for value in values[pinhole:]):
        told = ", ".join(f"{value:g}" for value in values)
        raise InputError(f"{where}: a {name} camera of {told} is impossible", "focal lengths in pixels are above 0")
    if not 1 <= min(size) <= max(size) < 1e9:
        raise InputError(
            f"{where}: a camera of {shown(str(size[0]))} x {shown(str(size[1]))} pixels is impossible", _AGAIN
        )
    bent = distortion_of(name, values[pinhole:])
    return Lens(focal[0], focal[-1], centre[0], centre[1], size[0], size[1], distortion=bent)


def _lenses_text(path: Path) -> dict[int, Lens]:
    lenses: dict[int, Lens] = {}
    for where, number, name, width, height, values in camera_lines(path):
        if name.upper() not in (*MODELS, "EQUIRECTANGULAR"):
            raise InputError(f"{where}: the camera model {shown(name)} is unknown", f"use one of {', '.join(MODELS)}")
        lens = _lens(where, name.upper(), (width, height), values)
        if lenses.get(number, lens) != lens:
            raise InputError(f"{where}: camera {number} is there twice, and they differ", "number them apart")
        lenses[number] = lens
    return lenses


def _entries_text(path: Path) -> list[_Entry]:
    entries = [
        _Entry(where, np.array(pose[:4]), np.array(pose[4:]), camera, name)
        for where, pose, camera, name in pose_lines(path)
    ]
    told = told_count(path)
    if told is not None and told != len(entries):
        log.warning("%s announces %d images and lists %d", shown(path), told, len(entries))
    return entries


def _lenses_binary(path: Path) -> dict[int, Lens]:
    content = path.read_bytes()
    (total,) = struct.unpack_from("<Q", content)
    offset, lenses = 8, {}
    for index in range(total):
        where = f"{shown(path)}, camera {index}"
        number, model, width, height = struct.unpack_from("<iiQQ", content, offset)
        name, _, count = COLMAP_MODELS.get(model, ("EQUIRECTANGULAR", 0, 2) if model == 17 else ("", 0, 0))
        if not name:
            raise InputError(f"{where}: the camera model number {model} is unknown", f"use one of {', '.join(MODELS)}")
        values = struct.unpack_from(f"<{count}d", content, offset + 24)
        lenses[number] = _lens(where, name, (width, height), list(values))
        offset += 24 + 8 * count
    return lenses


def _entries_binary(path: Path) -> list[_Entry]:
    content = path.read_bytes()
    (total,) = struct.unpack_from("<Q", content)
    offset, entries = 8, []
    for index in range(total):
        *pose, camera = struct.unpack_from("<7di", content, offset + 4)
        end = content.index(b"\0", offset + 64)
        name = os.fsdecode(content[offset + 64 : end])
        (points,) = struct.unpack_from("<Q", content, end + 1)
        where = f"{shown(path)}, image {index}"
        entries.append(_Entry(where, np.array(pose[:4]), np.array(pose[4:]), camera, name))
        offset = end + 9 + 24 * points
        if offset > len(content):
            raise ValueError(f"{path.name} is cut short")
    return entries
