"""Middlebury's multi-view stereo cameras, *_par.txt (vision.middlebury.edu/mview/data).

A count, then one line a picture: its name, and by rows K (9 numbers), R (9) and t (3), such that K [R t] projects a
point of the world. Axes are OpenCV's. The middle of the first pixel is (0, 0) there and (0.5, 0.5) here.
"""

from __future__ import annotations

import logging
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.datasets.colmap_text import lines_of
from invrender.io.datasets.locate import Locator
from invrender.io.datasets.posed import Lens, PosedImage, opengl_from_opencv
from invrender.io.files.paths import entries, listing, shown
from invrender.io.pixels import IMAGE_EXTENSIONS

log = logging.getLogger(__name__)
ENDING = "_par.txt"
CENTRE = 0.5
"""What their principal points lack of ours."""

_NUMBERS = 21
_LINE = "write NAME, then 9 numbers of K, 9 of R and 3 of t"


def is_par(path: Path) -> bool:
    """Whether a file is called as Middlebury calls its cameras."""
    return path.name.endswith(ENDING)


def find_par(folder: Path) -> Path | None:
    """The *_par.txt of a folder, or None.

    Raises:
        InputError: there are several.
    """
    names = [name for name in entries(folder) if name.endswith(ENDING)]
    if len(names) > 1:
        raise InputError(f"{folder} holds several sets of cameras: {listing(names)}", f"name one: {folder / names[0]}")
    return folder / names[0] if names else None


def read_middlebury(path: Path) -> list[PosedImage]:
    """The views of a *_par.txt.

    Raises:
        InputError: a line is none, or a camera is impossible.
    """
    locator = Locator(path.parent, IMAGE_EXTENSIONS)
    count: int | None = None
    views: list[PosedImage] = []
    for where, line in lines_of(path):
        parts = line.split()
        if len(parts) == 1 and parts[0].isdecimal() and not views:
            count = int(parts[0])
            continue
        views.append(_view(where, line.rsplit(maxsplit=_NUMBERS), locator))
    if not views:
        raise InputError(f"{shown(path)} lists no views", _LINE)
    if count is not None and count != len(views):
        log.warning("%s announces %d images and lists %d", shown(path), count, len(views))
    return views


def _view(where: str, parts: list[str], locator: Locator) -> PosedImage:
    try:
        name, numbers = parts[0], np.array([float(part) for part in parts[1:]])
    except ValueError as error:
        raise InputError(f"{where} is no camera: {shown(' '.join(parts))}", _LINE) from error
    if len(numbers) != _NUMBERS:
        raise InputError(f"{where} holds {len(numbers)} numbers behind the name, not {_NUMBERS}", _LINE)
    named = f"{where} ({shown(name)})"
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = numbers[9:18].reshape(3, 3), numbers[18:]
    path = PurePosixPath(name.replace("\\", "/"))
    stem = path.with_suffix("") if path.suffix.lower() in IMAGE_EXTENSIONS else path
    world_to_camera = opengl_from_opencv(matrix, named)
    return PosedImage(stem.as_posix(), locator.find(name), None, world_to_camera, lens_of_matrix(numbers[:9], named))


def lens_of_matrix(numbers: NDArray[np.float64], where: str, centre: float = CENTRE) -> Lens:
    """The lens of a camera matrix K, 9 numbers by rows.

    Args:
        numbers: of K.
        where: the file and view, for messages.
        centre: what is added to the principal point, for files whose first pixel is centred at (0, 0).

    Raises:
        InputError: it is none of a pinhole.
    """
    if not bool((np.abs(numbers) < 1e9).all()) or abs(numbers[8]) < 1e-9:
        raise InputError(f"{where}: K holds numbers that are impossible", "write fx 0 cx 0 fy cy 0 0 1")
    k = numbers / numbers[8]
    if k[0] <= 0 or k[4] <= 0 or np.abs(k[[3, 6, 7]]).max() > 1e-9 or abs(k[1]) > 1e-3 * k[0]:
        told = ", ".join(f"{value:g}" for value in numbers)
        raise InputError(f"{where}: K ({told}) has skew, or is no camera matrix", "write fx 0 cx 0 fy cy 0 0 1")
    return Lens(float(k[0]), float(k[4]), float(k[2]) + centre, float(k[5]) + centre)
