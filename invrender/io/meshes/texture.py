"""Reading the pictures that material files name."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
import torch

from invrender.colour import srgb_to_linear
from invrender.errors import InputError
from invrender.io.meshes.text import shown

MAX_TEXELS = 8192 * 8192  # 800 MB as float32; the largest side that graphics cards take everywhere


def read_texture(path: Path) -> torch.Tensor | None:
    """A picture as [h,w,3] linear float32, row 0 at the top; None where it is damaged or of an unknown kind.

    Raises:
        InputError: it has more texels than fit, which its header tells.
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                _check_size(path, image.width, image.height)
                values = np.asarray(image.convert("RGB"), np.float32) / 255
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise _too_large(path, str(error)) from error
    except (OSError, SyntaxError, ValueError, EOFError):
        return None
    return torch.from_numpy(srgb_to_linear(values))


def _check_size(path: Path, width: int, height: int) -> None:
    if width * height > MAX_TEXELS:
        raise _too_large(path, f"{width} x {height} texels")


def _too_large(path: Path, size: str) -> InputError:
    return InputError(f"the texture {shown(str(path))} is too large: {size}", "scale it to at most 8192 x 8192")
