"""`invrender settings`: every key that `--set` takes, with its type, default, range and meaning."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated

import typer

from invrender.cli.help import bold, columns
from invrender.cli.method_help import with_presets
from invrender.cli.options import JsonOption, output, print_json
from invrender.errors import UsageError
from invrender.io.files.paths import nearest
from invrender.methods.names import ABOUT, METHODS, presets_of, settings_of
from invrender.run.settings_table import Record, records

TRAIN = "train"
EXAMPLES = (
    "invrender settings silhouette",
    "invrender settings transmittance --json",
)
NAMES = {**ABOUT, TRAIN: "A network that renders voxels, for `invrender train`."}


def settings(
    method: Annotated[
        str | None,
        typer.Argument(metavar="METHOD", help=f"{', '.join(METHODS)}, or {TRAIN}; without it they are listed."),
    ] = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="A table in Markdown.")] = False,
    json: JsonOption = False,
) -> None:
    """List every setting of a method: `--set KEY=VALUE` takes all of them, those with a flag have one of their own."""
    if method is None:
        if json:
            print_json(NAMES)
            return
        output.print("\n".join([bold("Methods:"), *columns(NAMES.items(), 14)]), markup=False, soft_wrap=True)
        output.print("\n`invrender settings METHOD` lists all that can be set.", markup=False, soft_wrap=True)
        return
    found = table_of(method)
    if json:
        print_json([asdict(record) for record in found])
    elif markdown:
        print(in_markdown(found))
    else:
        output.print(in_columns(found), markup=False, soft_wrap=True)


def table_of(method: str) -> list[Record]:
    """The settings of a method, or of training.

    Raises:
        UsageError: there is no such method.
    """
    if method == TRAIN:
        from invrender.methods.neural_renderer.settings import PRESETS, TrainSettings

        return records(TrainSettings, PRESETS)
    if method not in NAMES:
        near = nearest(method, NAMES)
        raise UsageError(
            f"there is no method {method!r}", f"{f'did you mean {near}? ' if near else ''}known are {', '.join(NAMES)}"
        )
    return records(settings_of(method), presets_of(method))


def in_columns(found: Sequence[Record]) -> str:
    """The settings for people, as `--help` shows options."""
    least = max(len(record.name) for record in found)
    groups = {
        "With a flag of their own (--views for views)": [record for record in found if record.flag],
        "By --set KEY=VALUE, a file or the environment": [record for record in found if not record.flag],
    }
    lines = []
    for heading, group in groups.items():
        lines += [bold(f"{heading}:"), *columns([(record.name, _told(record)) for record in group], least), ""]
    return "\n".join(lines).rstrip()


def _told(record: Record) -> str:
    kind = f"{record.type} {record.range}".rstrip() if record.type != "choice" else ""
    default = f"default: {with_presets(record)}" if record.default else "has to be given"
    return f"{record.meaning}{_listed(record)} [{'; '.join(filter(None, (kind, default)))}]"


def _listed(record: Record) -> str:
    return f" One of: {', '.join(record.choices)}." if record.choices and record.type != "true or false" else ""


def in_markdown(found: Sequence[Record]) -> str:
    """The settings as a table in Markdown, for the documentation."""
    head = ["key", "flag", "type", "default", "range or choices", "draft, fine", "meaning"]
    rows = [head, ["---"] * len(head)]
    for record in found:
        choices = record.choices if record.type != "true or false" else ()
        allowed = ", ".join(f"`{choice}`" for choice in choices) or record.range
        presets = ", ".join(f"{preset} `{value}`" for preset, value in record.presets.items())
        rows.append([
            f"`{record.name}`", f"`{record.flag}`" if record.flag else "", record.type, record.default, allowed,
            presets, record.meaning,
        ])  # fmt: skip
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
