"""`invrender reconstruct`: an asset or a dataset in, a mesh or a volume and its run folder out.

The flags are those of all methods' settings (`invrender.methods`); which of them apply, the method's settings decide.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.cli.company import in_company
from invrender.cli.forecast import dry_run as show_dry_run
from invrender.cli.method_help import MethodCommand
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
    a_number,
    console,
    print_json,
)
from invrender.cli.poses import tell
from invrender.cli.runs import gates_of, listeners, summarise
from invrender.cli.settings_flags import with_settings
from invrender.cli.uncollected import uncollected
from invrender.errors import DivergedError, UsageError
from invrender.findings import refuse
from invrender.methods.names import AUTO, METHODS, settings_of
from invrender.run.events import STDOUT
from invrender.run.gates import check_gates

BARE = "Photographs without cameras, or a video"
EXAMPLES = (
    "invrender reconstruct data/torus_knot.glb --views 24 --preset draft -o outputs/knot",
    "invrender reconstruct outputs/cloud.npz --method transmittance --views 32 -o outputs/cloud",
)
Command = MethodCommand


@with_settings([settings_of(name) for name in METHODS])
@in_company
def reconstruct(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="INPUT",
            help="Photographs, a video, a dataset folder, a scan.toml, a mesh or a volume. Or from --config.",
        ),
    ] = None,
    folder: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="DIR", help="The run folder.", show_default="outputs/NAME")
    ] = None,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="|".join([AUTO, *METHODS]),
            help="What to learn from; auto: by the input.",
            show_default="auto",
        ),
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
    scale: Annotated[
        float | None,
        typer.Option(
            metavar="FACTOR",
            show_default="the object is 1 long",
            callback=a_number("--scale"),
            rich_help_panel=BARE,
            help="Metres per unit.",
        ),
    ] = None,
    frames: Annotated[
        int | None,
        typer.Option(
            metavar="N", rich_help_panel=BARE, help="How many pictures to take from a video.", show_default="80"
        ),
    ] = None,
    **flags: Any,
) -> None:
    """Reconstruct a textured mesh from photographs, a mesh from silhouettes, or a volume from transmittance or colours.

    INPUT is a folder of photographs or a video, a dataset of posed images, or an asset (a mesh or a volume), whose own
    views are rendered and which then serves the metrics alone. The same command again goes on with a run that was
    stopped. `reconstruct --method METHOD --help` shows what a method takes, `invrender settings METHOD` all of it.
    """
    with uncollected():
        from invrender.methods.launch import backend_for
        from invrender.methods.reconstruct import Layers, method_and_settings
        from invrender.run.execute import Destination, execute

    gates = gates_of(fail_if)
    if source is not None:
        folder = folder or Path("outputs") / source.stem
        source = BarePhotographs(source, folder, scale, frames, fresh or overwrite).dataset(dry_run, quiet)
    given = {**flags, "input": source, "method": method}
    used, settings = method_and_settings(Layers(given, assignments or [], config, os.environ, VARIABLES))
    place = folder or Path("outputs") / settings.input.stem
    destination = Destination(place, overwrite, fresh, sys.argv[1:], listeners(events, json), verbose)
    if dry_run:
        show_dry_run(used, settings, destination, json)
        return
    if used.small_tensors:
        _one_torch_thread()
    with destination.events.ending():
        with uncollected():
            backend = backend_for(used, settings)
        outcome = execute(used, settings, backend, destination, quiet)
        if json:
            print_json({"output": destination.folder, **outcome.metrics})
        elif not quiet and events != STDOUT:
            _summarise(used, outcome.metrics, destination.folder)
        refuse(outcome.severe, DivergedError)
        check_gates(gates, outcome.metrics)


def _summarise(used: Any, metrics: dict[str, Any], folder: Path) -> None:
    """What was measured, and which files hold the result."""
    summarise(used.rows(metrics), folder, used.files(metrics))
    if used.name == "scene":
        console.print(f"render it: invrender render {folder / 'scene.toml'} -o picture.png", markup=False)
    else:
        console.print(f"look at it: invrender preview {folder}", markup=False)


@dataclass(frozen=True)
class BarePhotographs:
    """INPUT as it was called, for the case that it is photographs without cameras.

    Attributes:
        source: INPUT.
        folder: of the run.
        scale, frames: as the options have them.
        again: whether cameras that were found before are found anew.
    """

    source: Path
    folder: Path
    scale: float | None
    frames: int | None
    again: bool

    def dataset(self, dry_run: bool, quiet: bool) -> Path:
        """INPUT itself, or the dataset of it with the cameras that were found."""
        from invrender.poses.photographs import is_bare_photographs

        if not is_bare_photographs(self.source):
            if self.scale is not None or self.frames is not None:
                raise UsageError(
                    "--scale and --frames go with photographs without cameras or a video", "leave them out"
                )
            return self.source
        from invrender.poses.bare import dataset_beside, posed
        from invrender.poses.options import PoseOptions
        from invrender.run import stop

        if dry_run:
            raise UsageError(
                f"--dry-run cannot find the cameras of {self.source}",
                f"run `invrender poses {self.source} -o {dataset_beside(self.folder)}` first, and name that folder",
            )
        options = (
            PoseOptions(scale=self.scale) if self.frames is None else PoseOptions(scale=self.scale, frames=self.frames)
        )

        def say(line: str) -> None:
            stop.check()
            if not quiet:
                console.print(line, markup=False)

        place, found = posed(self.source, self.folder, options, again=self.again, say=say)
        if found is not None:
            tell(found, quiet)
        return place


def _one_torch_thread() -> None:
    """Keep torch to one thread, in a process that is the command's own: kernels have their own threads."""
    import torch

    torch.set_num_threads(1)
