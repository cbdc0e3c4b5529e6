"""The part of `invrender inspect` that is about runs: how they stand, and transfer functions that they found."""

from __future__ import annotations

from pathlib import Path

import typer

from invrender.cli.options import console, print_json


def inspect_run(folder: Path, as_json: bool) -> bool:
    """Say how a run stands unless it is finished; show what it found if that is neither a mesh nor a volume.

    Returns:
        Whether there is nothing more to show.
    """
    from invrender.io.assets import NETWORK
    from invrender.io.files.paths import is_file
    from invrender.run.outcome import as_options, found_transfer
    from invrender.run.place import RECORD
    from invrender.run.record import read_record, state

    network = is_file(folder / NETWORK)
    transfer = None if network else found_transfer(folder)
    record = read_record(folder / RECORD)
    if record is not None and record["status"] != "finished":
        console.print(f"the run in {folder} is {state(record)}", markup=False)
    if network:
        _show_network(folder, as_json)
        return True
    if transfer is None:
        return False
    if as_json:
        print_json({"kind": "transfer function", "path": folder, **transfer})
        return True
    typer.echo(f"{folder}  (transfer function)")
    for name, value in transfer.items():
        typer.echo(f"  {name:<8}  {value}")
    typer.echo(f"draw it: {as_options(transfer)}")
    return True


def _show_network(folder: Path, as_json: bool) -> None:
    """How the network of a run is built, and how good it is."""
    from dataclasses import asdict

    from invrender.io.files.json_table import read_json_table
    from invrender.io.files.paths import is_file
    from invrender.io.network import read_network
    from invrender.run.place import METRICS

    facts = asdict(read_network(folder).architecture)
    told = folder / METRICS
    metrics = read_json_table(told, "metrics", "a new run") if is_file(told) else {}
    if as_json:
        print_json({"kind": "network", "path": folder, **facts, "metrics": metrics})
        return
    typer.echo(f"{folder}  (network)")
    for name, value in {**{k: v for k, v in facts.items() if k != "stage"}, **metrics}.items():
        shown = " x ".join(map(str, value)) if isinstance(value, tuple) else value
        typer.echo(f"  {name:<18}  {shown:.5g}" if isinstance(shown, float) else f"  {name:<18}  {shown}")
    where = "--camera-space -o picture.png" if facts["stage"] is None else "-o turn.gif"
    typer.echo(f"draw by it: invrender render VOLUME --model {folder} {where}")
