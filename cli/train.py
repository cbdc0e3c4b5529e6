"""`invrender train`: a data set of voxels and pictures in, a network that renders voxels and its run folder out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.cli.forecast import dry_run as show_dry_run
from invrender.cli.options import (
    VARIABLES,
    ConfigOption,
    DryRunOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SetOption,
    console,
    print_json,
    with_settings,
)
from invrender.cli.runs import summarise
from invrender.methods.neural_renderer.settings import TrainSettings


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
        from invrender.methods.neural_renderer.method import METHOD

        show_dry_run(METHOD, settings, destination, json)
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

    summarise(rows(metrics), folder, files(metrics))
    console.print(f"use it: invrender render VOLUME --model {folder} -o turn.gif", markup=False)
