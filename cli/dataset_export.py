"""`invrender dataset export`: a data set of voxels and pictures in the files of other tools."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.options import JsonOption, OverwriteOption, QuietOption, check_choice, console, print_json

EXAMPLES = (
    "invrender dataset export outputs/pairs --to npz -o outputs/npz",
    "invrender dataset export outputs/pairs --to npz-pairs --split test -o outputs/test-pairs",
)

FORMATS = ("npz", "npz-pairs", "vdb")
SPLITS = ("all", "train", "validation", "test")


def dataset_export(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A data set of voxels and pictures.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DST", help="The folder to write.")],
    to: Annotated[
        str,
        typer.Option(
            metavar="|".join(FORMATS),
            help="npz: shards as VoxelNeuralRender reads them; npz-pairs: a file a sample; vdb: OpenVDB and PNG.",
        ),
    ] = "npz",
    chunk: Annotated[int, typer.Option(min=1, help="Samples of each shard of --to npz.")] = 100,
    axes: Annotated[
        str,
        typer.Option(metavar="+x+y+z", help="Which way each axis of the arrays goes: x right, y up, z to the camera."),
    ] = "+x+y+z",
    split: Annotated[str, typer.Option(metavar="|".join(SPLITS), help="The samples to write.")] = "all",
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a data set of voxels and pictures in other tools' files; `dataset import` brings the same one back."""
    from dataclasses import asdict

    from invrender.io.pairs.axes import checked_axes
    from invrender.io.pairs.dataset import read_pairs
    from invrender.io.pairs.export import export_pairs
    from invrender.run.heard import heard
    from invrender.run.progress import Progress

    check_choice("--to", to, FORMATS)
    only = None if check_choice("--split", split, SPLITS) == "all" else split
    with heard(), Progress(quiet) as progress:

        def on_sample(done: int, total: int) -> None:
            if done == 1:
                progress.start("export", total)
            progress.step(done - 1)

        done = export_pairs(
            read_pairs(folder), output, to, chunk=chunk, axes=checked_axes(axes), only=only, overwrite=overwrite,
            on_sample=on_sample,
        )  # fmt: skip
    if json:
        print_json({"output": output, "format": to, **asdict(done)})
    elif not quiet:
        samples = ", ".join(f"{count} {name}" for name, count in done.samples.items())
        console.print(f"wrote {output}: {samples} samples in {done.files} files", markup=False, highlight=False)
