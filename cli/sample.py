"""`invrender sample`: write one of the meshes, volumes and scenes that are made by formula."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import JsonOption, OverwriteOption, QuietOption, console, print_json

if TYPE_CHECKING:
    from torch import Tensor

    from invrender.nouns import Mesh, Volume
    from invrender.samples.scenes import SceneSample

EXAMPLES = (
    "invrender sample torus-knot -o knot.glb",
    "invrender sample head -o head.npz --resolution 96",
)


def sample(
    name: Annotated[str | None, typer.Argument(metavar="NAME", help="Which one; left out: list them.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help=(
                "A file (mesh: .glb .ply .obj .stl; volume: .npz .vti .nrrd .nii.gz .mha .npy .raw; scene: .toml; "
                "sky: .exr), or a folder."
            ),
            show_default="NAME.glb, NAME.npz, NAME.toml or NAME.exr",
        ),
    ] = None,
    resolution: Annotated[
        int, typer.Option("--resolution", min=8, max=1024, help="Samples along each side of a volume.")
    ] = 128,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Write a sample: a mesh such as mug, a volume such as cloud, a scene such as lit-tree. Without NAME: list them."""
    if name is None:
        _list(json)
        return
    from invrender.io.files.paths import is_folder
    from invrender.samples import check_name, make

    check_name(name)
    suggested = f"{name}.{_extension(name)}"
    path = Path(suggested) if output is None else output
    if is_folder(path):
        path /= suggested
    _check_free(path, overwrite)
    facts = _written(path, name, make(name, resolution))
    if json:
        print_json({"name": name, "file": str(path), **facts})
    elif not quiet:
        counts = ", ".join(f"{count} {what}" for what, count in facts.items())
        console.print(f"wrote {path} ({counts}); next: invrender inspect {path}", markup=False, highlight=False)


def _extension(name: str) -> str:
    """Of the file that is written where none is named."""
    from invrender.samples import PICTURES, SAMPLES, SCENES

    return "glb" if name in SAMPLES else "toml" if name in SCENES else "exr" if name in PICTURES else "npz"


def _written(path: Path, name: str, thing: Mesh | Volume | SceneSample | Tensor) -> dict[str, Any]:
    """Write a sample; what is in it, in counts."""
    from invrender.errors import UsageError
    from invrender.io.assets import write
    from invrender.io.exr import write_exr
    from invrender.nouns import Mesh, Volume
    from invrender.samples import UNITS
    from invrender.samples.scenes import SceneSample, write_scene_sample

    if isinstance(thing, SceneSample):
        return {"files": len(write_scene_sample(path, thing))}
    if not isinstance(thing, Mesh | Volume):
        if path.suffix.lower() != ".exr":
            raise UsageError(f"a sky cannot be written as '{path.name}'", f"name an .exr file: {path.stem}.exr")
        write_exr(path, thing.numpy())
        return {"pixels": f"{thing.shape[1]} x {thing.shape[0]}"}
    write(path, thing, UNITS.get(name))
    if isinstance(thing, Mesh):
        return {"vertices": len(thing.vertices), "faces": len(thing.faces)}
    return {"samples": " x ".join(str(n) for n in reversed(thing.shape))}


def _list(json: bool) -> None:
    from invrender.samples import PICTURES, SAMPLES, SCENES, VOLUMES, describe

    groups: dict[str, Iterable[str]] = {
        "Meshes": SAMPLES,
        "Volumes": VOLUMES,
        "Scenes": SCENES,
        "Environments": PICTURES,
    }
    if json:
        print_json({name: describe(name) for names in groups.values() for name in names})
        return
    width = max(len(name) for names in groups.values() for name in names)
    for number, (title, names) in enumerate(groups.items()):
        typer.echo(("\n" if number else "") + title)
        for name in names:
            typer.echo(f"  {name:<{width}}  {describe(name)}")


def _check_free(path: Path, overwrite: bool) -> None:
    from invrender.errors import OutputExistsError

    if path.exists() and not overwrite:
        raise OutputExistsError(
            f"{path} exists already", "pass --overwrite to replace it, or choose another file with -o"
        )
