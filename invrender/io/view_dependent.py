"""Files of colours that change with the direction: `view_dependent.npz`, beside the mesh whose vertices have them.

`coefficients` [V,K,3] float32, K = 1, 4 or 9: a vertex seen along the unit direction (x, y, z), from the eye to it in
the world, has the sRGB colour sum_k coefficients[v,k] Y_k, with Y = (1, x, y, z, xy, yz, zx, x^2 - y^2, 3 z^2 - 1).
Vertices are in the order of mesh.ply.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from invrender.errors import InputError
from invrender.io.files.atomic import atomic_path
from invrender.io.files.npz import UNREADABLE, read_arrays
from invrender.io.files.paths import shown

NAME = "coefficients"
COUNTS = (1, 4, 9)


def read_view_dependent(path: Path) -> torch.Tensor:
    """The coefficients [V,K,3] float32 of a file.

    Raises:
        InputError: it is missing, damaged, or holds something else.
    """
    remedy = "name the view_dependent.npz of a run with --appearance view-dependent"
    try:
        arrays = read_arrays(path)
    except FileNotFoundError as error:
        raise InputError(f"{shown(path)} does not exist", remedy) from error
    except UNREADABLE as error:
        raise InputError(f"{shown(path)} cannot be read: {error}", remedy) from error
    found = arrays.get(NAME)
    if found is None or found.ndim != 3 or found.shape[1] not in COUNTS or found.shape[2] != 3:
        raise InputError(f"{shown(path)} holds no colours that change with the view", remedy)
    if found.dtype.kind != "f" or not np.isfinite(found).all():
        raise InputError(f"{shown(path)} holds colours that are no numbers", remedy)
    return torch.from_numpy(found.astype(np.float32))


def write_view_dependent(path: str | Path, coefficients: torch.Tensor) -> None:
    """Write coefficients [V,K,3], compressed.

    Raises:
        UsageError: the place cannot be written to.
    """
    with atomic_path(Path(path)) as temporary:
        np.savez_compressed(temporary, coefficients=coefficients.cpu().numpy())
