"""`invrender sample`: write one of the meshes and volumes that are made by formula."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import JsonOption, OverwriteOption, QuietOption, console, print_json

if TYPE_CHECKING:
    from invrender.nouns import Mesh, Volume


def sample(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which one; left out: list them.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="A file (mesh: .glb .ply .obj .stl; volume: .npz .vti .nrrd .nii.gz .mha .npy .raw), or a folder.",
            show_default="NAME.glb or NAME.npz",
        ),
    ] = None,
    resolution: Annotated[
        int, typer.Option("--resolution", min=8, max=1024, help="Samples along each side of a volume.")
    ] = 128,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a sample: a mesh such as mug, or a volume such as cloud. Without NAME: list them."""
    if name is None:
        _list(json)
        return
    from invrender.io.assets import write
    from invrender.io.files.paths import is_folder
    from invrender.samples import SAMPLES, UNITS, check_name, make

    check_name(name)
    suggested = f"{name}.{'glb' if name in SAMPLES else 'npz'}"
    path = Path(suggested) if output is None else output
    if is_folder(path):
        path /= suggested
    _check_free(path, overwrite)
    thing = make(name, resolution)
    write(path, thing, UNITS.get(name))
    facts = _facts(thing)
    if json:
        print_json({"name": name, "file": str(path), **facts})
    elif not quiet:
        counts = ", ".join(f"{count} {what}" for what, count in facts.items())
        console.print(f"wrote {path} ({counts}); next: invrender inspect {path}", markup=False, highlight=False)


def _facts(thing: Mesh | Volume) -> dict[str, Any]:
    from invrender.nouns import Mesh

    if isinstance(thing, Mesh):
        return {"vertices": len(thing.vertices), "faces": len(thing.faces)}
    return {"samples": " x ".join(str(n) for n in reversed(thing.shape))}


def _list(json: bool) -> None:
    from invrender.samples import SAMPLES, VOLUMES, describe

    described = {name: describe(name) for name in (*SAMPLES, *VOLUMES)}
    if json:
        print_json(described)
        return
    width = max(map(len, described))
    for name, text in described.items():
        typer.echo(f"{name:<{width}}  {text}")


def _check_free(path: Path, overwrite: bool) -> None:
    from invrender.errors import OutputExistsError

    if path.exists() and not overwrite:
        raise OutputExistsError(
            f"{path} exists already", "pass --overwrite to replace it, or choose another file with -o"
        )
