"""`invrender preview`: look at a mesh, a volume or a run in a window, or write a picture of it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import OverwriteOption, QuietOption, console

EXAMPLES = (
    "invrender preview data/mug.glb",
    "invrender preview data/torus_knot.glb --screenshot knot.png --size 800,600 --background '#20242a'",
)

LEAST, MOST = 16, 4096  # pixels along a side
PICTURES = "Pictures"


def preview(
    source: Annotated[Path, typer.Argument(metavar="RUN_OR_FILE", help="A run folder, a mesh or a volume.")],
    screenshot: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.png",
            help="Write a picture instead of opening a window.",
            show_default="a window",
            rich_help_panel=PICTURES,
        ),
    ] = None,
    turntable: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE.gif", help="Write one full turn as a GIF.", show_default="none", rich_help_panel=PICTURES
        ),
    ] = None,
    frames: Annotated[
        int, typer.Option("--frames", min=2, max=720, help="Pictures in a turntable.", rich_help_panel=PICTURES)
    ] = 72,
    size: Annotated[
        str,
        typer.Option("--size", metavar="PIXELS", help="Height; each panel is square. Or width and height: 800,600."),
    ] = "720",
    background: Annotated[
        str | None,
        typer.Option(
            "--background",
            metavar="COLOUR",
            help="white, black or a colour such as '#20242a'.",
            show_default="white; of volumes black",
        ),
    ] = None,
    camera: Annotated[
        Path | None,
        typer.Option(
            "--camera",
            metavar="FILE",
            help="Look as a camera file says, such as key c in the window saves it.",
            show_default="all in view",
        ),
    ] = None,
    transfer: Annotated[
        Path | None,
        typer.Option(
            "--transfer",
            metavar="FILE",
            help="Of volumes: colours and opacity of a transfer.json, such as key t saves it, or of a run's.",
            show_default="read off the histogram",
        ),
    ] = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Look at a mesh, a volume or a run, in a window or as a picture.

    A window with one volume has an editor of its transfer function. Key c saves the camera, t the transfer function.
    """
    from dataclasses import replace

    from invrender.io.cameras_file import read_viewpoint
    from invrender.preview.guard import Job, check_display, run_job
    from invrender.preview.subject import alone, check_picture, describe, isosurfaces, own_transfer
    from invrender.render.transfer_file import read_transfer

    width, height = _size(size)
    behind = () if background is None else _colour(background)
    if camera is not None:
        read_viewpoint(camera)  # so that what is wrong with it is told at once
    if transfer is not None:
        read_transfer(transfer)
    panels, notes = describe(source)
    job = Job(
        "window", panels, notes, size=height, width=width, isosurfaces=isosurfaces(panels), background=behind,
        camera="" if camera is None else str(camera),
        transfer=own_transfer(source) if transfer is None else str(transfer),
    )  # fmt: skip
    if screenshot is None and turntable is None:
        check_display()
        run_job(replace(job, panels=alone(panels), isosurfaces=()))
        return
    if screenshot is not None:
        check_picture(screenshot, (".png", ".jpg", ".jpeg"), overwrite)
    if turntable is not None:
        check_picture(turntable, (".gif",), overwrite)
    if screenshot is not None:
        run_job(replace(job, kind="screenshot", output=str(screenshot)))
        _say(screenshot, quiet)
    if turntable is not None:
        run_job(replace(job, kind="turntable", output=str(turntable), frames=frames))
        _say(turntable, quiet)


def _size(text: str) -> tuple[int, int]:
    """Width (0: as many squares as panels) and height in pixels."""
    from invrender.errors import UsageError

    try:
        numbers = [int(part) for part in text.replace("x", ",").split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in (1, 2) or not all(LEAST <= number <= MOST for number in numbers):
        raise UsageError(
            f"--size is {text!r}",
            f"give pixels from {LEAST} to {MOST}, a height such as 720, or 800,600; see `invrender preview --help`",
        )
    return (0, numbers[0]) if len(numbers) == 1 else (numbers[0], numbers[1])


def _colour(text: str) -> tuple[float, ...]:
    """sRGB in [0, 1] of --background."""
    from invrender.colour import linear_to_srgb, parse_colour
    from invrender.errors import UsageError

    named = {"white": (1.0, 1.0, 1.0), "black": (0.0, 0.0, 0.0)}
    if text in named:
        return named[text]
    colour = parse_colour(text)
    if colour is None:
        raise UsageError(f"--background is {text!r}", "use white, black or a colour such as '#20242a'")
    import numpy as np

    red, green, blue = linear_to_srgb(np.asarray(colour)).tolist()
    return red, green, blue


def _say(path: Path, quiet: bool) -> None:
    if not quiet:
        console.print(f"wrote {path}", markup=False)
