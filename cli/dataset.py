"""`invrender dataset`: data sets of voxels and pictures, from which networks learn to render."""

from __future__ import annotations

import importlib

import typer

SUBCOMMANDS = {"import": ("dataset_import", "import_"), "export": ("dataset_export", "export")}
"""By the name of a subcommand its module in this folder and its function there."""


def build() -> typer.Typer:
    """The group of subcommands."""
    group = typer.Typer(no_args_is_help=True, help="Bring data sets of voxels and pictures in and out.")
    for name, (module, function) in SUBCOMMANDS.items():
        group.command(name)(getattr(importlib.import_module(f"invrender.cli.{module}"), function))
    return group
