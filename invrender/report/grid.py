"""A volume made small enough for a page: 8 bits, at most 96 samples along an axis, its slices side by side in a PNG."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.nouns import Volume
from invrender.report.media import data_uri, encoded_size, grey_png

SIDES = (96, 72, 48, 32)  # samples along the longest axis, one after the other until it fits
SHARE = 99.8  # percentile of the values that is the brightest: single samples do not darken the rest


def sheet(volume: Volume, budget: int) -> tuple[str, dict[str, Any]] | None:
    """The slices along z as one picture (an address of `budget` characters at most), and what slices.js takes of it.

    None where the volume is the same everywhere. Of several channels the first one is shown.
    """
    values = np.nan_to_num(volume.numpy()[0])
    least, greatest = float(values.min()), float(np.percentile(values, SHARE))
    greatest = greatest if greatest > least else float(values.max())
    if not greatest > least:
        return None
    for side in SIDES:
        grid = _shrunk(values, side)
        shades = ((grid - least) / (greatest - least) * 255).clip(0, 255).round().astype(np.uint8)
        across = math.ceil(math.sqrt(len(shades)))
        data = grey_png(_tiled(shades, across))
        if encoded_size(len(data)) <= budget:
            break
    else:
        return None
    depth, height, width = shades.shape
    bounds = volume.bounds.double().tolist()
    return data_uri(data, "image/png"), {
        "size": [width, height, depth],
        "across": across,
        "least": least,
        "greatest": greatest,
        "bounds": {axis: [bounds[0][k], bounds[1][k]] for k, axis in enumerate("xyz")},
    }


def _shrunk(values: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """Means of blocks, so that nothing thin is lost; grids that are small enough stay as they are."""
    step = -(-max(values.shape) // side)
    if step == 1:
        return values
    held = [(-n) % step for n in values.shape]
    filled = np.pad(values, [(0, more) for more in held], mode="edge")
    shape = [part for n in filled.shape for part in (n // step, step)]
    means: NDArray[np.float32] = filled.reshape(shape).mean((1, 3, 5))
    return means


def _tiled(slices: NDArray[np.uint8], across: int) -> NDArray[np.uint8]:
    depth, height, width = slices.shape
    rows = math.ceil(depth / across)
    tiles = np.zeros((rows * across, height, width), np.uint8)
    tiles[:depth] = slices
    return tiles.reshape(rows, across, height, width).transpose(0, 2, 1, 3).reshape(rows * height, across * width)
