"""Whether a folder holds an unfinished run that can be resumed: the same settings, input and version."""

from __future__ import annotations

import dataclasses
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender import __version__
from invrender.errors import CheckpointError
from invrender.run.checkpoints import latest_sound_checkpoint
from invrender.run.place import CHECKPOINTS, CONFIG, RECORD
from invrender.run.record import read_record
from invrender.run.resolve import parse_toml, to_toml
from invrender.run.settings import RunSettings

LOSS_ROWS, INPUT = "run.loss_rows", "run.input"  # names of arrays, which no estimate has: they hold a dot
HARMLESS = ("save_every",)  # settings that change nothing about the result


@dataclass(frozen=True)
class Saved:
    """A run's last checkpoint: the step it was made after, all arrays, and the rows of losses.csv at that time."""

    step: int
    arrays: Mapping[str, NDArray[Any]]
    loss_rows: int


def saved_run(
    folder: Path, settings: RunSettings, backend: str, digest: str, notice: Callable[[str], None]
) -> Saved | None:
    """The state to resume from; None where there is none and the run starts over.

    Args:
        folder: of the run.
        settings, backend: of the run that is to be; "auto" may mean another backend than before.
        digest: of its input; see `fingerprint`.
        notice: takes what is wrong with damaged checkpoints.

    Raises:
        CheckpointError: there is one, of a run with other settings, another input or by another version.
    """
    record = read_record(folder / RECORD)
    if record is None or record["status"] == "finished":
        return None
    found = latest_sound_checkpoint(folder / CHECKPOINTS, notice)
    if found is None:
        return None
    step, arrays = found
    changes = _changes(folder / CONFIG, settings)
    if record.get("backend") != backend:
        changes.append(f"backend in use {record.get('backend')} -> {backend}")
    if record["invrender"] != __version__:
        changes.append(f"version {record['invrender']} -> {__version__}")
    if str(arrays.get(INPUT)) != digest:
        changes.append("the input's content")
    if changes:
        raise CheckpointError(
            f"{folder} holds an unfinished run that differs from this one: {'; '.join(changes)}",
            "repeat the command that began it, choose another folder with -o, or start over with --fresh",
        )
    if LOSS_ROWS not in arrays:
        raise CheckpointError(f"the checkpoint of step {step} in {folder} is no run's", "start over with --fresh")
    return Saved(step, arrays, int(arrays[LOSS_ROWS]))


def _changes(config: Path, settings: RunSettings) -> list[str]:
    """The settings that differ from those of a config.toml, each as `name old -> new`."""
    try:
        before = parse_toml(config.read_text(encoding="utf-8")) if config.is_file() else {}
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{config} cannot be read: {error}", "start over with --fresh") from error
    after = parse_toml(to_toml(settings))
    names = [name for name in {**before, **after} if name not in HARMLESS]
    return [
        f"{name} {before.get(name, 'unset')} -> {after.get(name, 'unset')}"
        for name in names
        if before.get(name) != after.get(name)
    ]


def fingerprint(task: Any) -> str:
    """A checksum over all tensors, numbers and texts of a task, in hexadecimal digits."""
    return f"{_checksum(task, 0):08x}"


def _checksum(value: Any, start: int) -> int:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        parts: Any = [getattr(value, f.name) for f in dataclasses.fields(value)]
    elif isinstance(value, Mapping):
        parts = [part for item in value.items() for part in item]
    elif isinstance(value, tuple | list):
        parts = value
    elif isinstance(value, torch.Tensor):
        return zlib.crc32(np.ascontiguousarray(value.detach().cpu().numpy()).tobytes(), start)
    else:
        return zlib.crc32(repr(value).encode(), start)
    for part in parts:
        start = _checksum(part, start)
    return start
