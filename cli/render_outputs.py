"""The options of `invrender render` that say what pictures show and where they are written."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invrender.render.modes import mode_names

OUTPUT = "Output"

OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        rich_help_panel=OUTPUT,
        help="A .png (a still, or a sheet of --views), a .gif or .mp4 that turns; depth, normal and silhouette also as "
        ".npy or .exr, light by rays as .exr.",
    ),
]
DatasetOption = Annotated[
    Path | None,
    typer.Option(
        "--dataset",
        metavar="DIR",
        rich_help_panel=OUTPUT,
        help="Write transforms.json and RGBA images there, which reconstruct takes.",
    ),
]
ModeOption = Annotated[
    str | None,
    typer.Option(
        "--mode",
        metavar="MODE",
        rich_help_panel=OUTPUT,
        help=f"What pictures show: {', '.join(mode_names())}.",
        show_default="meshes shaded, scenes raytraced, volumes volume",
    ),
]
SamplesOption = Annotated[
    int | None,
    typer.Option(
        "--samples",
        min=1,
        max=8,
        rich_help_panel=OUTPUT,
        help="Samples on each side of a pixel; scenes by rays have --spp.",
        show_default="2",
    ),
]
ScaleBarOption = Annotated[
    bool,
    typer.Option(
        "--scale-bar/--no-scale-bar",
        rich_help_panel=OUTPUT,
        help="Mode depth as .png: numbers beside the picture, which is wider then.",
    ),
]
