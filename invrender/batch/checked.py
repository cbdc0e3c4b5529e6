"""The settings of jobs, resolved and checked before anything starts; nothing heavy is imported for that."""

from __future__ import annotations

import os
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from invrender.batch.jobs import Job
from invrender.errors import InputError, InvrenderError, UsageError
from invrender.io.files.paths import entries, nearest, shown
from invrender.methods.names import METHODS, settings_of
from invrender.methods.neural_renderer.settings import TrainSettings
from invrender.methods.reconstruct import Layers, name_and_settings
from invrender.methods.train import train_settings
from invrender.run.gates import parse_gate
from invrender.run.settings import RunSettings, flag_of, hints

SHOWN = 4  # jobs that a message quotes
TRAIN = "train"


def check_jobs(jobs: Sequence[Job], known: Sequence[str] = ()) -> None:
    """Refuse jobs that cannot start: a setting that does not exist or a value that it cannot have, a missing input.

    Args:
        jobs: all of a batch.
        known: environment variables that are no settings.

    Raises:
        InvrenderError: that of the first such job, naming the first few, and how many there are.
    """
    wrong: list[tuple[Job, InvrenderError]] = []
    for job in jobs:
        try:
            resolved(job, known)
        except InvrenderError as error:
            wrong.append((job, error))
    if wrong:
        told = "; ".join(f"{job.where} ({shown(job.name, 40)}): {error.cause}" for job, error in wrong[:SHOWN])
        more = f"; and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        kind, remedy = type(wrong[0][1]), wrong[0][1].remedy
        raise kind(f"{len(wrong)} of {len(jobs)} jobs cannot start: {told}{more}", remedy)


def resolved(job: Job, known: Sequence[str] = ()) -> tuple[str, RunSettings]:
    """The method of a job (or `train`) and its settings, with paths that lead to its files from anywhere.

    Raises:
        UsageError, InputError: the job cannot start.
    """
    for text in job.fail_if:
        parse_gate(text)
    flags = _placed(job)
    file = flags.pop("config", None)
    layers = Layers(flags, (), None if file is None else Path(file), dict(os.environ), known)
    source = layers.first("input")
    if source is None:
        raise UsageError("there is no input", 'give every job one, such as "input": "mug.glb"')
    _check_there(Path(source))
    return (TRAIN, train_settings(layers)) if job.command == TRAIN else name_and_settings(layers)


def _placed(job: Job) -> dict[str, Any]:
    """The settings with paths relative to the file of jobs made absolute."""
    base = Path(job.base)
    return {
        key: str(base / value) if isinstance(value, str) and value and _is_path(job, key, value) else value
        for key, value in job.settings.items()
    }


def _is_path(job: Job, key: str, value: str) -> bool:
    """Whether a value names a file: the setting is a path, or takes one besides words such as orbit."""
    if key in ("input", "config"):
        return True
    for cls in _classes(job):
        flag = flag_of(cls, key) if key in hints(cls) else None
        words = ((flag.metavar or "") if flag else "").split("|")
        if key in hints(cls) and ({"FILE", "DIR"} & set(words) or Path in _members(hints(cls)[key])):
            return value not in words and value != "none"
    return False


def _classes(job: Job) -> list[type[Any]]:
    return [TrainSettings] if job.command == TRAIN else [settings_of(name) for name in METHODS]


def _members(hint: Any) -> tuple[Any, ...]:
    """The types of an annotation, without what is noted of it."""
    while typing.get_origin(hint) is typing.Annotated:
        hint = typing.get_args(hint)[0]
    return typing.get_args(hint) or (hint,)


def _check_there(source: Path) -> None:
    if not os.path.lexists(source):
        near = nearest(source.name, entries(source.parent))
        hint = f"did you mean {near}? " if near else ""
        raise InputError(f"there is no input {shown(source)}", f"{hint}paths are relative to the file of jobs")
