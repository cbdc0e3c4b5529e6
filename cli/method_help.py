"""The help of commands whose options are settings, each with its default and what presets make of it.

`reconstruct --help` lists the options that all methods share, then those of each; `reconstruct --method X --help`, in
any order, those that X takes, with its defaults.
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from invrender.cli.help import Entry, PlainCommand, bold, columns, entries_of
from invrender.methods.names import ABOUT, AUTO, METHODS, presets_of, settings_of
from invrender.run.settings_table import Record, records, spelled

ARGUMENTS = "invrender.arguments"  # where a context keeps the words of its command line
SHARED = "Several methods"
PICTURES = ("silhouette", "photometric", "volume")  # the methods that take photographs without cameras
BARE = ("scale", "frames")


def with_records(entries: Sequence[Entry], settings: Sequence[Record]) -> list[Entry]:
    """Entries of a command, those of settings as their records tell them, and others of settings left out."""
    flags = {record.name: record for record in settings if record.flag}
    return [_told(entry, flags[entry.name]) if entry.name in flags else entry for entry in entries]


def _told(entry: Entry, record: Record, panel: str | None = None) -> Entry:
    placeholder = record.placeholder
    return Entry(
        panel=record.panel or panel or "Options",
        name=entry.name,
        spelling=entry.spelling,
        placeholder=placeholder,
        text=record.meaning,
        choices=record.choices if placeholder else (),
        default=with_presets(record) if placeholder else "",
    )


def with_presets(record: Record) -> str:
    """The default of a setting, and what presets make of it."""
    others = ", ".join(f"{preset} {value}" for preset, value in record.presets.items())
    return f"{record.default}; {others}" if others else record.default


class MethodCommand(PlainCommand):
    """Help for the settings of all methods, or of the one that the command line names."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Keep the words of the command line: `--help` may come before `--method`."""
        ctx.meta[ARGUMENTS] = tuple(args)
        return super().parse_args(ctx, args)

    def entries(self, context: Any) -> list[Entry]:
        """What applies."""
        tables, own = _tables(), entries_of(self, context)
        name = method_named(context.meta.get(ARGUMENTS, ()))
        return _of_all(own, tables) if name is None else _of_one(own, tables, name)

    def extra(self, context: Any) -> list[str]:
        """What the method is for, and what its presets set."""
        name = method_named(context.meta.get(ARGUMENTS, ()))
        if name is None:
            return []
        presets = [(f"--preset {preset}", _values(values)) for preset, values in presets_of(name).items() if values]
        more = f"`invrender settings {name}` lists everything that can be set."
        rows = [(f"--method {name}", ABOUT[name]), *presets, ("", more)]
        return [bold("Shown here:"), *columns(rows), ""]


def _values(values: Mapping[str, object]) -> str:
    return ", ".join(f"{key} {spelled(value)}" for key, value in values.items())


def method_named(arguments: Sequence[str]) -> str | None:
    """The method that a command line names, or else the environment; None: none, or auto.

    Raises:
        UsageError: there is no such method.
    """
    name = os.environ.get("INVRENDER_METHOD", AUTO)
    for word, following in zip(arguments, [*arguments, ""][1:], strict=True):
        if word == "--method" and following and not following.startswith("-"):
            name = following
        elif word.startswith("--method="):
            name = word.partition("=")[2]
    if name == AUTO:
        return None
    settings_of(name)
    return name


def _tables() -> dict[str, dict[str, Record]]:
    return {name: {r.name: r for r in records(settings_of(name), presets_of(name))} for name in METHODS}


def _of_one(own: Sequence[Entry], tables: Mapping[str, Mapping[str, Record]], name: str) -> list[Entry]:
    table = tables[name]
    known = {key for each in tables.values() for key, record in each.items() if record.flag}
    found = []
    for entry in own:
        if entry.name in table:
            common = _is_common(entry.name)
            found.append(_told(entry, table[entry.name], None if common else f"Method {name}"))
        elif entry.name not in known and (entry.name not in BARE or name in PICTURES):
            found.append(entry)
    return found


def _of_all(own: Sequence[Entry], tables: Mapping[str, Mapping[str, Record]]) -> list[Entry]:
    found: list[Entry] = []
    for entry in own:
        having = {name: table[entry.name] for name, table in tables.items() if _has(table, entry.name)}
        found += _by_meaning(entry, having) if having else [entry]
    panels = ["Arguments", "Options", *dict.fromkeys(e.panel for e in found), SHARED, *map(_panel, METHODS)]
    order = {panel: place for place, panel in enumerate(panels)}
    return sorted(found, key=lambda entry: order[entry.panel])


def _has(table: Mapping[str, Record], name: str) -> bool:
    return name in table and table[name].flag is not None


def _is_common(name: str) -> bool:
    """Whether all methods have a setting, or inherit it at least, as scenes do whose cameras are their own."""
    return all(name in _fields(method) for method in METHODS)


def _fields(method: str) -> set[str]:
    return {field.name for field in dataclasses.fields(settings_of(method))}


def _panel(method: str) -> str:
    return f"Method {method}"


def _by_meaning(entry: Entry, having: Mapping[str, Record]) -> list[Entry]:
    """An option as all methods have it; one that some have is listed once for each meaning that they give it."""
    if _is_common(entry.name):
        return [_shared(entry, having)]
    groups: dict[tuple[str, tuple[str, ...]], dict[str, Record]] = {}
    for name, record in having.items():
        groups.setdefault((record.meaning, record.choices), {})[name] = record
    found = []
    for group in groups.values():
        if len(group) == 1:
            name, record = next(iter(group.items()))
            found.append(_told(entry, record, _panel(name)))
        else:
            found.append(_shared(entry, group, SHARED))
    return found


def _shared(entry: Entry, having: Mapping[str, Record], panel: str | None = None) -> Entry:
    """One text for an option of several methods: the meaning that most of them give it, and each one's default."""
    told = [record.meaning for record in having.values()]
    shown = _told(entry, next(iter(having.values())), panel)
    meaning = max(told, key=told.count)
    if shown.panel == SHARED:
        meaning += f" For {', '.join(having)}."
    return replace(shown, text=meaning, default=_defaults(having) if shown.placeholder else "")


def _defaults(having: Mapping[str, Record]) -> str:
    by_value: dict[str, list[str]] = {}
    for name, record in having.items():
        by_value.setdefault(record.default, []).append(name)
    if len(by_value) == 1:
        return next(iter(by_value))
    return "; ".join(f"{', '.join(names)}: {value}" for value, names in by_value.items())
