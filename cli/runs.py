"""What commands that run a method share: who listens, what fails, and the lines of the summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invrender.cli.options import console, output
from invrender.errors import UsageError
from invrender.run.events import STDOUT, Events
from invrender.run.gates import Gate, parse_gate

REPORT = "report.html"
LABEL = 40  # characters for the names in the summary


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
    names = f"{files}, progress.gif, metrics.json, report.html".split(", ")
    there = [name for name in names if (folder / name).exists()]  # without frames there is no GIF
    console.print(f"wrote {folder}: {', '.join(there)}", markup=False)
    if (folder / REPORT).exists():
        console.print(f"report: {folder / REPORT}", markup=False)
