"""A learned segmenter, rembg, where it is installed and its weights lie on disk. Nothing is ever downloaded."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError

PREFERRED = ("isnet-general-use", "u2net", "u2netp", "silueta")


def segmenter_model() -> str | None:
    """The model of rembg whose weights are on disk, or None; rembg itself is not imported.

    rembg looks for NAME.onnx in the folder U2NET_HOME, or .u2net in XDG_DATA_HOME or the home folder.
    """
    if find_spec("rembg") is None:
        return None
    there = {path.stem for path in weights_folder().glob("*.onnx") if path.stat().st_size > 0}
    return next((name for name in PREFERRED if name in there), None)


def weights_folder() -> Path:
    """Where rembg keeps its weights."""
    if home := os.environ.get("U2NET_HOME"):
        return Path(home).expanduser()
    return Path(os.environ.get("XDG_DATA_HOME") or "~").expanduser() / ".u2net"


def segmenter_hint() -> str:
    """What is missing for the segmenter, for people."""
    if find_spec("rembg") is None:
        return "install rembg with its weights"
    return f"put rembg's weights into {weights_folder()} (such as {PREFERRED[1]}.onnx)"


def segmented(pictures: Sequence[NDArray[np.float32]], model: str) -> Iterator[NDArray[np.float32]]:
    """Coverage [H,W] of each picture [H,W,3], sRGB-encoded in [0, 1].

    Raises:
        InputError: the model's weights cannot be read.
    """
    os.environ.setdefault("MODEL_CHECKSUM_DISABLED", "1")  # else rembg downloads weights of another version
    from rembg import new_session, remove

    try:
        session = new_session(model)
    except (OSError, ValueError, RuntimeError) as error:
        raise InputError(
            f"rembg cannot read {weights_folder() / model}.onnx: {error}", "put its weights there again"
        ) from error
    for picture in pictures:
        stored = (np.asarray(picture) * 255).round().clip(0, 255).astype(np.uint8)
        found = np.asarray(remove(stored, session=session, only_mask=True), np.float32)
        yield (found[..., 0] if found.ndim == 3 else found) / np.float32(255)
