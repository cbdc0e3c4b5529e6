"""`invrender train`: a data set of voxels and pictures in, a network that renders voxels and its run folder out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.cli.options import (
    VARIABLES,
    ConfigOption,
    DryRunOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SetOption,
    console,
    output,
    print_json,
    with_settings,
)
from invrender.methods.neural_renderer.settings import TrainSettings

LABEL = 40  # characters for the names in the summary


@with_settings([TrainSettings])
def train(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="DATASET", help="A folder of `invrender dataset make` or `import`. Or from --config."),
    ] = None,
    folder: Annotated[Path | None, typer.Option("--output", "-o", metavar="RUN", help="The run folder.")] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    fresh: Annotated[bool, typer.Option("--fresh", help="Start over instead of going on with a stopped run.")] = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    **flags: Any,
) -> None:
    """Train a network to render voxels, from a data set of voxels and pictures.

    The same command again goes on with a run that was stopped. `torchrun --nproc-per-node N -m invrender train ...`
    trains on several GPUs or processes.
    """
    from invrender.methods.reconstruct import Layers
    from invrender.methods.train import is_leader, run, train_settings
    from invrender.run.execute import Destination

    given = {**flags, "input": source}
    settings = train_settings(Layers(given, assignments or [], config, os.environ, VARIABLES))
    place = folder or Path("outputs") / settings.input.absolute().name
    destination = Destination(place, overwrite, fresh, sys.argv[1:])
    if dry_run:
        _dry_run(settings, destination)
        return
    outcome = run(settings, destination, quiet or not is_leader())
    if not is_leader():
        return
    if json:
        print_json({"output": place, **outcome.metrics})
    elif not quiet:
        _summarise(outcome.metrics, place)


def _summarise(metrics: dict[str, Any], folder: Path) -> None:
    """What was measured, and which files hold the result."""
    from invrender.methods.neural_renderer.report import files, rows

    for name, text in rows(metrics):
        output.print(f"{name:<{LABEL}}{text}", markup=False, soft_wrap=True)
    console.print(f"wrote {folder}: {files(metrics)}, progress.gif, metrics.json", markup=False)
    console.print(f"use it: invrender render VOLUME --model {folder} -o turn.gif", markup=False)


def _dry_run(settings: Any, destination: Any) -> None:
    """Check everything, print the settings, and write nothing."""
    from invrender.backends import select
    from invrender.methods.neural_renderer.method import METHOD
    from invrender.run.execute import load
    from invrender.run.place import check_output
    from invrender.run.resolve import to_toml

    check_output(destination.folder, destination.overwrite)
    task, found = load(METHOD, settings, select(settings.backend, settings.device, METHOD.needs))
    for finding in found:
        console.print(f"warning: {finding}", markup=False)
    text = to_toml(settings, f"{METHOD.describe(task)}; would write {destination.folder}")
    output.print(text, end="", markup=False, soft_wrap=True)
