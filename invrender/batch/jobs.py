"""A job: a name, an input and settings. Plain data; its folder is named by its name and a checksum of its settings."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Any, Literal

Command = Literal["reconstruct", "train"]
LONGEST = 80  # characters of a name that a folder's name keeps


@dataclass(frozen=True)
class Job:
    """One run of a batch.

    Attributes:
        name: for people; unique in its batch.
        settings: values by name as the file has them, `input` among them, and `method` and `config` where they are
            given; paths are absolute, or relative to `base`.
        command: which of the program's commands runs it.
        fail_if: gates on its metrics, such as `iou<.95`.
        base: folder to which relative paths refer, that of the file of jobs.
        where: in that file, for messages, such as `line 3`.
    """

    name: str
    settings: Mapping[str, Any]
    command: Command = "reconstruct"
    fail_if: tuple[str, ...] = ()
    base: str = ""
    where: str = field(default="", compare=False)

    @cached_property
    def key(self) -> str:
        """The name of its folder: its own name, as far as file systems take it, and a checksum of its settings."""
        name = re.sub(r"[^\w.,=+-]+", "-", self.name).strip("-.")[:LONGEST] or "job"
        told = json.dumps([self.command, self.settings], sort_keys=True, default=str)
        return f"{name}-{hashlib.sha256(told.encode(errors='backslashreplace')).hexdigest()[:8]}"


def as_table(job: Job) -> dict[str, Any]:
    """A job as JSON has it."""
    return {field.name: getattr(job, field.name) for field in fields(job)}


def from_table(table: Mapping[str, Any]) -> Job:
    """The job that `as_table` wrote.

    Raises:
        KeyError, TypeError: it is none.
    """
    command: Command = "train" if table["command"] == "train" else "reconstruct"
    return Job(
        name=str(table["name"]),
        settings=dict(table["settings"]),
        command=command,
        fail_if=tuple(map(str, table["fail_if"])),
        base=str(table["base"]),
        where=str(table["where"]),
    )


def differing(jobs: Sequence[Job]) -> list[str]:
    """The names of settings in which jobs differ, in the order in which they first come."""
    names: Mapping[str, None] = dict.fromkeys(key for job in jobs for key in job.settings)
    return [key for key in names if len({repr(job.settings.get(key)) for job in jobs}) > 1]
