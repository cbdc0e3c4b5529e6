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
    from invrender.run.outcome import as_options, found_transfer
    from invrender.run.place import RECORD
    from invrender.run.record import read_record, state

    transfer = found_transfer(folder)
    record = read_record(folder / RECORD)
    if record is not None and record["status"] != "finished":
        console.print(f"the run in {folder} is {state(record)}", markup=False)
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
