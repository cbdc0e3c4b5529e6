"""Films as .mp4 (H.264), which play anywhere in all colours, by an encoder that is there: PyAV, or ffmpeg on the PATH.

Neither is a dependency: PyAV's libraries take 100 MB, and a GIF needs none of them.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from fractions import Fraction
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_path

Picture = NDArray[np.uint8]
Encoder = Literal["PyAV", "ffmpeg"]

CODEC = "libx264"
QUALITY = 20  # x264's constant rate factor: 18 looks like the original, 28 does not
FASTEST = 240.0  # pictures per second
REMEDY = "install one (pip install 'invrender[video]', or ffmpeg on the PATH), or write a .gif"


def encoder() -> Encoder | None:
    """What would write an .mp4 here, by looking for it and not at it (a millisecond); None: nothing."""
    if find_spec("av") is not None:
        return "PyAV"
    return "ffmpeg" if shutil.which("ffmpeg") else None


def check_encoder() -> Encoder:
    """What writes an .mp4 here; to be asked before work begins.

    Raises:
        UsageError: nothing does.
    """
    found = encoder()
    if found is None:
        raise UsageError("no encoder for .mp4 is installed", REMEDY)
    return found


def write_mp4(path: str | Path, pictures: Sequence[Picture], speed: float = 20.0) -> None:
    """Write a film as H.264, 8 bits with halved colour resolution (yuv420p, which all players know).

    Args:
        path: where to; the file appears in one piece.
        pictures: [H,W,3] uint8 sRGB each, all of one size; odd sides get one more row or column, repeated.
        speed: pictures per second.

    Raises:
        UsageError: there is no encoder, or it fails; there are no pictures, the speed is out of range, or the place
            cannot be written to.
    """
    if not len(pictures):
        raise UsageError("a film needs at least one picture", "ask for at least one view")
    if not 0 < speed <= FASTEST:
        raise UsageError(f"a film cannot play at {speed:g} pictures per second", f"use 0 < fps <= {FASTEST:g}")
    found = check_encoder()
    even = [_even(picture) for picture in pictures]
    rate = Fraction(speed).limit_denominator(1000)
    with atomic_path(path) as temporary:
        if found == "PyAV":
            _by_av(temporary, even, rate)
        else:
            _by_ffmpeg(temporary, even, rate)


def _even(picture: Picture) -> Picture:
    """With an even number of rows and columns: two of each share a colour."""
    height, width = picture.shape[:2]
    return np.ascontiguousarray(np.pad(picture, ((0, height % 2), (0, width % 2), (0, 0)), "edge"))


def _by_av(path: Path, pictures: Sequence[Picture], rate: Fraction) -> None:
    import av

    height, width = pictures[0].shape[:2]
    try:
        with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
            stream: Any = container.add_stream(CODEC, rate=rate, options={"crf": str(QUALITY)})
            stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
            for picture in pictures:
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
            container.mux(stream.encode(None))
    except (av.error.FFmpegError, ValueError) as error:  # built without H.264
        raise UsageError(f"PyAV cannot write the film: {error}", REMEDY) from error


def _by_ffmpeg(path: Path, pictures: Sequence[Picture], rate: Fraction) -> None:
    height, width = pictures[0].shape[:2]
    given = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}", "-r", str(rate), "-i", "-"]
    wanted = ["-c:v", CODEC, "-crf", str(QUALITY), "-pix_fmt", "yuv420p", "-movflags", "faststart", str(path)]
    data = b"".join(picture.tobytes() for picture in pictures)
    command = ["ffmpeg", "-v", "error", "-y", *given, *wanted]
    try:
        done = subprocess.run(command, check=False, input=data, capture_output=True)
    except OSError as error:
        raise UsageError(f"ffmpeg cannot be started: {error}", REMEDY) from error
    if done.returncode:
        last = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
        raise UsageError(f"ffmpeg cannot write the film: {' '.join(last) or done.returncode}", REMEDY)
