"""What commands that run a method share: a look at what a run would do, who listens, and the lines of its summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from invrender.cli.options import console, output
from invrender.errors import UsageError
from invrender.run.events import STDOUT, Events
from invrender.run.gates import Gate, parse_gate

if TYPE_CHECKING:
    from invrender.run.execute import Destination
    from invrender.run.method import Method
    from invrender.run.settings import RunSettings

LABEL = 40  # characters for the names in the summary


def dry_run(method: Method, settings: RunSettings, destination: Destination) -> None:
    """Check everything, print the settings, and write nothing."""
    from invrender.backends import select
    from invrender.run.execute import load
    from invrender.run.place import check_output
    from invrender.run.resolve import to_toml

    check_output(destination.folder, destination.overwrite)
    task, found = load(method, settings, select(settings.backend, settings.device, method.needs))
    for finding in found:
        console.print(f"warning: {finding}", markup=False)
    text = to_toml(settings, f"{method.describe(task)}; would write {destination.folder}")
    output.print(text, end="", markup=False, soft_wrap=True)


def listeners(target: str | None, json: bool) -> Events:
    """Where `--events` sends what a run says; without it, nowhere.

    Raises:
        UsageError: two things were to be written to stdout, or the file cannot be written.
    """
    if target == STDOUT and json:
        raise UsageError("--json and --events - both write to stdout", "give --events a file")
    return Events(target)


def gates_of(texts: Sequence[str] | None) -> list[Gate]:
    """What `--fail-if` says.

    Raises:
        UsageError: it is no condition.
    """
    return [parse_gate(text) for text in texts or ()]


def summarise(rows: Sequence[tuple[str, str]], folder: Path, files: str) -> None:
    """Print what was measured, and which of some files were written."""
    for name, text in rows:
        output.print(f"{name:<{LABEL}}{text}", markup=False, soft_wrap=True)
    names = f"{files}, progress.gif, metrics.json".split(", ")
    there = [name for name in names if (folder / name).exists()]  # without frames there is no GIF
    console.print(f"wrote {folder}: {', '.join(there)}", markup=False)
