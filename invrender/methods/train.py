"""`invrender.train`: a network that learns to render voxels, its settings from all layers, and the run."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invrender.errors import UsageError
from invrender.methods.neural_renderer.settings import PRESETS, TrainSettings
from invrender.methods.reconstruct import METHOD_VARIABLE, Layers, variables
from invrender.run.resolve import resolve
from invrender.run.settings import check_ranges

if TYPE_CHECKING:
    from invrender.run.execute import Destination, Outcome


def train_settings(layers: Layers) -> TrainSettings:
    """The settings of all layers.

    Raises:
        UsageError: there is no input; or an unknown setting, or a value that it cannot have.
        InputError: the file cannot be read.
    """
    if layers.first("input") is None:
        raise UsageError("there is no DATASET", "name a folder of `invrender dataset make`")
    settings = resolve(
        TrainSettings,
        presets=PRESETS,
        file=layers.file,
        environment={name: value for name, value in layers.environment.items() if name != METHOD_VARIABLE},
        flags=layers.flags,
        assignments=layers.assignments,
        other_variables=[*layers.known, *variables()],
    )
    check_ranges(settings)
    return settings


def run(settings: TrainSettings, destination: Destination, quiet: bool) -> Outcome:
    """Train; of several processes that torchrun started, the first one writes, and the others get nothing.

    Raises:
        InvrenderError: whatever went wrong for a reason that a user can act on.
    """
    from invrender.backends import select
    from invrender.methods.neural_renderer.method import METHOD
    from invrender.ranks import alike, world
    from invrender.run import stop
    from invrender.run.execute import execute

    with alike.joined(stop.leave):
        own = settings if settings.device else replace(settings, device=world.own_device())
        backend = select(own.backend, own.device, METHOD.needs)
        return execute(METHOD, own, backend, destination, quiet)


def train(
    source: Path | str,
    output: Path | str | None = None,
    *,
    overwrite: bool = False,
    fresh: bool = False,
    quiet: bool = True,
    **settings: Any,
) -> Outcome:
    """Train a network to render voxels.

        outcome = invrender.train("dataset", "outputs/renderer", iterations=2000)
        outcome.asset.render(volume, [0.0])

    Args:
        source: a data set of voxels and pictures, of `invrender dataset make` or `import`.
        output: the run folder; a stopped run in it is resumed. None: nothing stays on disk.
        overwrite: replace a finished run.
        fresh: start over where a stopped run could be resumed.
        quiet: show no progress.
        settings: any of `TrainSettings` by its name.

    Returns:
        The `TrainedNetwork` and its metrics.

    Raises:
        InvrenderError: whatever the command line would end with.
    """
    from invrender.run.execute import Destination

    resolved = train_settings(Layers({**settings, "input": Path(source)}))
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "run" if output is None else Path(output)
        return run(resolved, Destination(folder, overwrite, fresh), quiet)
