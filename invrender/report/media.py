"""Pictures and films inside a page: small files in the page's own text (data URIs)."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.report.compared import Picture

LEAST_SIDE = 96  # pixels: a film is made no smaller
FRAMES = 24  # of a film in a page
FINE = 90  # quality of JPEGs that stand alone
QUALITY = (72, 55, 40)  # of WebP, one after the other until it fits


@dataclass(frozen=True)
class Filmed:
    """Frames [H,W,3] uint8 of a film, at least one, and for how many milliseconds each is shown."""

    frames: Sequence[Picture]
    pause: int


def data_uri(data: bytes, kind: str) -> str:
    """Bytes of a MIME type as an address."""
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def encoded_size(count: int) -> int:
    """The characters that so many bytes take as base64."""
    return 4 * -(-count // 3)


def fitted(picture: Picture, most: int) -> Picture:
    """A picture scaled down to a longest side of `most` pixels; small ones stay as they are."""
    height, width = picture.shape[:2]
    share = most / max(height, width)
    if share >= 1:
        return picture
    size = max(1, round(width * share)), max(1, round(height * share))
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.LANCZOS))


def still(picture: Picture, most: int = 640, budget: int = 60_000) -> str:
    """A picture [H,W,3] uint8 as an address of about `budget` characters at most.

    As JPEG, which takes a quarter of the time, where that fits, else as WebP.
    """
    quick = _jpeg(fitted(picture, most), FINE)
    if len(quick) <= budget:
        return quick
    data = b""
    for side in (most, most // 2, most // 4):
        for quality in (88, *QUALITY):
            data = _webp(fitted(picture, side), quality)
            if encoded_size(len(data)) <= budget:
                return data_uri(data, "image/webp")
    return data_uri(data, "image/webp")


def whole_gif(path: Path, budget: int) -> str | None:
    """A GIF as it is, as an address of `budget` characters at most; None where it is larger, or missing."""
    try:
        data = path.read_bytes() if encoded_size(path.stat().st_size) <= budget else b""
    except OSError:
        return None
    return data_uri(data, "image/gif") if data else None


def jpegs(film: Filmed, budget: int) -> list[str]:
    """A film's frames as addresses of `budget` characters at most together; none where they do not fit.

    JPEG: it takes a tenth of the time that WebP does.
    """
    side = max(film.frames[0].shape[:2])
    for share, quality in ((1.0, 75), (1.0, 55), (0.7, 55), (0.5, 40), (0.35, 40)):
        shown = (fitted(each, max(LEAST_SIDE, round(share * side))) for each in film.frames)
        found, left = [], budget
        for each in shown:
            found.append(_jpeg(each, quality))
            left -= len(found[-1])
            if left < 0:
                break
        else:
            return found
    return []


def _jpeg(picture: Picture, quality: int) -> str:
    held = io.BytesIO()
    Image.fromarray(picture).save(held, format="JPEG", quality=quality, subsampling=0)  # outlines are thin and red
    return data_uri(held.getvalue(), "image/jpeg")


def excerpt(frames: Sequence[Picture], pause: float) -> Filmed:
    """At most FRAMES of a film's frames, the last among them, which together last as long; `pause`: ms of each."""
    kept = _kept(len(frames))
    return Filmed([frames[k] for k in kept], round(pause * len(frames) / len(kept)))


def _kept(count: int) -> list[int]:
    found: list[int] = np.unique(np.linspace(0, count - 1, min(count, FRAMES)).round().astype(int)).tolist()
    return found


def filmed(path: Path) -> Filmed | None:
    """An excerpt of a GIF; None where it cannot be read."""
    frames = []
    try:
        with Image.open(path) as image:
            pause, count = int(image.info.get("duration", 100)) or 100, getattr(image, "n_frames", 1)
            for number in _kept(count):
                image.seek(number)
                frames.append(np.asarray(image.convert("RGB")))
    except (OSError, ValueError, SyntaxError, EOFError):
        return None
    return Filmed(frames, round(pause * count / len(frames)))


def last_frame(path: Path) -> Picture | None:
    """The last frame of a GIF, or a picture; None where there is none that can be read."""
    try:
        with Image.open(path) as image:
            image.seek(getattr(image, "n_frames", 1) - 1)
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError, EOFError):
        return None


def grey_png(picture: NDArray[np.uint8]) -> bytes:
    """A grey picture [H,W] as PNG, without loss."""
    held = io.BytesIO()
    Image.fromarray(picture).save(held, format="PNG", optimize=True)
    return held.getvalue()


def _webp(picture: Picture, quality: int) -> bytes:
    held = io.BytesIO()
    Image.fromarray(picture).save(held, format="WEBP", quality=quality, method=0)
    return held.getvalue()
