"""`invrender dataset`: the group of commands that make, bring in and hand on data sets of voxels and pictures.

Each command is a function of a module in `cli/`; a new one is a line in the table.
"""

from __future__ import annotations

import importlib

import typer

from invrender.cli.options import help_where_alone

COMMANDS = {
    "make": "dataset_make",
    "import": "dataset_import",
    "export": "dataset_export",
}
"""Modules by the name of their command; the function in there is called like the module."""


def group() -> typer.Typer:
    """The group with all of its commands registered."""
    app = typer.Typer(help="Make, import and export voxels with pictures, from which networks learn to render.")
    app.callback(invoke_without_command=True)(dataset)
    for name, module in COMMANDS.items():
        app.command(name)(getattr(importlib.import_module(f"invrender.cli.{module}"), module))
    return app


def dataset(context: typer.Context) -> None:
    """Make, import and export voxels with pictures, from which networks learn to render."""
    help_where_alone(context)
