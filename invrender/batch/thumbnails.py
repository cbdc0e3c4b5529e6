"""One small picture of each run: what was given beside what was found, as the last frame of its film shows them."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.errors import InputError, printable
from invrender.io.files.paths import is_file

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT = 320, 200  # pixels, at most
QUALITY = 90  # of the JPEG
SOURCES = ("progress.gif", "turntable.gif", "pictures.png", "estimate.png", "corner.png")
"""Files of a run that show its result, the most telling first."""


@dataclass(frozen=True)
class Thumbnail:
    """A picture of a run.

    Attributes:
        data: JPEG, or nothing where there is no picture.
        trouble: which file could not be read, in words, or nothing.
    """

    data: bytes = b""
    trouble: str = ""


def thumbnails(folders: Iterable[Path]) -> dict[Path, Thumbnail]:
    """The pictures of runs by their folders; one frame at a time is in memory."""
    return {folder: thumbnail(folder) for folder in folders}


def thumbnail(folder: Path) -> Thumbnail:
    """The picture of a run; what is damaged is passed over, and told."""
    troubles = []
    for name in SOURCES:
        if not is_file(folder / name):
            continue
        picture, whole = _last_frame(folder / name)
        if not whole:
            troubles.append(f"{name} is damaged")
        if picture is not None:
            return Thumbnail(_jpeg(picture), "; ".join(troubles))
    return Thumbnail(trouble="; ".join(troubles))


def _last_frame(path: Path) -> tuple[Image.Image | None, bool]:
    """The last frame of an animation that can be read (the first of a turntable), and whether all could be."""
    import warnings

    from PIL import Image

    from invrender.io.pixels import DAMAGED, check_pixels

    last = None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about metadata, and sizes that are checked here
            with Image.open(path, formats=("GIF", "PNG")) as image:
                check_pixels(path, (image.height, image.width))
                frames = 1 if path.name == "turntable.gif" else int(getattr(image, "n_frames", 1))
                for frame in range(frames):
                    image.seek(frame)
                    image.load()
                    if frame in (0, frames - 1):
                        last = image.convert("RGB")
    except (*DAMAGED, InputError, Image.DecompressionBombError):
        return last, False
    return last, True


def _jpeg(picture: Image.Image) -> bytes:
    """A picture in JPEG, scaled down to fit; a smaller one is left as it is."""
    from PIL import Image

    picture.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    picture.save(file, format="JPEG", quality=QUALITY)
    return file.getvalue()


def plain(text: str) -> str:
    """Text in one line without control characters."""
    return printable(" ".join(text.split()))
