"""`invrender batch`: the group of commands that run many jobs, and look at what came of them.

`invrender batch JOBS` is `invrender batch start JOBS`. Each command is a function of a module in `cli/`; a new one is a
line in the table.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup

from invrender.cli.options import help_where_alone
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

HELP = "Run many jobs, here or on a cluster: JOBS is a .jsonl, .csv or .toml, `invrender batch JOBS` runs it."


class _Group(TyperGroup):
    """Takes a first word that is no command for the file of jobs of `start`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Put `start` in front where no command is named."""
        named = next((word for word in args if not word.startswith("-")), "")
        if args and named not in COMMANDS and not {"-h", "--help"} & set(args[:1]):
            if (near := nearest(named, COMMANDS)) and not Path(named).exists():
                raise UsageError(f"there is no command and no file called {named!r}", f"did you mean {near}?")
            args = [START, *args]
        return super().parse_args(ctx, args)


def group() -> typer.Typer:
    """The group with all of its commands registered."""
    app = typer.Typer(help=HELP, cls=_Group)
    app.callback(invoke_without_command=True)(batch)
    for name, module in COMMANDS.items():
        app.command(name)(getattr(importlib.import_module(f"invrender.cli.{module}"), module))
    return app


def batch(context: typer.Context) -> None:
    """Run many jobs, here or on a cluster: JOBS is a .jsonl, .csv or .toml, `invrender batch JOBS` runs it."""
    help_where_alone(context)
