"""Entry point of the command line: it registers the commands and turns every failure into an exit code.

Each command is the function of the same name in `cli/<name>.py`, or the `group` of commands there. Those modules import
only light things at their top, so that `invrender --help` answers at once; torch and its like are imported when a
command runs.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated

import typer
from rich.text import Text

from invrender import __version__
from invrender.cli import completion
from invrender.cli.groups import help_where_alone, register
from invrender.cli.help import PlainGroup
from invrender.cli.options import console
from invrender.errors import InvrenderError, UsageError
from invrender.io.files.atomic import discard_open
from invrender.ranks.world import is_leader
from invrender.run import stop
from invrender.run.console import silence
from invrender.run.failures import explain
from invrender.run.stop import INTERRUPTED, REMEDY

COMMANDS = {
    "Reconstruct": ("demo", "poses", "reconstruct", "batch", "evaluate"),
    "Look": ("inspect", "render", "preview"),
    "Files": ("mesh", "convert", "scan"),
    "Learn": ("dataset", "train"),
    "Help": ("sample", "settings", "doctor"),
}
"""The commands by help panel, in the order in which `--help` lists them."""

READER_LEFT = 141  # what a shell says of a process that SIGPIPE ended

EPILOG = (
    "Options can also be given as environment variables: --size as INVRENDER_SIZE. Exit codes: 0 done, 1 bug, 2 usage, "
    "3 bad input, 4 backend, 5 memory, 6 output exists, 7 checkpoint, 8 diverged, 9 batch, 75 try again, "
    "130 interrupted."
)


def _print_version(requested: bool) -> None:
    if requested:
        typer.echo(f"invrender {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave."),
    ] = False,
) -> None:
    """Turn images into 3-D assets. Each command answers --help."""
    help_where_alone(context)


def build(only: str | None = None) -> typer.Typer:
    """The application with all commands registered, or `only` with the one that is called, which starts sooner."""
    app = typer.Typer(
        cls=PlainGroup,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True, epilog=EPILOG)(_root)
    for panel, names in COMMANDS.items():
        for name in names if only is None else {only}.intersection(names):
            module = importlib.import_module(f"invrender.cli.{name}")
            if hasattr(module, "group"):  # of commands
                app.add_typer(module.group(), name=name, rich_help_panel=panel)
                continue
            register(app, name, module, name, panel)
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code; failures go to stderr as text."""
    try:
        command = typer.main.get_command(build(arguments[0]) if _is_command(arguments) else build())
        code = command.main(args=list(arguments), prog_name="invrender", standalone_mode=False)
    except InvrenderError as error:
        return _report(error.cause, error.remedy, error.exit_code)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BrokenPipeError:
        return READER_LEFT
    except SystemExit as error:
        if not isinstance(error.__context__, BrokenPipeError):  # from which Click makes an exit code of its own
            raise
        return READER_LEFT
    except Exception as error:  # noqa: BLE001 - the last place where anything can be turned into an exit code
        return _report_other(error)
    if code == INTERRUPTED:
        return _report("interrupted", REMEDY, INTERRUPTED)
    return code if isinstance(code, int) else 0


def _is_command(arguments: Sequence[str]) -> bool:
    """Whether a command line begins with a command, and is no question of the shell's."""
    return bool(arguments) and any(arguments[0] in names for names in COMMANDS.values()) and not completion.wanted()


def _report(cause: str, remedy: str, code: int) -> int:
    if not is_leader():  # of several processes, which all end for the same reason, one says so
        return code
    with suppress(OSError):  # where nothing can be written, the exit code still can be read
        console.print(Text.assemble(("error: ", "bold red"), cause))
        if remedy:
            console.print(Text.assemble(("try: ", "bold green"), remedy))
    return code


def _report_other(error: Exception) -> int:
    """Failures that no part of ours raised: a mistyped command line, a memory that is full, or a bug."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # what Typer raises on a bad command line
        return _report(error.format_message(), _help_command(error), 2)
    if isinstance(error, typer.Abort):
        return _report("stopped: the input ended", "answer the question, or pass the option", 2)
    failure = explain(error)
    if failure.unforeseen:
        traceback.print_exception(error)
    return _report(failure.cause, failure.remedy, failure.exit_code)


def _help_command(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path if context else 'invrender'} --help` lists what it takes"


def main() -> None:
    """Entry point of the `invrender` script."""
    _open_streams()
    stop.on_exit(lambda _: discard_open())
    stop.install(_say_at_once)
    code = run(sys.argv[1:]) if _has_place() else _report(*NO_PLACE)
    stop.finish()
    sys.exit(_flushed(code))


NO_PLACE = ("the working folder is gone: somebody removed it", "change to one that exists", UsageError.exit_code)


def _has_place() -> bool:
    """Whether the working folder is still there; without one, a part of torch ends the process with its own words."""
    try:
        return bool(os.getcwd())  # noqa: PTH109 - as torch asks
    except FileNotFoundError:
        return False


def _open_streams() -> None:
    """Give the standard streams that are closed a place, and let the others take names in any encoding.

    A closed one's number would be taken by the next file that is opened, and what a library prints would end in it.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", encoding="utf-8"))  # noqa: PTH123, SIM115
        if number:
            getattr(sys, name).reconfigure(errors="backslashreplace")


def _say_at_once(text: str) -> None:
    """Write past everything: another thread may be at work on the console, and a bar may hide the cursor."""
    if not is_leader():
        return
    shown = "\x1b[?25h" if sys.stderr.isatty() else ""
    with suppress(OSError):
        os.write(2, f"{shown}{text}\n".encode())


def _flushed(code: int) -> int:
    """The exit code after what was written has left; where it cannot, that is no success."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader left (`| head`)
        silence(sys.stdout.fileno())
    except OSError as error:
        silence(sys.stdout.fileno())
        return code or _report(f"the results cannot be written: {error.strerror}", "redirect them elsewhere", 2)
    return code


if __name__ == "__main__":
    main()
