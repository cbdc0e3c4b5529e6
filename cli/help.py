"""What `--help` prints: plain text in groups, made for 80 columns, that reads the same in a pipe.

Typer's own tables break the choices of an option in mid-word. Here an option stands on the left and what it means on
the right; its choices and its default end the text, wrapped between words alone:

      --cameras CAMERAS        A ring around it, points spread over a sphere, or
                               a transforms.json. One of: orbit, sphere, FILE.
                               [default: orbit]
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from invrender.cli.light_values import read_lightly
from invrender.run.settings import GENERAL
from invrender.run.settings_table import choices_of, spelled

LEFT = 26  # columns of an option and its value; what is longer has its text below
TIED = "\N{NO-BREAK SPACE}"  # where a line is not to break
MOST = 100  # columns beyond which lines are tiring to read
PLACEHOLDERS = {"int": "N", "float": "X", "integer": "N", "integer range": "N", "float range": "X"}


@dataclass(frozen=True)
class Entry:
    """One argument or option of a command.

    Attributes:
        panel: the heading that it stands under.
        name: of the parameter, as Python calls it.
        spelling: how it is called, such as `-o, --output`; the argument's name.
        placeholder: what stands for its value; empty for switches.
        text: what it means.
        choices: what its value may be; empty: whatever the text says.
        default: what it is unless given; empty: nothing is to be said.
    """

    panel: str
    name: str
    spelling: str
    placeholder: str
    text: str
    choices: tuple[str, ...] = ()
    default: str = ""

    @property
    def left(self) -> str:
        """The option with what stands for its value."""
        return f"{self.spelling} {self.placeholder}".rstrip()

    @property
    def right(self) -> str:
        """All that is said of it."""
        listed = f" One{TIED}of:{TIED}{', '.join(self.choices)}." if self.choices else ""
        default = f" [default:{TIED}{self.default}]" if self.default else ""
        return f"{self.text}{listed}{default}".strip()


def entries_of(command: Any, context: Any) -> list[Entry]:
    """The arguments and options of a command, in the order in which it has them."""
    shown = [param for param in command.get_params(context) if not getattr(param, "hidden", False)]
    return [_entry(param) for param in shown]


def _entry(param: Any) -> Entry:
    argument = param.param_type_name == "argument"
    panel = getattr(param, "rich_help_panel", None) or ("Arguments" if argument else "Options")
    if "--help" in param.opts:
        return Entry(GENERAL, "help", "-h, --help", "", "Show this text.")
    metavar = param.metavar or ""
    choices = choices_of(metavar)
    if argument:
        name = param.name.upper() if choices or not metavar else metavar
        return Entry(panel, param.name, name, "", param.help or "", choices, _default(param))
    spelling = ", ".join(sorted(param.opts, key=len))
    if param.secondary_opts:
        spelling += f" / {', '.join(param.secondary_opts)}"
    placeholder = param.opts[-1].lstrip("-").upper() if choices else metavar or _placeholder(param)
    return Entry(panel, param.name, spelling, placeholder, param.help or "", choices, _default(param))


def _placeholder(param: Any) -> str:
    """What stands for a value whose metavar nobody chose: N or X for numbers, else the option's own name."""
    if param.is_flag:
        return ""
    descriptor = getattr(param, "type_descriptor", None)
    kind = getattr(getattr(descriptor, "annotation", None), "__name__", "") or getattr(
        getattr(param, "type", None), "name", ""
    )
    return PLACEHOLDERS.get(kind, "FILE" if "ath" in kind else max(param.opts, key=len).lstrip("-").upper())


def _default(param: Any) -> str:
    if isinstance(param.show_default, str):
        return str(param.show_default)
    value = param.default
    if param.required or value is None or value in ("", [], ()) or callable(value):
        return ""
    if getattr(param, "is_flag", False):
        if not param.secondary_opts:
            return ""
        return str((param.opts if value else param.secondary_opts)[0]).lstrip("-")
    return spelled(value)


# --- text -------------------------------------------------------------------------------------------------------------


def width() -> int:
    """Columns of the text: the terminal's, at most `MOST`; 80 where there is none."""
    return max(40, min(shutil.get_terminal_size((80, 24)).columns, MOST))


def plain() -> bool:
    """Whether text is to have no colours: they are not wanted, or the terminal knows none."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb" or not sys.stdout.isatty()


def bold(text: str) -> str:
    """A heading."""
    return text if plain() else typer.style(text, bold=True)


def wrapped(text: str, indent: str = "") -> list[str]:
    """Lines of a paragraph that break between words alone."""
    found = textwrap.wrap(
        text, width(), initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )
    return [line.replace(TIED, " ") for line in found]


def paragraphs(text: str) -> list[str]:
    """A docstring's paragraphs, wrapped anew, with an empty line after each."""
    lines: list[str] = []
    for paragraph in text.strip().split("\n\n"):
        lines += [*wrapped(" ".join(paragraph.split())), ""]
    return lines


def columns(rows: Iterable[tuple[str, str]], least: int = LEFT) -> list[str]:
    """Lines of a list of names, each with its text to the right, or below where the name is too long."""
    indent, lines = " " * (least + 4), []
    for left, right in rows:
        body = wrapped(right, indent) or [""]
        if len(left) <= least:
            shown = left if plain() else typer.style(left, fg="cyan")
            lines.append(f"  {shown}{' ' * (least + 2 - len(left))}{body[0].strip()}".rstrip())
            body = body[1:]
        else:
            lines.append(f"  {left if plain() else typer.style(left, fg='cyan')}")
        lines += body
    return [line for line in lines if line.strip()]


def example(line: str) -> list[str]:
    """A command line to copy: one that is too long is broken before an option, with a backslash."""
    words: list[str] = []
    for word in line.split(" "):
        if words and (word == "|" or not word.startswith("-")) and words[-1].startswith("-"):
            words[-1] += f" {word}"  # an option's value
        else:
            words.append(word)
    lines, now = [], words[0]
    for word in words[1:]:
        if len(f"  {now} {word} \\") > width():
            lines.append(f"  {now} \\")
            now = f"  {word}"
        else:
            now += f" {word}"
    return [*lines, f"  {now}"]


def by_panel(entries: Sequence[Entry]) -> list[tuple[str, list[Entry]]]:
    """Entries by their heading: arguments and options first, what all commands share last."""
    names = list(dict.fromkeys(["Arguments", "Options", *(entry.panel for entry in entries)]))
    names = [*(name for name in names if name != GENERAL), GENERAL]
    found = [(name, [entry for entry in entries if entry.panel == name]) for name in names]
    return [(name, group) for name, group in found if group]


def usage(context: Any) -> str:
    """The first line."""
    command = context.command
    pieces = ["COMMAND" if isinstance(command, TyperGroup) else "", *_arguments(command, context), "[OPTIONS]"]
    return f"{bold('Usage:')} {' '.join([context.command_path, *filter(None, pieces)])}"


def _arguments(command: Any, context: Any) -> list[str]:
    found = []
    for param in command.get_params(context):
        if param.param_type_name == "argument":
            name = _entry(param).spelling
            found.append(name if param.required or name.startswith("[") else f"[{name}]")
    return found


def page(context: Any, entries: Sequence[Entry], examples: Sequence[str] = (), extra: Sequence[str] = ()) -> str:
    """The help of a command.

    Args:
        context: of its call.
        entries: its arguments and options.
        examples: command lines that end the text.
        extra: lines between what the command does and its options.
    """
    lines = [usage(context), "", *paragraphs(context.command.help or ""), *extra]
    for name, group in by_panel(entries):
        lines += [bold(f"{name}:"), *columns((entry.left, entry.right) for entry in group), ""]
    if examples:
        lines += [bold("Examples:"), *(line for text in examples for line in example(text)), ""]
    return "\n".join(lines).rstrip()


class PlainCommand(TyperCommand):
    """A command whose help is a `page`; its epilog are examples, a command line each."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the command line."""
        read_lightly(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def entries(self, context: Any) -> list[Entry]:
        """What the help lists."""
        return entries_of(self, context)

    def extra(self, context: Any) -> list[str]:
        """Lines between what the command does and its options."""
        del context
        return []

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        examples = [line for line in (self.epilog or "").splitlines() if line.strip()]
        formatter.write(page(ctx, self.entries(ctx), examples, self.extra(ctx)))


class PlainGroup(TyperGroup):
    """A group whose help is its commands by panel, then its options, then its epilog."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Leave the options aside where a command comes first: to read even their defaults, Typer imports Pydantic."""
        if args and args[0] in self.commands:
            self.params = [param for param in self.params if "completion" not in (param.name or "")]
        read_lightly(self.get_params(ctx))
        return super().parse_args(ctx, args)

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Write the page."""
        lines = [usage(ctx), "", *paragraphs(self.help or "")]
        shown = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        panels: dict[str, list[tuple[str, str]]] = {}
        for name, command in shown:
            if command is not None and not command.hidden:
                panel = getattr(command, "rich_help_panel", None) or "Commands"
                panels.setdefault(panel, []).append((name, _first_sentence(command.help or "")))
        longest = max(len(name) for name, _ in shown)
        for panel, rows in panels.items():
            lines += [bold(f"{panel}:"), *columns(rows, longest), ""]
        for name, group in by_panel(entries_of(self, ctx)):
            lines += [bold(f"{name}:"), *columns((entry.left, entry.right) for entry in group), ""]
        formatter.write("\n".join([*lines, *paragraphs(self.epilog or "")]).rstrip())


def _first_sentence(text: str) -> str:
    """What a command does, for a list of them: its docstring's first paragraph."""
    return " ".join(text.strip().partition("\n\n")[0].split())
