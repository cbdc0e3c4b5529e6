"""`invrender demo`: the whole way once, on a sample, in a minute."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import OverwriteOption, PresetFlag, QuietOption, console

EXAMPLES = (
    "invrender demo",
    "invrender demo --preset standard -o outputs/demo-standard",
)


def demo(
    folder: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where everything goes.")] = Path(
        "outputs/demo"
    ),
    preset: PresetFlag = None,
    overwrite: OverwriteOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a sample mug, look at it from 12 sides, and reconstruct it from its silhouettes."""
    from invrender.cli.reconstruct import reconstruct
    from invrender.io.meshes.write import write_mesh
    from invrender.run.place import check_output
    from invrender.samples import SAMPLES, UNITS

    asset, run = folder / "mug.glb", folder / "run"
    check_output(run, overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    write_mesh(asset, SAMPLES["mug"](), UNITS.get("mug"))
    if not quiet:
        console.print(f"wrote {asset}; now the same as: invrender reconstruct {asset} -o {run}", markup=False)
    chosen = preset or os.environ.get("INVRENDER_PRESET", "draft")
    reconstruct(source=asset, folder=run, preset=chosen, overwrite=overwrite, quiet=quiet)
    if not quiet:
        console.print(f"open {run / 'progress.gif'}; bring your own: invrender reconstruct --help", markup=False)
