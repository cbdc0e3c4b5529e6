"""`invrender convert`: a dataset in one format in, the same dataset in another out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import JsonOption, OverwriteOption, QuietOption, console, print_json

FORMATS = "transforms|nerfstudio|colmap|colmap-text|middlebury|cameras"


def convert(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="A dataset folder, or its pose file.")],
    target: Annotated[Path, typer.Argument(metavar="DST", help="The folder to write.")],
    to: Annotated[str, typer.Option("--to", metavar=FORMATS, help="The format to write.")] = "transforms",
    masks: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Masks, named after the images (white is object).")
    ] = None,
    undistort: Annotated[
        bool, typer.Option("--undistort", help="Undistort the pictures, also where the format can hold the lens.")
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", help="Leave out views whose files are missing.")
    ] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a dataset in another format: cameras exactly, pictures copied, or undistorted where they have to be.

    Read and written are transforms.json (NeRF, instant-ngp, nerfstudio), COLMAP models, Middlebury's *_par.txt and
    cameras.json. The world's frame and units stay as they are.
    """
    from dataclasses import asdict

    from invrender.io.datasets.convert import convert as write

    done = write(source, target, to, masks=masks, undistort=undistort, skip_missing=skip_missing, overwrite=overwrite)
    if json:
        print_json({"output": target, "format": to, **asdict(done)})
        return
    if quiet:
        return
    changed = [
        f"{count} {what}"
        for count, what in ((done.undistorted, "undistorted"), (done.turned, "turned as Exif says"))
        if count
    ]
    pictures = f"{done.views} pictures ({', '.join(changed) if changed else 'copied'}), {done.masks} masks"
    split = f", {done.held_out} views held out" if done.held_out else ""
    poses = ", ".join(str(path.relative_to(target)) for path in done.poses)
    console.print(f"wrote {target}: {poses}; {pictures}{split}", markup=False, highlight=False)
    console.print(f"look at it: invrender inspect {target}", markup=False, highlight=False)
