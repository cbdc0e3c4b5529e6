"""Transfer functions as files: the JSON that `reconstruct --known`, `render --save-transfer` and the preview write.

    {"window": "0,255", "colormap": "0:#000004,1:#fcffa4", "opacity": "0:0,0.2:0,1:0.6"}

The three texts are those of the options of the same names, so that a file can be edited by hand; places count from 0 to 1
between the two values of the window, opacities hold for 1/32 of the volume's longest axis.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import atomic_write_text
from invrender.nouns.transfer import TransferFunction
from invrender.render.transfer import colours_of, opacity_of

FILE = "transfer.json"
CLOSE = 1 / 512  # points are left out that lie this near to the line between their neighbours


def read_transfer(path: Path) -> TransferFunction:
    """The transfer function in a file, or in the file of a run folder.

    Raises:
        InputError: there is none, or it is damaged.
    """
    file = path / FILE if path.is_dir() else path
    if not file.is_file():
        where = f"the folder {path} holds no {FILE}" if path.is_dir() else f"there is no file {path}"
        raise InputError(
            where, "name a file of `invrender render --save-transfer`, or a run of `invrender reconstruct --known`"
        )
    try:
        table = json.loads(file.read_text(encoding="utf-8"))
        low, high = (float(number) for number in table["window"].split(","))
        colours, opacity = colours_of(table["colormap"]), opacity_of(table["opacity"], 1.0)
        if not (high > low and math.isfinite(low) and math.isfinite(high)):
            raise ValueError(f"the window from {low:g} to {high:g} is empty")
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        said = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise InputError(
            f"{file} is no transfer function: {said}", "write one with `invrender render VOLUME --save-transfer FILE`"
        ) from error
    except UsageError as error:
        raise InputError(f"{file}: {error.cause}", error.remedy) from error
    return TransferFunction(colours, opacity, low, high)


def write_transfer(path: Path, transfer: TransferFunction) -> None:
    """Write a transfer function as JSON, whole or not at all."""
    atomic_write_text(path, json.dumps(transfer_texts(transfer), indent=1) + "\n")


def transfer_texts(transfer: TransferFunction) -> dict[str, Any]:
    """A transfer function as the texts of `--window`, `--colormap` and `--opacity`, with as few points as describe it."""
    encoded = linear_to_srgb(transfer.colours.detach().cpu().double().numpy()).clip(0, 1)
    opacity = transfer.opacity.detach().cpu().double().numpy().clip(0, 1)
    places = np.linspace(0, 1, len(opacity))
    colours = [f"{places[k]:.4g}:#" + "".join(f"{round(255 * c):02x}" for c in encoded[k]) for k in _bends(encoded)]
    return {
        "window": f"{transfer.low:.9g},{transfer.high:.9g}",
        "colormap": ",".join(colours),
        "opacity": ",".join(f"{places[k]:.4g}:{opacity[k]:.4g}" for k in _bends(opacity[:, None])),
    }


def _bends(rows: NDArray[np.float64]) -> list[int]:
    """Numbers of the rows [K,C] between which all others lie on straight lines (Ramer 1972, Douglas and Peucker 1973)."""
    kept, open_ends = {0, len(rows) - 1}, [(0, len(rows) - 1)]
    while open_ends:
        first, last = open_ends.pop()
        if last - first < 2:
            continue
        shares = np.linspace(0, 1, last - first + 1)[:, None]
        off = np.abs(rows[first : last + 1] - rows[first] * (1 - shares) - rows[last] * shares).max(1)
        worst = int(off.argmax())
        if off[worst] > CLOSE:
            kept.add(first + worst)
            open_ends += [(first, first + worst), (first + worst, last)]
    return sorted(kept)
