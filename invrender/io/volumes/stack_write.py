"""Writing volumes as folders of slices, TIFF (float32) or PNG (16 bit), with `slices.toml` beside them."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import tomli_w
from PIL import Image

from invrender.errors import InputError, OutputExistsError
from invrender.io.volumes.grid import spacing
from invrender.io.volumes.stack import ABOUT
from invrender.io.volumes.tiff_write import write_tiff
from invrender.nouns import Volume

Kind = Literal["tiff", "png"]
KINDS: Sequence[Kind] = ("tiff", "png")
_LEVELS = 2**16 - 1


def write_slices(folder: str | Path, volume: Volume, kind: Kind, overwrite: bool = False) -> float:
    """Write a folder of slices, the first at the bottom; it appears in one piece.

    PNG holds whole numbers up to 65535: values that are such numbers (from their least on) are kept, others are scaled
    to that range; `slices.toml` says how, and `read_volume` undoes it.

    Returns:
        The greatest error of a value by rounding; 0 of TIFF.

    Raises:
        InputError: the volume has several channels.
        OutputExistsError: there is something else than slices, or `overwrite` is not set.
    """
    target = Path(folder)
    if len(volume.values) != 1:
        raise InputError(f"slices hold one channel, not {len(volume.values)}", "write an .nrrd or .npz")
    ours = target.is_dir() and (target / ABOUT).is_file()
    if target.exists() and not (ours and overwrite) and not (target.is_dir() and not any(target.iterdir())):
        raise OutputExistsError(
            f"{target} is there already", "pass --overwrite" if ours else "name a folder that is not there yet"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    try:
        error = _write(fresh, volume, kind)
        if target.exists():
            shutil.rmtree(target)
        fresh.rename(target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return error


def _write(folder: Path, volume: Volume, kind: Kind) -> float:
    steps, origin = spacing(volume)
    about: dict[str, object] = {"spacing": steps.tolist(), "origin": origin.tolist()}
    if volume.units is not None:
        about["units"] = volume.units
    depth = volume.shape[0]
    digits = max(4, len(str(depth - 1)))
    low, scale = (0.0, 1.0) if kind == "tiff" else _levels(volume)
    for number in range(depth):
        if kind == "tiff":
            write_tiff(folder / f"slice_{number:0{digits}d}.tif", volume, (number, number + 1))
            continue
        values = volume.values[0, number].detach().cpu().double().numpy()
        pixels = np.rint((values - low) / scale).astype(np.uint16)
        Image.fromarray(pixels).save(folder / f"slice_{number:0{digits}d}.png")
    exact = kind == "tiff" or (scale == 1.0 and _whole(volume))
    if kind == "png" and (low, scale) != (0.0, 1.0):
        about |= {"scale": scale, "offset": low}
    (folder / ABOUT).write_bytes(tomli_w.dumps(about).encode())
    return 0.0 if exact else scale / 2


def _levels(volume: Volume) -> tuple[float, float]:
    """The value of a pixel of 0, and what one more stands for."""
    low, high = float(volume.values.min()), float(volume.values.max())
    if _whole(volume) and low >= 0 and high <= _LEVELS:
        return 0.0, 1.0
    if (_whole(volume) and high - low <= _LEVELS) or high == low:
        return low, 1.0
    return low, (high - low) / _LEVELS


def _whole(volume: Volume) -> bool:
    return all(bool((values == values.round()).all()) for values in volume.values[0])
