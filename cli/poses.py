"""`invrender poses`: bare photographs, or a video, in; a dataset with cameras out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import JsonOption, OverwriteOption, QuietOption, SeedOption, a_number, console, print_json

if TYPE_CHECKING:
    from invrender.poses.find import Poses

EXAMPLES = (
    "invrender poses data/vase_photos/images -o outputs/posed",
    "invrender poses data/vase_photos/images --scale 0.1 -o outputs/posed-in-metres",
)


def poses(
    source: Annotated[
        Path, typer.Argument(metavar="PHOTOS", help="A folder of pictures (masks/ or alpha are used), or a video.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DATASET", help="The folder of the dataset.")],
    camera: Annotated[
        str,
        typer.Option(metavar="auto|one|each|folder", help="Which pictures share a lens; auto: by size and Exif."),
    ] = "auto",
    focal: Annotated[
        float | None,
        typer.Option(
            metavar="PIXELS",
            callback=a_number("--focal"),
            show_default="by Exif, else as of a usual lens",
            help="Focal length to begin with.",
        ),
    ] = None,
    fov: Annotated[
        float | None,
        typer.Option(metavar="DEGREES", callback=a_number("--fov"), help="The same as angle of view, across."),
    ] = None,
    matching: Annotated[
        str,
        typer.Option(
            metavar="auto|exhaustive|sequential|similar",
            help="Which pairs are compared: all, neighbours by name, or those that look alike; auto: all of up to 120.",
        ),
    ] = "auto",
    frames: Annotated[int, typer.Option(metavar="N", help="How many pictures to take from a video.")] = 80,
    scale: Annotated[
        float | None,
        typer.Option(
            metavar="FACTOR",
            callback=a_number("--scale"),
            show_default="the object is 1 long",
            help="Metres per unit.",
        ),
    ] = None,
    scale_by: Annotated[
        str | None,
        typer.Option(metavar="NAME,NAME,METRES", help="Two pictures, and how far apart their cameras were."),
    ] = None,
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Find the cameras of photographs, or of a video's frames, and write a dataset for `invrender reconstruct`.

    Pictures that cannot be placed are named with the reason. Takes `pip install "invrender[photos]"`.
    """
    from invrender.poses.find import find_poses
    from invrender.poses.options import PoseOptions, parse_scale_by
    from invrender.run import stop

    between = None if scale_by is None else parse_scale_by(scale_by)
    options = PoseOptions(camera, focal, fov, matching, frames, seed % 2**31, scale, between)

    def say(line: str) -> None:
        stop.check()
        if not quiet:
            console.print(line, markup=False)

    found = find_poses(source, output, options, overwrite=overwrite, say=say)
    tell(found, quiet)
    if json:
        print_json({"output": found.folder, **{k: v for k, v in vars(found).items() if k != "folder"}})


def tell(found: Poses, quiet: bool) -> None:
    """What was placed, and, by name, what was not and why."""
    for name, reason in [*found.skipped.items(), *found.unplaced.items()]:
        console.print(f"warning: {name}: {reason}", markup=False)
    total = len(found.placed) + len(found.unplaced)
    if len(found.placed) < total / 2:
        console.print(
            f"warning: {len(found.placed)} of {total} pictures were placed; more overlap between pictures helps",
            markup=False,
        )
    if quiet:
        return
    console.print(
        f"placed {len(found.placed)} of {total} pictures, {found.points} points,"
        f" reprojection error {found.reprojection_error:.2f} pixels, focal length {found.focal:.0f} pixels",
        markup=False,
    )
    if found.unit == "arbitrary":
        console.print(
            "units are arbitrary (the object is 1 long): --scale or --scale-by make them metres", markup=False
        )
    console.print(f"wrote {found.folder}; next: invrender reconstruct {found.folder}", markup=False)
