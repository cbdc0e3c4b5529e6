"""OpenEXR images: the size from the header by ourselves, the pixels through the package of that name."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.atomic import atomic_path
from invrender.io.files.paths import shown

_MAGIC = 20000630  # openexr.com, "OpenEXR File Layout": the magic number, the version, then attributes
_HEADER = 1 << 20  # bytes that are searched: headers take some hundred


def exr_size(path: Path) -> tuple[int, int]:
    """(H, W) of an OpenEXR image: its attribute dataWindow, the corners xMin yMin xMax yMax as int32.

    Raises:
        InputError: the file is no OpenEXR image, or its header is damaged.
    """
    try:
        with path.open("rb") as file:
            header = file.read(_HEADER)
    except OSError as error:
        raise InputError(f"{shown(path)} cannot be read: {error.strerror}", "check its permissions") from error
    try:
        (magic,) = struct.unpack_from("<i", header)
        if magic != _MAGIC:
            raise ValueError("it does not begin as one")
        offset = 8
        while header[offset] != 0:  # name, type, size, value; an empty name ends the header
            name, kind, offset = _texts(header, offset)
            (length,) = struct.unpack_from("<i", header, offset)
            if name == b"dataWindow" and kind == b"box2i":
                left, top, right, bottom = struct.unpack_from("<4i", header, offset + 4)
                return bottom - top + 1, right - left + 1
            offset += 4 + max(0, length)
        raise ValueError("its header lacks the size")
    except (struct.error, IndexError) as error:
        raise InputError(f"{shown(path)} cannot be read as OpenEXR: it is cut short", "export it again") from error
    except ValueError as error:
        raise InputError(f"{shown(path)} cannot be read as OpenEXR: {error}", "export it again") from error


def _texts(header: bytes, offset: int) -> tuple[bytes, bytes, int]:
    """The two texts that end with 0 at `offset`, and where what follows begins."""
    first = header.index(b"\0", offset)
    second = header.index(b"\0", first + 1)
    return header[offset:first], header[first + 1 : second], second + 1


def read_exr(path: Path) -> NDArray[np.float32]:
    """[H,W,3|4] float32 of an OpenEXR image: its R, G, B (A), or Y three times.

    Raises:
        InputError: the package is missing, the file is damaged, or has no such channels.
    """
    try:
        import OpenEXR
    except ImportError as error:
        raise InputError(
            f"{shown(path)} is an OpenEXR image, which needs an optional package",
            "run 'pip install OpenEXR', or convert the images to PNG",
        ) from error
    try:
        with OpenEXR.File(str(path)) as file:
            channels = {name: channel.pixels for name, channel in file.channels().items()}
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        raise InputError(
            f"{shown(path)} cannot be read as OpenEXR: {shown(str(error))}", "the file is damaged: export it again"
        ) from error
    for name in ("RGBA", "RGB"):
        if name in channels:
            return np.asarray(channels[name], np.float32)
    if "Y" in channels:
        return np.repeat(np.asarray(channels["Y"], np.float32)[:, :, None], 3, axis=2)
    raise InputError(
        f"{shown(path)} has the channels {', '.join(channels)}, but no RGB", "save it with R, G, B or Y channels"
    )


def write_exr(path: str | Path, image: NDArray[np.floating]) -> None:
    """Write an OpenEXR image of 32-bit floats, compressed without loss.

    Args:
        path: where to; the file appears in one piece.
        image: [H,W,3] linear RGB, or [H,W,4] with colours multiplied by alpha, as the format wants them; [H,W]: one
            channel, Y.

    Raises:
        UsageError: the place cannot be written to.
    """
    import OpenEXR

    pixels = np.ascontiguousarray(image, np.float32)
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage}
    name = "Y" if pixels.ndim == 2 else "RGB" if pixels.shape[2] == 3 else "RGBA"
    channels = {name: pixels}
    with atomic_path(path) as temporary, OpenEXR.File(header, channels) as file:
        file.write(str(temporary))
