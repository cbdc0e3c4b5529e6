"""What commands that run a method share: the lines of its summary."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from invrender.cli.options import console, output

LABEL = 40  # characters for the names in the summary


def summarise(rows: Sequence[tuple[str, str]], folder: Path, files: str) -> None:
    """Print what was measured, and which of some files were written."""
    for name, text in rows:
        output.print(f"{name:<{LABEL}}{text}", markup=False, soft_wrap=True)
    names = f"{files}, progress.gif, metrics.json".split(", ")
    there = [name for name in names if (folder / name).exists()]  # without frames there is no GIF
    console.print(f"wrote {folder}: {', '.join(there)}", markup=False)
