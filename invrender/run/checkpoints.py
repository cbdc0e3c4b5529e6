"""Checkpoints of a run: named arrays and the step they belong to, one .npz file each, whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import CheckpointError
from invrender.io.files.atomic import atomic_path
from invrender.io.files.npz import UNREADABLE, read_arrays

PATTERN = re.compile(r"step_(\d+)\.npz")
STEP = "__step__"
KEPT = 2  # checkpoints of a run: the last one, and the one before in case that is damaged


def checkpoint_name(step: int) -> str:
    """The file of the checkpoint after so many steps."""
    return f"step_{step:06d}.npz"


def save_checkpoint(folder: Path, step: int, arrays: Mapping[str, NDArray[Any]]) -> Path:
    """Write `arrays` as folder/step_000123.npz and return that path."""
    folder.mkdir(exist_ok=True)
    path = folder / checkpoint_name(step)
    entries: dict[str, Any] = {STEP: np.array(step), **arrays}
    with atomic_path(path) as temporary:
        np.savez(temporary, **entries)
    return path


def load_checkpoint(path: Path) -> tuple[int, dict[str, NDArray[Any]]]:
    """The step and the arrays of a checkpoint.

    Raises:
        CheckpointError: the file is missing, damaged, or no checkpoint of ours.
    """
    try:
        arrays = read_arrays(path)
    except FileNotFoundError as error:
        raise CheckpointError(f"there is no checkpoint {path}", "start without it, or name another one") from error
    except UNREADABLE as error:
        raise CheckpointError(f"the checkpoint {path} is damaged: {error}", "use the one before it") from error
    if STEP not in arrays:
        raise CheckpointError(f"{path} is no checkpoint of invrender", "name a file from a run's checkpoints folder")
    return int(arrays.pop(STEP)), arrays


def checkpoints(folder: Path) -> list[Path]:
    """The checkpoints in a folder, the latest first."""
    found = [(int(match[1]), path) for path in folder.glob("step_*.npz") if (match := PATTERN.fullmatch(path.name))]
    return [path for _, path in sorted(found, reverse=True)]


def latest_sound_checkpoint(folder: Path, notice: Callable[[str], None]) -> tuple[int, dict[str, NDArray[Any]]] | None:
    """The latest checkpoint that is not damaged; what is wrong with later ones goes to `notice`."""
    for path in checkpoints(folder):
        try:
            return load_checkpoint(path)
        except CheckpointError as error:
            notice(f"{error.cause}; it is left out")
    return None
