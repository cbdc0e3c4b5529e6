"""`invrender train`: a data set of voxels and pictures in, a network that renders voxels and its run folder out."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.cli.forecast import dry_run as show_dry_run
from invrender.cli.help import Entry, PlainCommand, entries_of
from invrender.cli.method_help import with_records
from invrender.cli.options import (
    VARIABLES,
    ConfigOption,
    DryRunOption,
    EventsOption,
    FailIfOption,
    FreshOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SetOption,
    VerboseOption,
    console,
    print_json,
)
from invrender.cli.runs import gates_of, listeners, summarise
from invrender.cli.settings_flags import with_settings
from invrender.methods.neural_renderer.settings import PRESETS, TrainSettings
from invrender.run.events import STDOUT
from invrender.run.gates import check_gates
from invrender.run.settings_table import records

EXAMPLES = (
    "invrender train outputs/pairs --preset draft -o outputs/renderer",
    "invrender train outputs/pairs --iterations 2000 --loss l2 -o outputs/renderer-l2",
)


class Command(PlainCommand):
    """Its help shows the settings of training."""

    def entries(self, context: Any) -> list[Entry]:
        """The command's own options, then the settings."""
        return with_records(entries_of(self, context), records(TrainSettings, PRESETS))


@with_settings([TrainSettings])
def train(
    source: Annotated[
        Path | None,
        typer.Argument(metavar="DATASET", help="A folder of `invrender dataset make` or `import`. Or from --config."),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="RUN", help="The run folder.", show_default="outputs/NAME")
    ] = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    fresh: FreshOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
    events: EventsOption = None,
    fail_if: FailIfOption = None,
    **flags: Any,
) -> None:
    """Train a network to render voxels, from a data set of voxels and pictures.

    The same command again goes on with a run that was stopped. `torchrun --nproc-per-node N -m invrender train ...`
    trains on several GPUs or processes.
    """
    from invrender.methods.reconstruct import Layers
    from invrender.methods.train import run, train_settings
    from invrender.ranks.world import is_leader
    from invrender.run.execute import Destination

    gates = gates_of(fail_if)
    given = {**flags, "input": source}
    settings = train_settings(Layers(given, assignments or [], config, os.environ, VARIABLES))
    place = folder or Path("outputs") / settings.input.absolute().name
    destination = Destination(
        place, overwrite, fresh, sys.argv[1:], listeners(events if is_leader() else None, json), verbose
    )
    if dry_run:
        from invrender.methods.neural_renderer.method import METHOD

        show_dry_run(METHOD, settings, destination, json)
        return
    with destination.events.ending():
        outcome = run(settings, destination, quiet or not is_leader())
        if not is_leader():
            return
        if json:
            print_json({"output": place, **outcome.metrics})
        elif not quiet and events != STDOUT:
            _summarise(outcome.metrics, place)
        check_gates(gates, outcome.metrics)


def _summarise(metrics: dict[str, Any], folder: Path) -> None:
    """What was measured, and which files hold the result."""
    from invrender.methods.neural_renderer.report import files, rows

    summarise(rows(metrics), folder, files(metrics))
    console.print(f"use it: invrender render VOLUME --model {folder} -o turn.gif", markup=False)
