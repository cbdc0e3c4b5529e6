"""Pictures and films inside a page: small files in the page's own text (data URIs)."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from invrender.report.compared import Picture

LEAST_SIDE = 96  # pixels: a film is made no smaller
STRIDE = 2  # frames of a GIF for each of a smaller film
QUALITY = (72, 55, 40)  # of WebP, one after the other until it fits


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
    """A picture [H,W,3] uint8 as an address of about `budget` characters at most."""
    data = b""
    for side in (most, most // 2, most // 4):
        for quality in (88, *QUALITY):
            data = _webp([Image.fromarray(fitted(picture, side))], quality)
            if encoded_size(len(data)) <= budget:
                return data_uri(data, "image/webp")
    return data_uri(data, "image/webp")


def film(path: Path, budget: int) -> tuple[str, Picture | None] | None:
    """A GIF as an address of `budget` characters at most: as it is, or with fewer frames, and pixels, as WebP.

    Returns:
        The address, and the last frame where it has been decoded; None where the file is missing or damaged, or nothing
        of it fits.
    """
    try:
        data = path.read_bytes()
        if encoded_size(len(data)) <= budget:
            return data_uri(data, "image/gif"), None
        frames, pause = frames_of(path, STRIDE)
    except (OSError, ValueError, SyntaxError, EOFError):
        return None
    side = max(frames[0].shape[:2])
    for share, stride in ((1.0, 1), (0.7, 1), (0.5, 2), (0.35, 2)):
        chosen = [Image.fromarray(fitted(each, max(LEAST_SIDE, round(share * side)))) for each in frames[::stride]]
        data = _webp(chosen, QUALITY[0] if share == 1 else QUALITY[1], pause * stride)
        if encoded_size(len(data)) <= budget:
            return data_uri(data, "image/webp"), frames[-1]
    return None


def frames_of(path: Path, stride: int = 1) -> tuple[list[Picture], int]:
    """The frames [H,W,3] uint8 of a GIF, or one of so many up to the last, and how many milliseconds each lasts.

    Raises:
        OSError, ValueError, SyntaxError, EOFError: it cannot be read.
    """
    frames = []
    with Image.open(path) as image:
        pause = int(image.info.get("duration", 100)) or 100
        count = getattr(image, "n_frames", 1)
        for number in range(count):
            image.seek(number)
            if (count - 1 - number) % stride == 0:
                frames.append(np.asarray(image.convert("RGB")))
    return frames, pause * stride


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


def _webp(frames: Sequence[Image.Image], quality: int, pause: int = 100) -> bytes:
    held = io.BytesIO()
    more = {"save_all": True, "append_images": frames[1:], "duration": pause, "loop": 0} if len(frames) > 1 else {}
    frames[0].save(held, format="WEBP", quality=quality, method=0, **more)
    return held.getvalue()
