"""COLMAP models, text and binary: cameras.txt/.bin and images.txt/.bin (colmap.github.io/format.html).

COLMAP stores world-to-camera rotations as quaternions and looks down +Z with +Y downwards; diag(1, -1, -1) turns that
into OpenGL's axes. Its pixel coordinates are ours: the middle of the first pixel is (0.5, 0.5).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.posed import Lens, PosedImage

_SUBFOLDERS = (".", "sparse/0", "sparse", "colmap/sparse/0", "model")
# by COLMAP's number: name, how many parameters, how many of them are the pinhole's
_MODELS = {
    0: ("SIMPLE_PINHOLE", 3, 3),
    1: ("PINHOLE", 4, 4),
    2: ("SIMPLE_RADIAL", 4, 3),
    3: ("RADIAL", 5, 3),
    4: ("OPENCV", 8, 4),
    5: ("OPENCV_FISHEYE", 8, 4),
    6: ("FULL_OPENCV", 12, 4),
    7: ("FOV", 5, 4),
    8: ("SIMPLE_RADIAL_FISHEYE", 4, 3),
    9: ("RADIAL_FISHEYE", 5, 3),
    10: ("THIN_PRISM_FISHEYE", 12, 4),
}
_BY_NAME = {name: (name, count, pinhole) for name, count, pinhole in _MODELS.values()}
_UNDISTORT = "undistort the images first: `colmap image_undistorter`"


@dataclass(frozen=True)
class _Entry:
    """A line of images.txt: the pose (world-to-camera, OpenCV axes), the camera's number and the file's name."""

    quaternion: NDArray[np.float64]
    shift: NDArray[np.float64]
    camera: int
    name: str


def find_model(folder: Path) -> Path | None:
    """The folder of a COLMAP model in a dataset, or None."""
    for subfolder in _SUBFOLDERS:
        for extension in (".bin", ".txt"):
            if all((folder / subfolder / f"{part}{extension}").is_file() for part in ("cameras", "images")):
                return folder / subfolder
    return None


def read_colmap(model: Path, images: Path) -> list[PosedImage]:
    """The views of a model, in the order of their names.

    Args:
        model: the folder with cameras and images, .bin or .txt.
        images: the folder that the names in the model start from.

    Raises:
        InputError: the model is damaged, has no views, or its lenses are distorted.
    """
    extension = ".bin" if (model / "cameras.bin").is_file() and (model / "images.bin").is_file() else ".txt"
    cameras_file, images_file = model / f"cameras{extension}", model / f"images{extension}"
    try:
        if extension == ".bin":
            lenses = _lenses_binary(cameras_file)
            entries = _entries_binary(images_file)
        else:
            lenses = _lenses_text(cameras_file)
            entries = _entries_text(images_file)
        views = [_posed(entry, lenses[entry.camera], images) for entry in sorted(entries, key=lambda e: e.name)]
    except (ValueError, KeyError, IndexError, struct.error) as error:
        raise InputError(
            f"{model} is damaged: {error or type(error).__name__}", "export the model from COLMAP again"
        ) from error
    if not views:
        raise InputError(f"{images_file} lists no images", "check that COLMAP registered them")
    return views


def _posed(entry: _Entry, lens: Lens, images: Path) -> PosedImage:
    norm = np.linalg.norm(entry.quaternion)
    if not np.isfinite(norm) or norm == 0:
        raise ValueError(f"the pose of {entry.name} is not a rotation")
    matrix = np.eye(4)
    flip = np.diag([1.0, -1.0, -1.0])
    matrix[:3, :3] = flip @ rotation_matrix(entry.quaternion / norm)
    matrix[:3, 3] = flip @ entry.shift
    return PosedImage(Path(entry.name).with_suffix("").as_posix(), images / entry.name, None, matrix, lens)


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


def _lens(path: Path, model: tuple[str, int, int], size: tuple[int, int], values: list[float]) -> Lens:
    """The lens of one camera; `size` is (width, height)."""
    name, count, pinhole = model
    if len(values) != count:
        raise ValueError(f"a {name} camera has {count} parameters, not {len(values)}")
    if "FISHEYE" in name or name == "FOV":
        raise InputError(f"{path}: the camera model {name} is no pinhole", _UNDISTORT)
    if any(values[pinhole:]):
        raise InputError(
            f"{path}: the lens is distorted ({name}: {', '.join(f'{v:g}' for v in values[pinhole:])})", _UNDISTORT
        )
    focal = values[: pinhole - 2]
    return Lens(focal[0], focal[-1], values[pinhole - 2], values[pinhole - 1], size[0], size[1])


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not text in UTF-8", "export the model from COLMAP again") from error
    return [line.strip() for line in text.splitlines() if not line.startswith("#")]


def _lenses_text(path: Path) -> dict[int, Lens]:
    lenses = {}
    for line in filter(None, _lines(path)):
        number, name, width, height, *values = line.split()
        if name not in _BY_NAME:
            raise InputError(f"{path}: the camera model {name} is unknown", _UNDISTORT)
        lenses[int(number)] = _lens(path, _BY_NAME[name], (int(width), int(height)), [float(v) for v in values])
    return lenses


def _entries_text(path: Path) -> list[_Entry]:
    """Every other line is a pose (the ones between list points, and may be empty)."""
    lines = _lines(path)
    while lines and not lines[0]:
        lines = lines[1:]
    entries = []
    for line in lines[::2]:
        if not line:
            continue
        parts = line.split(maxsplit=9)
        values = np.array([float(v) for v in parts[1:8]])
        entries.append(_Entry(values[:4], values[4:], int(parts[8]), parts[9]))
    return entries


def _lenses_binary(path: Path) -> dict[int, Lens]:
    content = path.read_bytes()
    (total,) = struct.unpack_from("<Q", content)
    offset, lenses = 8, {}
    for _ in range(total):
        number, model, width, height = struct.unpack_from("<iiQQ", content, offset)
        if model not in _MODELS:
            raise InputError(f"{path}: the camera model number {model} is unknown", _UNDISTORT)
        count = _MODELS[model][1]
        values = struct.unpack_from(f"<{count}d", content, offset + 24)
        lenses[number] = _lens(path, _MODELS[model], (width, height), list(values))
        offset += 24 + 8 * count
    return lenses


def _entries_binary(path: Path) -> list[_Entry]:
    content = path.read_bytes()
    (total,) = struct.unpack_from("<Q", content)
    offset, entries = 8, []
    for _ in range(total):
        *pose, camera = struct.unpack_from("<7di", content, offset + 4)
        end = content.index(b"\0", offset + 64)
        name = content[offset + 64 : end].decode()
        (points,) = struct.unpack_from("<Q", content, end + 1)
        entries.append(_Entry(np.array(pose[:4]), np.array(pose[4:]), camera, name))
        offset = end + 9 + 24 * points
        if offset > len(content):
            raise ValueError(f"{path.name} is cut short")
    return entries
