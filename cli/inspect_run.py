"""The part of `invrender inspect` that is about runs: how they stand, how they went, and what they found."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from invrender.cli.inspect_rows import Rows
from invrender.cli.options import console, print_json

if TYPE_CHECKING:
    from invrender.report.story import Story


def inspect_run(folder: Path, report: bool, as_json: bool) -> tuple[bool, dict[str, Any]]:
    """Say how a run stands and went; show what it found if that is neither a mesh nor a volume.

    Args:
        folder: perhaps a run's.
        report: write report.html and report.png anew.
        as_json: print nothing but JSON.

    Returns:
        Whether there is nothing more to show, and what JSON has to say of the run besides.

    Raises:
        UsageError: a report is asked for, and cannot be made.
    """
    from invrender.io.assets import MESH_RESULTS, NETWORK, VOLUME_RESULTS
    from invrender.io.files.paths import is_file
    from invrender.methods.past import past_run
    from invrender.run.outcome import found_transfer

    if report:
        _write_report(folder)
    story = past_run(folder)
    more = {} if story is None else {"run": _table(story)}
    if story is not None and not as_json:
        _show(story)
    if is_file(folder / NETWORK):
        _show_network(folder, as_json, more)
        return True, more
    if any(is_file(folder / name) for name in (*MESH_RESULTS, *VOLUME_RESULTS)) or story is None:
        return False, more
    if is_file(folder / "transfer.json"):
        _show_transfer(folder, found_transfer(folder), as_json, more)
    elif as_json:
        print_json({"kind": "run", "path": folder, **more})
    return True, more


def _write_report(folder: Path) -> None:
    from invrender.backends import select
    from invrender.methods.past import report_anew

    for path in report_anew(folder, select(needs=("meshes",))):
        console.print(f"wrote {path}", markup=False)


def _table(story: Story) -> dict[str, Any]:
    """What JSON tells of a run."""
    from invrender.report.tables import listed
    from invrender.report.verdict import verdict

    return {
        "status": story.status,
        "method": story.method,
        "input": story.source,
        "verdict": verdict(story.metrics, story.method, len(story.warnings)).sentence if story.metrics else None,
        "settings": {each.name: each.value for each in story.settings if each.changed},
        "metrics": story.metrics,
        "seconds": story.seconds,
        "timings": story.timings,
        "warnings": story.warnings,
        "error": story.error,
        "environment": story.environment,
        "command": story.command,
        "files": dict(listed(story.folder, every=True)),
    }


def _show(story: Story) -> None:
    """The same for people."""
    from invrender.report.tables import duration, listed, size_of
    from invrender.report.verdict import verdict

    spent = "" if story.seconds is None else f", {duration(story.seconds)}"
    changed = ", ".join(f"{each.name} {each.value}" for each in story.settings if each.changed)
    ran = " on ".join(story.environment[name] for name in ("backend", "device") if name in story.environment)
    rows = [("status", f"{story.status}{f', {story.ended}' if story.ended else ''}{spent}")]
    rows += [("error", story.error)] if story.error else []
    if story.metrics:
        rows.append(("result", verdict(story.metrics, story.method, len(story.warnings)).sentence))
    rows += [("method", story.method), ("input", story.source), ("settings", changed or "those of the preset")]
    rows += [("backend", ran), ("command", story.command)]
    typer.echo(f"{story.folder}  (run)")
    _rows([row for row in rows if row[1]])
    _section("warnings", [("", text) for text in story.warnings])
    _section("metrics", _metrics(story))
    _section("time", [(name, duration(seconds)) for name, seconds in story.timings.items()])
    _section("files", [(name, size_of(size)) for name, size in listed(story.folder, every=True)])


def _metrics(story: Story) -> Rows:
    """Each metric by its name, with its value and what it is."""
    from invrender.report.glossary import entries, meaning
    from invrender.report.verdict import told

    found = [(name, told(name, value, story.method)) for name, value in entries(story.metrics)]
    width = max((len(text) for _, text in found if len(text) <= 20), default=0)
    rows = []
    for name, text in found:
        entry = meaning(name, story.method)
        rows.append((name, text if entry is None else f"{text:<{width}}  {entry.title}"))
    return rows


def _section(title: str, rows: Rows) -> None:
    if rows:
        typer.echo(f"  {title}")
        _rows(rows, "    ")


def _rows(rows: Rows, indent: str = "  ") -> None:
    width = max(len(label) for label, _ in rows)
    for label, text in rows:
        typer.echo(f"{indent}{f'{label:<{width}}  ' if width else ''}{text}")


def _show_transfer(folder: Path, transfer: dict[str, Any] | None, as_json: bool, more: dict[str, Any]) -> None:
    """The transfer function that a run found, as options of `render`."""
    from invrender.run.outcome import as_options

    assert transfer is not None
    if as_json:
        print_json({"kind": "transfer function", "path": folder, **transfer, **more})
        return
    typer.echo(f"{folder}  (transfer function)")
    for name, value in transfer.items():
        typer.echo(f"  {name:<8}  {value}")
    typer.echo(f"draw it: {as_options(transfer)}")


def _show_network(folder: Path, as_json: bool, more: dict[str, Any]) -> None:
    """How the network of a run is built."""
    from dataclasses import asdict

    from invrender.io.network import read_network

    facts = asdict(read_network(folder).architecture)
    if as_json:
        metrics = more.get("run", {}).get("metrics", {})
        print_json({"kind": "network", "path": folder, **facts, "metrics": metrics, **more})
        return
    typer.echo(f"{folder}  (network)")
    for name, value in facts.items():
        if name != "stage":
            shown = " x ".join(map(str, value)) if isinstance(value, tuple) else value
            typer.echo(f"  {name:<18}  {shown:.5g}" if isinstance(shown, float) else f"  {name:<18}  {shown}")
    where = "--camera-space -o picture.png" if facts["stage"] is None else "-o turn.gif"
    typer.echo(f"draw by it: invrender render VOLUME --model {folder} {where}")
