"""The photographs in a folder: which files are pictures, what their headers say, and what cannot be used and why."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from invrender.errors import InputError
from invrender.io.datasets.dataset import is_dataset
from invrender.io.files.paths import entries, is_file, is_folder, listing, nearest, shown
from invrender.io.pixels import DAMAGED, IMAGE_EXTENSIONS, UNREAD_EXTENSIONS, open_picture, read_header, unread

VIDEO_EXTENSIONS = (".mp4", ".mov", ".avi", ".webm", ".mkv", ".m4v")
FEWEST = 3
"""Pictures that it takes at least to find cameras that check one another."""

_MASKS = "masks"
_OTHER_FILES = ("run.json", "points.ply", "poses.json", "scan.toml")
_EXIF = 0x8769
_FOCAL_35MM = 0xA405  # Exif 2.3, section 4.6.5: FocalLengthIn35mmFilm
_FILM_DIAGONAL = 43.27  # millimetres of 24 x 36


@dataclass(frozen=True)
class Photograph:
    """One picture.

    Attributes:
        name: its path within the folder, with extension and slashes ('left/IMG_1.jpg').
        path: of the file.
        size: (H, W) as viewers show it.
        orientation: Exif's number of how the stored pixels are turned.
        focal: in pixels as Exif tells, or None.
        mask: the file of its mask, or None.
    """

    name: str
    path: Path
    size: tuple[int, int]
    orientation: int = 1
    focal: float | None = None
    mask: Path | None = None


@dataclass(frozen=True)
class Found:
    """The photographs of a folder in the order of their names, and what else lay there: names and reasons."""

    photographs: list[Photograph]
    skipped: dict[str, str]


def is_video(path: Path) -> bool:
    """Whether a path names a video, by its extension."""
    return path.suffix.lower() in VIDEO_EXTENSIONS and not is_folder(path)


def is_bare_photographs(path: str | Path) -> bool:
    """Whether a path names photographs that come without cameras: a video, or a folder of pictures and no poses."""
    source = Path(path)
    if is_video(source):
        return True
    if not is_folder(source) or is_dataset(source) or any(is_file(source / name) for name in _OTHER_FILES):
        return False
    from invrender.io.volumes.folders import is_volume_folder

    if is_volume_folder(source):  # pictures of one channel: slices
        return False
    pictures = (*IMAGE_EXTENSIONS, *UNREAD_EXTENSIONS)
    return any(Path(name).suffix.lower() in pictures for name in _names(source, None))


def find_photographs(folder: Path, leave: Path | None = None) -> Found:
    """The pictures in a folder and its subfolders, but for `masks`, hidden ones and `leave`.

    Raises:
        InputError: there is no such folder, or no picture in it.
    """
    _check_folder(folder)
    photographs, skipped = [], {}
    for name in _names(folder, leave):
        reason = _other_kind(folder / name)
        if not reason:
            try:
                photographs.append(_photograph(folder, name))
            except InputError as error:
                reason = error.cause
        if reason:
            skipped[name] = reason
    if not photographs:
        why = f": {listing((f'{name} ({reason})' for name, reason in skipped.items()), 3)}" if skipped else ""
        raise InputError(f"{shown(folder)} holds no picture that can be read{why}", _empty_remedy(folder, skipped))
    return Found(photographs, skipped)


def _empty_remedy(folder: Path, skipped: dict[str, str]) -> str:
    """What to do about a folder without readable pictures."""
    for name in skipped:
        if Path(name).suffix.lower() in UNREAD_EXTENSIONS:
            return unread(folder / name).remedy
    pictures, videos = ", ".join(IMAGE_EXTENSIONS), ", ".join(VIDEO_EXTENSIONS)
    return f"put photographs there ({pictures}), or name a video ({videos})"


def _check_folder(folder: Path) -> None:
    if is_folder(folder):
        return
    if is_file(folder):
        raise InputError(
            f"{shown(folder)} is neither a folder of photographs nor a video that is known",
            f"name a folder, or a video of one of {', '.join(VIDEO_EXTENSIONS)}",
        )
    close = nearest(folder.name, entries(folder.parent))
    raise InputError(f"there is no {shown(folder)}", f"did you mean {folder.parent / close}?" if close else "check it")


def _names(folder: Path, leave: Path | None) -> list[str]:
    """Paths of files within a folder, sorted."""
    names = []
    for item in entries(folder):
        path = folder / item
        if item.startswith(".") or item == _MASKS or (leave is not None and path.resolve() == leave.resolve()):
            continue
        if is_folder(path):
            names += [] if path.is_symlink() else [f"{item}/{inner}" for inner in _names(path, leave)]
        else:
            names.append(item)
    return names


def _other_kind(path: Path) -> str:
    extension = path.suffix.lower()
    if extension in IMAGE_EXTENSIONS:
        return ""
    if extension in UNREAD_EXTENSIONS:
        return f"{extension} cannot be read: convert it to JPEG or PNG"
    return "a video: name it alone to take its frames" if extension in VIDEO_EXTENSIONS else "no picture"


def _photograph(folder: Path, name: str) -> Photograph:
    from invrender.io.datasets.masks import find_mask

    path = folder / name
    header = read_header(path)
    height, width = header.size
    size = (width, height) if header.orientation >= 5 else header.size
    if path.suffix.lower() != ".exr":
        with open_picture(path) as image:
            image.load()  # what is cut short is known now, not in the middle of the work
            focal = _exif_focal(image)
    else:
        focal = None
    mask = find_mask(folder / _MASKS, str(Path(name).with_suffix("").as_posix()), path)
    return Photograph(name, path, size, header.orientation, focal, mask)


def _exif_focal(image: Image.Image) -> float | None:
    """The focal length in pixels from the one that Exif gives as if for film of 24 x 36 mm; zoomed crops included."""
    try:
        value: object = image.getexif().get_ifd(_EXIF).get(_FOCAL_35MM)
    except DAMAGED:
        return None
    if not isinstance(value, int | float) or not 4 <= value <= 2000:
        return None
    return float(value) * math.hypot(image.width, image.height) / _FILM_DIAGONAL
