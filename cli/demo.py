"""`invrender demo`: the whole way once, on a sample, in a minute or two."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import OverwriteOption, PresetFlag, QuietOption, console

VIEWS = 24
EXAMPLES = ("invrender demo", "invrender demo --preset standard -o outputs/knot")

AFTERWARDS = (
    "see how it came about: {run}/progress.gif",
    "see what came of it:   {run}/report.html",
    "what pictures cannot tell: outlines alone (--method silhouette) leave hollows filled, such as a mug's inside;",
    "  colours show hollows that cameras look into; what no camera sees is a guess, and the report says how much",
    "bring your own: invrender reconstruct photos/ -o outputs/thing",
)


def demo(
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where everything goes.")] = Path(
        "outputs/demo"
    ),
    preset: PresetFlag = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a coloured knot, look at it from 24 sides, and make it anew from the pictures alone."""
    from invrender.cli.reconstruct import reconstruct
    from invrender.io.meshes.write import write_mesh
    from invrender.run.place import check_output
    from invrender.samples import SAMPLES

    asset, run = folder / "torus-knot.glb", folder / "run"
    check_output(run, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    write_mesh(asset, SAMPLES["torus-knot"]())
    views = None if "INVRENDER_VIEWS" in os.environ else VIEWS
    shown = f"--cameras sphere --views {views or os.environ['INVRENDER_VIEWS']}"
    same = f"invrender reconstruct {asset} --method photometric {shown} -o {run}"
    if not quiet:
        console.print(f"wrote {asset}; now the same as: {same}", markup=False, soft_wrap=True)
    chosen = preset or os.environ.get("INVRENDER_PRESET", "draft")
    reconstruct(
        source=asset, folder=run, method="photometric", cameras="sphere", views=views, preset=chosen,
        overwrite=overwrite, quiet=quiet,
    )  # fmt: skip
    if not quiet:
        for line in AFTERWARDS:
            console.print(line.format(run=run), markup=False, soft_wrap=True)
