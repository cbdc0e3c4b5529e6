"""`invrender preview`: look at a mesh, a volume or a run in a window, or write a picture of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import OverwriteOption, QuietOption, console


def preview(
    source: Annotated[Path, typer.Argument(metavar="RUN_OR_FILE", help="A run folder, a mesh or a volume.")],
    screenshot: Annotated[
        Path | None, typer.Option(metavar="FILE.png", help="Write a picture instead of opening a window.")
    ] = None,
    turntable: Annotated[Path | None, typer.Option(metavar="FILE.gif", help="Write one full turn as a GIF.")] = None,
    size: Annotated[int, typer.Option("--size", min=16, max=4096, help="Height of the picture in pixels.")] = 720,
    frames: Annotated[int, typer.Option("--frames", min=2, max=720, help="Pictures in a turntable.")] = 72,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look at a mesh, a volume or a run, in a window or as a picture."""
    from invrender.preview.guard import Job, check_display, run_job
    from invrender.preview.subject import check_picture, describe, isosurfaces

    panels, notes = describe(source)
    surfaces = isosurfaces(panels)
    if screenshot is None and turntable is None:
        check_display()
        run_job(Job("window", panels, notes, size=size, isosurfaces=surfaces))
        return
    if screenshot is not None:
        check_picture(screenshot, (".png", ".jpg", ".jpeg"), overwrite)
    if turntable is not None:
        check_picture(turntable, (".gif",), overwrite)
    if screenshot is not None:
        run_job(Job("screenshot", panels, notes, str(screenshot), size, isosurfaces=surfaces))
        _say(screenshot, quiet)
    if turntable is not None:
        run_job(Job("turntable", panels, notes, str(turntable), size, frames, isosurfaces=surfaces))
        _say(turntable, quiet)


def _say(path: Path, quiet: bool) -> None:
    if not quiet:
        console.print(f"wrote {path}", markup=False)
