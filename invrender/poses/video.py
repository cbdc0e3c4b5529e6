"""Pictures from a video: the sharpest of each of equal intervals, and none that shows what the one before it did."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import BackendError, InputError
from invrender.io.files.paths import existing_file, shown

Frame = NDArray[np.uint8]

_THUMBNAIL = (64, 64)
_SAME = 1.0  # mean difference of two thumbnails, of 255, that noise and compression make
_MEASURED = 480  # pixels of the longer side at which sharpness is measured: more measures the noise


def needed(name: str) -> ModuleType:
    """An optional module that photographs need (pycolmap, cv2).

    Raises:
        BackendError: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BackendError(
            f"photographs without cameras need {name}, which is not installed", 'pip install "invrender[photos]"'
        ) from error


def sharpness(grey: NDArray[Any]) -> float:
    """The variance of the Laplacian of a grey picture [H,W]: low where it is blurred (Pech-Pacheco et al. 2000)."""
    v = grey.astype(np.float32)
    laplacian = v[1:-1, :-2] + v[1:-1, 2:] + v[:-2, 1:-1] + v[2:, 1:-1] - 4 * v[1:-1, 1:-1]
    return float(laplacian.var()) if laplacian.size else 0.0


@dataclass(frozen=True)
class Chosen:
    """A frame of a video: its number, its sharpness, its pixels [H,W,3] uint8 in blue, green, red."""

    number: int
    sharpness: float
    pixels: Frame


def write_frames(video: Path, folder: Path, count: int) -> list[Path]:
    """Write about `count` frames of a video into a folder as PNG, turned as the video says; returns the files.

    Raises:
        BackendError: cv2 is not installed.
        InputError: the video is missing or cannot be decoded.
    """
    cv2 = needed("cv2")
    existing_file(video, "video")
    total = _count(cv2, video)
    files: list[Path] = []
    for chosen in distinct(sharpest(_frames(cv2, video), total, count)):
        files.append(folder / f"frame_{chosen.number:06d}.png")
        cv2.imwrite(str(files[-1]), chosen.pixels, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    return files


def sharpest(frames: Iterator[Frame], total: int, count: int) -> Iterator[Chosen]:
    """The sharpest frame of each of `count` equal intervals of a video of `total` frames."""
    best: Chosen | None = None
    interval = 0
    for number, pixels in enumerate(frames):
        here = number * min(count, total) // total
        if best is not None and here != interval:
            yield best
            best = None
        interval, value = here, sharpness(_grey(pixels))
        if best is None or value > best.sharpness:
            best = Chosen(number, value, pixels)
    if best is not None:
        yield best


def distinct(chosen: Iterator[Chosen]) -> Iterator[Chosen]:
    """The frames that differ from the last one that was kept."""
    last: NDArray[np.float32] | None = None
    for frame in chosen:
        small = _thumbnail(_grey(frame.pixels))
        if last is None or float(np.abs(small - last).mean()) > _SAME:
            last = small
            yield frame


def _thumbnail(grey: NDArray[np.float32]) -> NDArray[np.float32]:
    """A grey picture averaged over at most 64 x 64 areas."""
    rows, columns = (
        np.linspace(0, n, min(n, most) + 1).astype(int)[:-1] for n, most in zip(grey.shape, _THUMBNAIL, strict=True)
    )
    sums = np.add.reduceat(np.add.reduceat(grey, rows, axis=0), columns, axis=1)
    heights, widths = np.diff([*rows, grey.shape[0]]), np.diff([*columns, grey.shape[1]])
    return np.asarray(sums / (heights[:, None] * widths), np.float32)


def _grey(pixels: Frame) -> NDArray[np.float32]:
    step = max(1, max(pixels.shape[:2]) // _MEASURED)
    height, width = (n // step * step for n in pixels.shape[:2])
    grey = pixels[:height, :width, 1].astype(np.float32)
    return np.asarray(grey.reshape(height // step, step, width // step, step).mean(axis=(1, 3)))


def _frames(cv2: Any, video: Path) -> Iterator[Frame]:
    capture = _open(cv2, video)
    try:
        while True:
            there, pixels = capture.read()
            if not there:
                return
            yield pixels
    finally:
        capture.release()


def _count(cv2: Any, video: Path) -> int:
    """How many frames a video has, counted: what containers promise is often wrong."""
    capture, total = _open(cv2, video), 0
    while capture.grab():
        total += 1
    capture.release()
    if not total:
        raise _unreadable(video, "no frame of it can be decoded")
    return total


def _open(cv2: Any, video: Path) -> Any:
    try:
        capture = cv2.VideoCapture(str(video))
    except cv2.error as error:
        raise _unreadable(video, "it cannot be decoded") from error
    if not capture.isOpened():
        raise _unreadable(video, "it is damaged, or of a codec that is not known here")
    capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
    return capture


def _unreadable(video: Path, why: str) -> InputError:
    return InputError(
        f"{shown(video)} cannot be read as a video: {why}",
        f"convert it: ffmpeg -i {shown(video.name)} -c:v libx264 video.mp4, or save its frames as pictures in a folder",
    )
