"""Groups of commands, such as `invrender dataset make`: each command is a function of a module in `cli/`."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from types import ModuleType

import typer

from invrender.cli import completion
from invrender.cli.help import PlainCommand, PlainGroup


def grouped(face: Callable[..., None], modules: Mapping[str, str], cls: type[PlainGroup] = PlainGroup) -> typer.Typer:
    """A group with all of its commands registered.

    Args:
        face: what is called before a command, or alone; its docstring is the group's help.
        modules: by the name of their command; the function in there is called like the module.
        cls: how the group reads its arguments.
    """
    app = typer.Typer(help=face.__doc__, cls=cls)
    app.callback(invoke_without_command=True)(face)
    for name, module in modules.items():
        register(app, name, importlib.import_module(f"invrender.cli.{module}"), module)
    return app


def register(app: typer.Typer, name: str, module: ModuleType, function: str, panel: str | None = None) -> None:
    """Make a command of a module's function; the module's `EXAMPLES`, command lines, end its help.

    A module with a class `Command` of its own says by it how its help is made.
    """
    examples: tuple[str, ...] = getattr(module, "EXAMPLES", ())
    cls: type[PlainCommand] = getattr(module, "Command", PlainCommand)
    command = getattr(module, function)
    if completion.wanted():
        completion.teach(command)
    app.command(name, cls=cls, rich_help_panel=panel, epilog="\n".join(examples))(command)


def help_where_alone(context: typer.Context) -> None:
    """Show what commands there are where none of them was called."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit
