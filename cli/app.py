"""Entry point of the command line: it registers the commands and turns every failure into an exit code.

Each command is the function of the same name in `cli/<name>.py`. Those modules import only light things at their top,
so that `invrender --help` answers at once; torch and its like are imported when a command runs.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
import traceback
from collections.abc import Sequence
from types import FrameType
from typing import Annotated

import typer
from rich.text import Text

from invrender import __version__
from invrender.cli.options import console
from invrender.errors import InvrenderError, MemoryLimitError, RetryError

COMMANDS = {
    "Reconstruct": ("demo", "reconstruct", "evaluate"),
    "Look": ("inspect", "render", "preview"),
    "Help": ("sample", "doctor"),
}
"""The commands by help panel, in the order in which `--help` lists them."""

INTERRUPTED = 130

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
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit


def build() -> typer.Typer:
    """The application with all commands registered."""
    app = typer.Typer(
        add_completion=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
    )
    app.callback(invoke_without_command=True, epilog=EPILOG)(_root)
    for panel, names in COMMANDS.items():
        for name in names:
            module = importlib.import_module(f"invrender.cli.{name}")
            app.command(name, rich_help_panel=panel)(getattr(module, name))
    return app


def run(arguments: Sequence[str]) -> int:
    """Run one command line (without the program's name) and return its exit code; failures go to stderr as text."""
    try:
        command = typer.main.get_command(build())
        code = command.main(args=list(arguments), prog_name="invrender", standalone_mode=False)
    except InvrenderError as error:
        return _report(error.cause, error.remedy, error.exit_code)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except Exception as error:  # noqa: BLE001 - the last place where anything can be turned into an exit code
        return _report_other(error)
    if code == INTERRUPTED:
        return _report("interrupted", "run the same command again: it goes on where it stopped", INTERRUPTED)
    return code if isinstance(code, int) else 0


def _report(cause: str, remedy: str, code: int) -> int:
    console.print(Text.assemble(("error: ", "bold red"), cause))
    if remedy:
        console.print(Text.assemble(("try: ", "bold green"), remedy))
    return code


def _report_other(error: Exception) -> int:
    """Failures that are not ours: a mistyped command line, a memory that is full, or a bug."""
    if hasattr(error, "format_message") and hasattr(error, "exit_code"):  # what Typer raises on a bad command line
        return _report(error.format_message(), _help_command(error), 2)
    if isinstance(error, typer.Abort):
        return _report("stopped: the input ended", "answer the question, or pass the option", 2)
    if is_out_of_memory(error):
        cause = f"the job does not fit in memory: {str(error).strip().splitlines()[0] if str(error) else 'MemoryError'}"
        return _report(cause, "lower --size or --views, or take --preset draft", MemoryLimitError.exit_code)
    traceback.print_exception(error)
    return _report(
        f"{type(error).__name__} that nobody foresaw",
        "please report it with the text above and the output of `invrender doctor --json`",
        1,
    )


def _help_command(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"`{context.command_path if context else 'invrender'} --help` lists what it takes"


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out, on the host or on a device (torch need not be imported)."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and ("can't allocate memory" in text or "not enough memory" in text)


STOPS = ("SIGTERM", "SIGUSR1")
"""Signals by which systems announce that they will stop a process: what is under way is saved first."""


def _stopped(number: int, _frame: FrameType | None) -> None:
    raise RetryError(
        f"the system asked this process to stop ({signal.Signals(number).name})",
        "run the same command again: it goes on where it stopped",
    )


def main() -> None:
    """Entry point of the `invrender` script."""
    for name in STOPS:
        if hasattr(signal, name):  # Windows knows fewer
            signal.signal(getattr(signal, name), _stopped)
    code = run(sys.argv[1:])
    try:
        sys.stdout.flush()
    except BrokenPipeError:  # the reader left (`| head`): keep the interpreter from complaining again at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


if __name__ == "__main__":
    main()
