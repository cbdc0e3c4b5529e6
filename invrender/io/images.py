"""Images in and out: linear floats in memory, sRGB on disk; masks are straight coverage on both sides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from invrender.colour import linear_to_srgb, srgb_to_linear
from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import atomic_path
from invrender.io.files.paths import check_extension, existing_file

IMAGE_EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".exr")

Array = NDArray[np.float32]


def read_image(path: str | Path) -> tuple[Array, Array | None]:
    """Read an image as linear colour and coverage.

    Files of 8 and 16 bits are taken for sRGB, .exr for linear. A grey image becomes three equal channels.

    Returns:
        rgb [H,W,3] float32 linear, and alpha [H,W] float32 in [0, 1], or None where the file has none.

    Raises:
        InputError: the file is missing, of an unknown kind, or damaged.
    """
    values, encoded = _read(Path(path))
    rgb: Array = srgb_to_linear(values[..., :3]) if encoded else values[..., :3]
    return rgb, values[..., 3] if values.shape[2] == 4 else None


def read_mask(path: str | Path) -> Array:
    """Read coverage [H,W] float32 in [0, 1] from a grey or colour image (the mean of its channels, not decoded).

    An alpha channel that is not opaque everywhere counts as the mask where the colours carry none (all black or all
    white).

    Raises:
        InputError: the file is missing, of an unknown kind, or damaged.
    """
    values, _ = _read(Path(path))
    grey: Array = values[..., :3].mean(axis=2)
    has_alpha = values.shape[2] == 4 and float(values[..., 3].min()) < 1
    return values[..., 3] if has_alpha and float(np.ptp(grey)) == 0 else grey


def _read(path: Path) -> tuple[Array, bool]:
    """[H,W,3|4] float32 as stored, over 0..1, and whether colours are sRGB-encoded."""
    check_extension(path, IMAGE_EXTENSIONS, "image")
    existing_file(path, "image")
    if path.suffix.lower() == ".exr":
        return _read_exr(path), False
    try:
        with Image.open(path) as image:
            if image.mode.startswith(("I", "F")):  # 16-bit or float grey: no conversion keeps all of it
                grey: Array = np.asarray(image, np.float32) / np.float32(1 if image.mode == "F" else 65535)
                return np.repeat(grey[:, :, None], 3, axis=2), True
            has_alpha = "A" in image.getbands() or "transparency" in image.info
            return np.asarray(image.convert("RGBA" if has_alpha else "RGB"), np.float32) / np.float32(255), True
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InputError(
            f"{path} cannot be read as an image: {error}", "the file is damaged: export it again"
        ) from error


def _read_exr(path: Path) -> Array:
    """[H,W,3|4] float32 of an OpenEXR image, through the optional package of that name."""
    try:
        import OpenEXR
    except ImportError as error:
        raise InputError(
            f"{path} is an OpenEXR image, which needs an optional package",
            "run 'pip install OpenEXR', or convert the images to PNG",
        ) from error
    try:
        with OpenEXR.File(str(path)) as file:
            channels = {name: channel.pixels for name, channel in file.channels().items()}
    except (RuntimeError, ValueError, OSError, TypeError) as error:
        raise InputError(
            f"{path} cannot be read as OpenEXR: {error}", "the file is damaged: export it again"
        ) from error
    for name in ("RGBA", "RGB"):
        if name in channels:
            return np.asarray(channels[name], np.float32)
    if "Y" in channels:
        return np.repeat(np.asarray(channels["Y"], np.float32)[:, :, None], 3, axis=2)
    raise InputError(f"{path} has the channels {', '.join(channels)}, but no RGB", "save it with R, G, B or Y channels")


def write_png(path: str | Path, image: torch.Tensor | NDArray[np.floating]) -> None:
    """Write an 8-bit PNG.

    Args:
        path: where to; the file appears in one piece.
        image: [H,W,3] linear colour or [H,W,4] with straight alpha: the colours are sRGB-encoded, alpha is not.
            [H,W]: coverage or depth in [0, 1], written as it is.

    Raises:
        UsageError: the place cannot be written to.
        ValueError: the array is of another shape.
    """
    values = np.asarray(image.detach().cpu() if isinstance(image, torch.Tensor) else image, np.float64)
    if values.ndim == 3 and values.shape[2] in (3, 4):
        values = np.concatenate([linear_to_srgb(values[..., :3]), values[..., 3:]], axis=2)
    elif values.ndim != 2:
        raise ValueError(f"write_png takes [H,W], [H,W,3] or [H,W,4], not {values.shape}")
    with atomic_path(path) as temporary:
        Image.fromarray(np.round(np.clip(values, 0, 1) * 255).astype(np.uint8)).save(temporary, format="PNG")


def write_gif(path: str | Path, frames: Sequence[NDArray[np.uint8]], fps: float = 20.0) -> None:
    """Write a GIF that loops for ever, in one palette of 256 colours chosen over all frames (so nothing flickers).

    Args:
        path: where to; the file appears in one piece.
        frames: [H,W,3] uint8 sRGB each, all of one size.
        fps: frames per second, at most 50 (GIF counts in 1/100 s, and viewers slow down what is faster).

    Raises:
        UsageError: there are no frames, the speed is out of range, or the place cannot be written to.
    """
    if not len(frames):
        raise UsageError("a GIF needs at least one frame", "ask for at least one view")
    if not 0 < fps <= 50:
        raise UsageError(f"a GIF cannot play at {fps:g} frames per second", "use 0 < fps <= 50")
    palette = _palette(frames)
    pictures = [Image.fromarray(frame).quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    with atomic_path(path) as temporary:
        pictures[0].save(
            temporary, format="GIF", save_all=True, append_images=pictures[1:], duration=round(100 / fps) * 10, loop=0,
            optimize=False,
        )  # fmt: skip


def _palette(frames: Sequence[NDArray[np.uint8]]) -> Image.Image:
    """A palette image of the colours of up to 16 frames, taken evenly from all of them."""
    picked = [frames[i] for i in np.unique(np.linspace(0, len(frames) - 1, 16).astype(int))]
    return Image.fromarray(np.concatenate(picked)).quantize(256, method=Image.Quantize.MEDIANCUT)
