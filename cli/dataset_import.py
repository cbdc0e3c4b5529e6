"""`invrender dataset import`: voxels and pictures in somebody else's files become a data set."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import (
    JsonOption,
    OverwriteOption,
    QuietOption,
    SeedOption,
    a_number,
    check_choice,
    console,
    print_json,
)

if TYPE_CHECKING:
    from invrender.io.pairs.bring_in import BroughtIn, Request

EXAMPLES = (
    "invrender dataset import outputs/npz -o outputs/pairs-back",
    "invrender dataset import outputs/npz --axes +x+y+z --encoding srgb -o outputs/pairs-in-srgb",
)


def dataset_import(
    source: Annotated[
        Path, typer.Argument(metavar="SRC", help="A folder of .npz or .npy arrays, or of .vdb files and pictures.")
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="DIR", help="The data set to write.")],
    axes: Annotated[
        str,
        typer.Option(
            metavar="+x+y+z|auto",
            help="Which way each axis of the voxels goes: x right, y up, z towards the camera; auto finds out.",
        ),
    ] = "auto",
    split: Annotated[
        str, typer.Option(metavar="A,B,C", help="Shares of train, validation and test, by object.")
    ] = ".84,.04,.12",
    objects: Annotated[
        int, typer.Option(min=1, metavar="N", help="So many consecutive samples are views of one object.")
    ] = 1,
    voxel_type: Annotated[
        str, typer.Option(metavar="auto|uint8|float16", help="On disk; auto: uint8 where all values are 0 to 1.")
    ] = "auto",
    scale: Annotated[
        float, typer.Option(callback=a_number("--scale"), help="Voxels are multiplied by this number.")
    ] = 1.0,
    encoding: Annotated[
        str,
        typer.Option(metavar="auto|srgb|linear", help="Of the pictures; auto: 8 and 16 bits srgb, floats linear."),
    ] = "auto",
    grey: Annotated[bool, typer.Option("--grey", help="Take the first channel of pictures alone.")] = False,
    key: Annotated[str, typer.Option(help="Which grid of each .vdb.")] = "density",
    resolution: Annotated[
        int | None, typer.Option(min=2, max=1024, help="Voxels along each side that .vdb files are put into.")
    ] = None,
    seed: SeedOption = 0,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Bring voxels and pictures in: shards of VoxelNeuralRender, .npz or .npy arrays, .vdb files beside pictures.

    Files belong together by the numbers or names in their names; folders and prefixes called train, validation or test
    keep their samples in these. However large the files are, one sample at a time is in memory.
    """
    from invrender.io.pairs.axes import checked_axes
    from invrender.io.pairs.bring_in import Request, bring_in
    from invrender.io.pairs.open_source import open_source
    from invrender.io.pairs.plan import parsed_shares
    from invrender.run.heard import heard
    from invrender.run.progress import Progress

    auto = axes.strip().lower() == "auto"
    request = Request(
        "auto" if auto else checked_axes(axes), parsed_shares(split), seed, objects,
        check_choice("--voxel-type", voxel_type, ("auto", "uint8", "float16")),  # type: ignore[arg-type]
        scale, check_choice("--encoding", encoding, ("auto", "srgb", "linear")),  # type: ignore[arg-type]
        grey, overwrite,
    )  # fmt: skip
    with heard(), Progress(quiet) as progress:

        def on_sample(done: int, total: int) -> None:
            if done == 1:
                progress.start("import", total)
            progress.step(done - 1)

        found = open_source(source, key, resolution)
        done = bring_in(found, output, request, on_sample)
    _tell(found.what, output, request, done, json, quiet)


def _tell(what: str, output: Path, request: Request, done: BroughtIn, json: bool, quiet: bool) -> None:
    layout, counts = done.meta.layout, done.meta.counts
    if json:
        table: dict[str, Any] = {
            "output": output, "from": what, "samples": counts, "voxels": layout.voxels, "voxel_type": layout.voxel_type,
            "pictures": layout.pictures, "picture_type": layout.picture_type, "encoding": layout.encoding,
            "axes": done.axes, "fit": done.fit,
        }  # fmt: skip
        print_json(table)
    if done.fit is not None and request.axes == "auto" and not quiet:
        fit = done.fit
        console.print(
            f"axes: {fit.axes}, by which the voxels explain {fit.explained:.0%} of the pictures; the next best, "
            f"{fit.second}, {fit.second_explained:.0%}",
            markup=False,
        )
    if json or quiet:
        return
    samples = ", ".join(f"{count} {split}" for split, count in counts.items())
    size = " x ".join(map(str, layout.voxels[1:]))
    console.print(f"wrote {output}: {samples}; voxels {size} ({done.voxels}), pictures {done.pictures}", markup=False)
    console.print(f"look at it: invrender inspect {output} --picture sheet.png", markup=False)
