"""Neural fields as files: `field.npz` holds how a field is built, its box, its support and its weights.

    about              JSON: format, version, shape, level, outputs, settings
    bounds             [2,3] float64
    support            [D,H,W] bool, where the field has one
    weights/NAME       float32, as `NeuralField.sizes` has them

Nothing is unpickled, and nothing is allocated that the file does not hold.
"""

from __future__ import annotations

import dataclasses
import json
import math
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import numpy as np
import torch

from invrender.errors import InputError, UsageError
from invrender.io.files.atomic import atomic_path
from invrender.io.files.memory import check_room
from invrender.io.files.npz import UNREADABLE, read_arrays
from invrender.io.files.paths import existing_file, is_folder
from invrender.io.volumes.grid import SMALLEST, Array, damaged
from invrender.nouns import Volume
from invrender.parameters.neural_field import FieldSettings, Kind, LearnedField, NeuralField, Output

NAME = "field.npz"  # in the folder of a run
VERSION = 1
FORMAT = "invrender neural field"
_ABOUT, _BOUNDS, _SUPPORT, _WEIGHTS = "about", "bounds", "support", "weights/"
_MOST = 4096  # samples on a side, and units of a layer
_AGAIN = "write it again with invrender.write, or train the field again"


def write_field(path: str | Path, field: LearnedField) -> None:
    """Write a field; the file appears in one piece.

    Raises:
        UsageError: it is not to be an .npz, or the place cannot be written to.
        InputError: weights are NaN or infinite.
    """
    if Path(path).suffix.lower() != ".npz":
        raise UsageError(f"{Path(path).name} cannot hold a neural field", "call it field.npz")
    built = field.field
    weights = {name: value.detach().cpu().float().numpy() for name, value in field.params.items()}
    if not all(np.isfinite(value).all() for value in weights.values()):
        raise InputError("the field holds weights that are NaN or infinite", "train it again at a lower rate")
    about = {
        "format": FORMAT,
        "version": VERSION,
        "shape": list(built.shape),
        "level": float(built.level),
        "outputs": list(built.outputs),
        "settings": dataclasses.asdict(built.settings),
    }
    arrays: dict[str, Any] = {_ABOUT: np.array(json.dumps(about)), _BOUNDS: built.bounds.cpu().double().numpy()}
    arrays |= {_WEIGHTS + name: value for name, value in weights.items()}
    if built.support is not None:
        arrays[_SUPPORT] = built.support.cpu().numpy()
    with atomic_path(path) as temporary, temporary.open("wb") as file:
        np.savez_compressed(file, **arrays)


def is_field(path: Path) -> bool:
    """Whether a file is the archive of a neural field, be it damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return f"{_ABOUT}.npy" in archive.namelist()
    except UNREADABLE:
        return False


def read_field(path: str | Path) -> LearnedField:
    """Read a field that `write_field` or a run wrote: a function of place, which `volume` puts on a grid.

    Args:
        path: the file, or the folder of a run.

    Raises:
        InputError: it is missing, damaged, no field, or written by a later version.
        MemoryLimitError: it does not fit.
    """
    source = Path(path) / NAME if is_folder(Path(path)) else Path(path)
    existing_file(source, "field")
    try:
        with zipfile.ZipFile(source) as archive:
            check_room(source, sum(member.file_size for member in archive.infolist()))
        arrays = read_arrays(source)
    except UNREADABLE as error:
        raise damaged(source, error) from error
    if _ABOUT not in arrays:
        raise InputError(f"{source} holds no neural field", "name the field.npz of a run with --field neural")
    try:
        field = _built(arrays, _about(arrays[_ABOUT], source))
        params = {name: _weights(arrays, name, size) for name, size in field.sizes.items()}
    except (KeyError, TypeError, ValueError) as error:
        cause = f"{error} is missing in it" if isinstance(error, KeyError) else str(error)[:160]
        raise InputError(f"{source} is damaged: {cause}", _AGAIN) from error
    return LearnedField(field, params)


def read_field_volume(path: Path) -> Volume:
    """A field on its own grid."""
    found = read_field(path)
    check_room(path, 8 * len(found.field.outputs) * math.prod(found.field.shape))
    with torch.no_grad():
        return found.volume()


def _about(text: Array, source: Path) -> Mapping[str, Any]:
    about = json.loads(str(text)) if text.dtype.kind == "U" and text.ndim == 0 else None
    if not isinstance(about, dict) or about.get("format") != FORMAT:
        raise ValueError("it does not say that it is a neural field")
    version = about.get("version")
    if isinstance(version, int) and version > VERSION:
        raise InputError(f"{source} is of version {version}, and up to {VERSION} are known", "update invrender")
    return about


def _built(arrays: Mapping[str, Array], about: Mapping[str, Any]) -> NeuralField:
    """The field that a file describes, each number checked."""
    depth, height, width = (_count(n, "shape", 2) for n in about["shape"])
    level, outputs = float(about["level"]), tuple(about["outputs"])
    if not (math.isfinite(level) and outputs and set(outputs) <= set(get_args(Output))):
        raise ValueError(f"its outputs are {list(outputs)!r} at a level of {level:g}")
    settings = dict(about["settings"])
    if settings["kind"] not in get_args(Kind):
        raise ValueError(f"its kind is {settings['kind']!r}")
    for name in ("latents", "coarseness", "hidden", "layers", "frequencies"):
        _count(settings[name], name, 0 if name in ("layers", "frequencies") else 1)
    bounds = torch.from_numpy(arrays[_BOUNDS])
    if bounds.shape != (2, 3) or bounds.dtype != torch.float64 or not bool(bounds.isfinite().all()):
        raise ValueError("its bounds are not two corners")
    if not bool((bounds[1] - bounds[0] >= SMALLEST).all()):
        raise ValueError("its bounds span no box")
    support = None if _SUPPORT not in arrays else torch.from_numpy(arrays[_SUPPORT])
    if support is not None and (support.shape != (depth, height, width) or support.dtype != torch.bool):
        raise ValueError("its support does not fit its grid")
    return NeuralField((depth, height, width), bounds, level, support, FieldSettings(**settings), outputs)


def _count(value: object, name: str, least: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= _MOST:
        raise ValueError(f"{name} is {value!r}")
    return value


def _weights(arrays: Mapping[str, Array], name: str, size: tuple[int, ...]) -> torch.Tensor:
    if _WEIGHTS + name not in arrays:
        raise ValueError(f"it has no {name}")
    values = arrays[_WEIGHTS + name]
    if values.shape != size or values.dtype != np.float32 or not np.isfinite(values).all():
        raise ValueError(f"its {name} are not {' x '.join(map(str, size))} finite numbers")
    return torch.from_numpy(values)
