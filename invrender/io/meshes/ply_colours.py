"""The colours of a .ply file, at vertices or on faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from invrender.colour import srgb_to_linear
from invrender.errors import InputError
from invrender.io.meshes.binary import doubles
from invrender.io.meshes.ply_data import Table
from invrender.io.meshes.polygons import Triangles
from invrender.io.meshes.text import Integers

Floats = NDArray[np.float64]

_NAMES = (("red", "green", "blue"), ("diffuse_red", "diffuse_green", "diffuse_blue"), ("r", "g", "b"))


def read_colours(path: Path, table: Table) -> Floats | None:
    """[R,3] linear colours of an element's rows, or None where it has none.

    Integers span their type; floats are 0 to 1, or 0 to 255 where any is larger.

    Raises:
        InputError: a colour is not a number, or not in that range.
    """
    names = next((names for names in _NAMES if all(n in table and table[n].sizes is None for n in names)), None)
    if names is None:
        return None
    values = np.stack([doubles(table[name].values) for name in names], axis=1)
    scale = max(_scale(table[name].kind, values) for name in names)
    values = values / scale
    if not np.isfinite(values).all() or values.min() < -0.01 or values.max() > 1.01:
        raise InputError(f"{path} has colours that are not in their range", "export it again, or without colours")
    return srgb_to_linear(np.clip(values, 0.0, 1.0))


def _scale(kind: np.dtype, values: Floats) -> float:
    """What stands for full intensity; wide integers often hold bytes nonetheless."""
    if kind.kind != "f" and (kind.itemsize == 1 or (kind.itemsize == 2 and (values > 255).any())):
        return float(np.iinfo(kind).max)
    return 255.0 if kind.kind != "f" or (values > 1.01).any() else 1.0


def cut_at_colours(colours: Floats, triangles: Triangles, faces: Integers) -> tuple[Integers, Integers, Floats]:
    """Vertices once for each colour of the polygons around them, so that every polygon keeps its own.

    Args:
        colours: [P,3] of the polygons.
        triangles: how they are cut.
        faces: [F,3] their triangles, then others (of strips), which are white.

    Returns:
        Which vertex each new one is a copy of [V'], the faces [F,3], and the colours [V',3].
    """
    kinds, kind = np.unique(np.concatenate([np.ones((1, 3)), colours]), axis=0, return_inverse=True)
    kind = kind.reshape(-1)
    own = np.full(len(faces), kind[0])
    own[: len(triangles.polygon)] = kind[1:][triangles.polygon]
    kept, index = np.unique(faces * len(kinds) + own[:, None], return_inverse=True)
    source, which = np.divmod(kept, len(kinds))
    return source, index.reshape(-1, 3), kinds[which]
