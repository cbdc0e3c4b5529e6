"""`invrender batch`: the group of commands that run many jobs, and look at what came of them.

`invrender batch JOBS` is `invrender batch start JOBS`. Each command is a function of a module in `cli/`; a new one is a
line in the table.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import typer

from invrender.cli.groups import grouped, help_where_alone
from invrender.cli.help import PlainGroup
from invrender.errors import UsageError
from invrender.io.files.paths import nearest

START = "start"
COMMANDS = {
    START: "batch_start",
    "status": "batch_status",
    "retry": "batch_retry",
    "cancel": "batch_cancel",
    "run": "batch_run",
    "collect": "batch_collect",
}
"""Modules by the name of their command; the function in there is called like the module."""


class _Group(PlainGroup):
    """Takes a first word that is no command for the file of jobs of `start`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `start` in front where no command is named."""
        first = args[0] if args else "--help"
        if first not in (*COMMANDS, "-h", "--help"):
            near = None if first.startswith("-") or Path(first).exists() else nearest(first, COMMANDS)
            if near is not None:
                raise UsageError(f"there is no command and no file called {first!r}", f"did you mean {near}?")
            args = [START, *args]
        return super().parse_args(ctx, args)


def group() -> typer.Typer:
    """The group with all of its commands registered."""
    return grouped(batch, COMMANDS, _Group)


def batch(context: typer.Context) -> None:
    """Run many jobs, here or on a cluster: JOBS is a .jsonl, .csv or .toml, `invrender batch JOBS` runs it."""
    help_where_alone(context)
