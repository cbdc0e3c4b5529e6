"""`invrender dataset`: the group of commands that make, bring in and hand on data sets of voxels and pictures.

Each command is a function of a module in `cli/`; a new one is a line in the table.
"""

from __future__ import annotations

import typer

from invrender.cli.groups import grouped, help_where_alone

COMMANDS = {
    "make": "dataset_make",
    "import": "dataset_import",
    "export": "dataset_export",
}
"""Modules by the name of their command; the function in there is called like the module."""


def group() -> typer.Typer:
    """The group with all of its commands registered."""
    return grouped(dataset, COMMANDS)


def dataset(context: typer.Context) -> None:
    """Make, import and export voxels with pictures, from which networks learn to render."""
    help_where_alone(context)
