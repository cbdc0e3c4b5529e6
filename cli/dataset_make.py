"""`invrender dataset make`: scenes of random objects, as voxels and as pictures."""

from __future__ import annotations

import functools
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import (
    BackendOption,
    JsonOption,
    OverwriteOption,
    QuietOption,
    SeedOption,
    a_number,
    check_choice,
    console,
    print_json,
)
from invrender.errors import UsageError
from invrender.run.settings import MOST_VIEWS

if TYPE_CHECKING:
    from invrender.io.pairs.meta import Meta
    from invrender.kernels import Backend
    from invrender.nouns.stage import Stage
    from invrender.stages.recipe import Recipe

EXAMPLES = (
    "invrender dataset make --count 64 -o outputs/pairs",
    "invrender dataset make --from data --count 16 --size 64 --resolution 32 -o outputs/pairs-of-meshes",
)

KINDS = ("primitives", "samples", "mixed", "meshes")
_STAGE = "The stage"


def dataset_make(
    kind: Annotated[
        str | None,
        typer.Argument(
            metavar="|".join(KINDS),
            help="Spheres, boxes, tori, cylinders and cones; our sample meshes; either; or files (implied by --from).",
            show_default="primitives",
        ),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Folder of the data set.")] = Path(
        "pairs"
    ),
    source: Annotated[
        Path | None, typer.Option("--from", metavar="FOLDER", help="Take every closed mesh file in this folder.")
    ] = None,
    count: Annotated[int, typer.Option("--count", min=1, max=10_000_000, help="How many scenes.")] = 640,
    resolution: Annotated[
        str, typer.Option("--resolution", metavar="N|D,H,W", help="Voxels along each side, multiples of 8.")
    ] = "64",
    size: Annotated[str, typer.Option("--size", metavar="N|W,H", help="Pixels of the pictures.")] = "128",
    views: Annotated[
        int, typer.Option("--views", min=1, max=MOST_VIEWS, metavar="N", help="How many views of each scene.")
    ] = 1,
    split: Annotated[
        str,
        typer.Option("--split", metavar="A,B,C", help="Shares of train, validation and test; objects are split."),
    ] = "0.84,0.04,0.12",
    voxels: Annotated[
        str,
        typer.Option("--voxels", metavar="occupancy|density", help="Covered share of a voxel, or the same blurred."),
    ] = "occupancy",
    bounces: Annotated[
        int, typer.Option("--bounces", min=0, max=32, help="Light between surfaces, by paths; 0: direct light.")
    ] = 0,
    gloss: Annotated[
        float, typer.Option("--gloss", min=0.0, max=1.0, callback=a_number("--gloss"), help="0: matte; 1: polished.")
    ] = 0.0,
    spp: Annotated[
        int | None,
        typer.Option("--spp", min=1, max=65536, help="Rays a pixel.", show_default="4, with bounces 64"),
    ] = None,
    colours: Annotated[
        bool, typer.Option("--colors", help="Objects of random colours: voxels with albedo, pictures in RGB.")
    ] = False,
    fov: Annotated[
        float,
        typer.Option(
            "--fov",
            min=5.0,
            max=90.0,
            callback=a_number("--fov"),
            help="Field of view, in degrees.",
            rich_help_panel=_STAGE,
        ),
    ] = 32.0,
    elevation: Annotated[
        float,
        typer.Option(
            "--elevation",
            min=5.0,
            max=85.0,
            callback=a_number("--elevation"),
            help="Of the camera, in degrees.",
            rich_help_panel=_STAGE,
        ),
    ] = 30.0,
    light: Annotated[
        str, typer.Option("--light", metavar="X,Y,Z", help="Direction to the sun.", rich_help_panel=_STAGE)
    ] = "-0.6,1,0.5",
    no_ground: Annotated[
        bool, typer.Option("--no-ground", help="No ground below the objects.", rich_help_panel=_STAGE)
    ] = False,
    seed: SeedOption = 0,
    processes: Annotated[
        int | None,
        typer.Option("--processes", min=1, max=1024, help="How many processes work at once.", show_default="the cores"),
    ] = None,
    backend: BackendOption = "cpu",
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a data set: random objects on a ground, as voxels and as rendered pictures, split by object.

    Run again with the same options it goes on where it was stopped. Scene n depends on the options and n alone.
    """
    from invrender.run import stop
    from invrender.run.progress import Progress
    from invrender.stages.make import make
    from invrender.stages.pool import usable_meshes
    from invrender.stages.recipe import Recipe, check
    from invrender.stages.work import Watch

    kind = _kind(kind, source)
    size_hw = _size(size)
    recipe = Recipe(
        kind=kind,  # type: ignore[arg-type]
        count=count,
        resolution=_resolution(resolution, size_hw),
        size=size_hw,
        views=views,
        shares=_numbers("--split", split),
        voxels=check_choice("--voxels", voxels, ("occupancy", "density")),  # type: ignore[arg-type]
        bounces=bounces,
        gloss=gloss,
        spp=spp or (64 if bounces else 4),
        colours=colours,
        seed=seed,
        backend=backend,
        stage=_stage(fov, elevation, _numbers("--light", light), not no_ground),
    )
    check(recipe)
    with Progress(quiet) as progress:
        if source is not None:
            recipe = _with_meshes(recipe, usable_meshes(source, progress.warn))
        load = functools.partial(load_backend, backend)
        watch = Watch(
            start=lambda total, before: progress.start("scenes", total, before),
            step=lambda made: progress.step(made - 1),
            check=stop.check,
        )
        with stop.patient():
            meta = make(recipe, output, load, source=source, processes=processes, overwrite=overwrite, watch=watch)
    _report(output, meta, json, quiet)


def load_backend(name: str) -> Backend:
    """The backend of a name; processes that make scenes import this function."""
    from invrender.backends import select

    return select(name, needs=("meshes",))


def _kind(kind: str | None, source: Path | None) -> str:
    """What scenes are made of: what was asked for, or what follows from --from."""
    if kind is None:
        return "primitives" if source is None else "meshes"
    check_choice("the kind", kind, KINDS)
    if (kind == "meshes") != (source is not None):
        raise UsageError(
            f"kind {kind} {'needs a folder of meshes' if source is None else 'takes no folder of meshes'}",
            "give --from FOLDER with the kind meshes, and with no other",
        )
    return kind


def _with_meshes(recipe: Recipe, meshes: tuple[tuple[str, str], ...]) -> Recipe:
    import dataclasses

    return dataclasses.replace(recipe, meshes=meshes)


def _numbers(name: str, text: str) -> tuple[float, float, float]:
    """Three numbers with commas."""
    try:
        first, second, third = (float(part) for part in text.split(","))
    except ValueError:
        first = second = third = math.nan
    if not all(math.isfinite(value) for value in (first, second, third)):
        raise UsageError(f"{name} is {text!r}", f"give three numbers with commas, such as {name}=-0.6,1,0.5")
    return first, second, third


def _whole(name: str, text: str, lengths: tuple[int, ...], example: str) -> list[int]:
    parts = text.split(",")
    if len(parts) not in lengths or not all(part.strip().isdecimal() and len(part) < 6 for part in parts):
        raise UsageError(f"{name} is {text!r}", f"give {example}")
    return [int(part) for part in parts]


def _size(text: str) -> tuple[int, int]:
    """(H, W)."""
    sides = _whole("--size", text, (1, 2), "a number of pixels or W,H, such as 128 or 192,128")
    return sides[-1], sides[0]


def _resolution(text: str, size: tuple[int, int]) -> tuple[int, int, int]:
    """(D, H, W); a single number is that of the picture's smaller side, and the other side follows."""
    sides = _whole("--resolution", text, (1, 3), "a number of voxels or D,H,W, such as 64 or 64,64,96")
    if len(sides) == 3:
        return sides[0], sides[1], sides[2]
    shorter = max(1, min(size))
    height, width = (sides[0] * side // shorter for side in size)
    return sides[0], height, width


def _stage(fov: float, elevation: float, light: tuple[float, float, float], ground: bool) -> Stage:
    """The stage; where the view is narrower or wider, the ground lies nearer or farther below its middle."""
    import dataclasses

    from invrender.nouns.stage import Stage

    usual = Stage()
    stage = Stage(fov=fov, elevation=elevation, light=light)
    height = None if not ground else round(-0.2 * stage.reach / usual.reach, 6)
    return dataclasses.replace(stage, ground=height)


def _report(folder: Path, meta: Meta, json: bool, quiet: bool) -> None:
    counts: dict[str, int] = {}
    for shard in meta.shards:
        counts[shard.split] = counts.get(shard.split, 0) + len(shard.objects)
    if json:
        print_json(
            {"folder": folder, "samples": counts, "voxels": meta.layout.voxels, "pictures": meta.layout.pictures}
        )
    elif not quiet:
        held = ", ".join(f"{count} {split}" for split, count in counts.items())
        console.print(f"wrote {folder} ({held})", markup=False)
