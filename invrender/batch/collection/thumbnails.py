"""One small picture of each run: what was given beside what was found, as the end of its film shows them."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.errors import InputError, printable
from invrender.io.files.paths import is_file

if TYPE_CHECKING:
    from PIL import Image

WIDTH, HEIGHT = 320, 200  # pixels, at most
QUALITY = 90  # of the JPEG
ALIKE, LINE = 8, 2  # levels of grey; pixels, at most, of a line between two pictures
TURN = "turntable.gif"
SOURCES = ("progress.gif", TURN, "pictures.png", "estimate.png", "corner.png")
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
    troubles: list[str] = []
    torn: Image.Image | None = None
    for name in SOURCES:
        if not is_file(folder / name):
            continue
        picture, whole = _frame(folder / name, 10**9 if name == TURN else _count(folder / TURN))
        if whole and picture is not None:
            return Thumbnail(_jpeg(picture), "; ".join(troubles))
        torn = torn or picture
        troubles.append(f"{name} is damaged")
    return Thumbnail(b"" if torn is None else _jpeg(torn), "; ".join(troubles))


def _frame(path: Path, turn: int) -> tuple[Image.Image | None, bool]:
    """The frame of an animation that shows most, and whether all frames could be read.

    That is the last one; but where it ends in a turn around the result, as many frames as `turn` and some before, that
    of the turn in which the object looks widest, so that a handle is not behind its mug.
    """
    from PIL import Image

    from invrender.io.pixels import DAMAGED

    best, most = None, -1
    try:
        with _opened(path) as image:
            frames = int(getattr(image, "n_frames", 1))
            begin = max(0, frames - turn) if 0 < turn < frames or path.name == TURN else frames - 1
            for frame in range(frames):
                image.seek(frame)
                image.load()
                size = _width(image) if frame >= begin else 0
                if frame in (0, begin) or size > most:
                    best, most = image.convert("RGB"), size
    except (*DAMAGED, InputError, Image.DecompressionBombError):
        return _last_sound(path), False
    return best, True


def _last_sound(path: Path) -> Image.Image | None:
    """The last frame of a torn animation that is whole."""
    from PIL import Image

    from invrender.io.pixels import DAMAGED

    last = None
    with suppress(*DAMAGED, InputError, Image.DecompressionBombError), _opened(path) as image:
        for frame in range(int(getattr(image, "n_frames", 1))):
            image.seek(frame)
            last = image.convert("RGB")
    return last


def _width(image: Image.Image) -> int:
    """How wide the object is, in the right one of two pictures side by side: what is unlike the corner's colour."""
    width, height = image.size
    grey = image.convert("L").crop((width // 2 + LINE if width > height else 0, 0, width, height))
    corner = grey.tobytes()[0]
    box = grey.point([255 * (abs(level - corner) > ALIKE) for level in range(256)]).getbbox()
    return 0 if box is None else box[2] - box[0]


def _count(path: Path) -> int:
    """How many frames an animation has that can be read; 0 where there is none."""
    from PIL import Image

    from invrender.io.pixels import DAMAGED

    if not is_file(path):
        return 0
    try:
        with _opened(path) as image:
            return int(getattr(image, "n_frames", 1))
    except (*DAMAGED, InputError, Image.DecompressionBombError):
        return 0


@contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    import warnings

    from PIL import Image

    from invrender.io.pixels import check_pixels

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about metadata, and sizes that are checked here
        with Image.open(path, formats=("GIF", "PNG")) as image:
            check_pixels(path, (image.height, image.width))
            yield image


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
