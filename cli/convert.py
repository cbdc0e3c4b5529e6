"""`invrender convert`: a mesh, a volume or a dataset in one format in, the same in another out."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from invrender.cli.mesh import UNITS, Lengths, ScaleOption
from invrender.cli.options import JsonOption, OverwriteOption, QuietOption, console, print_json
from invrender.cli.volume_options import (
    FILES,
    DtypeOption,
    FrameOption,
    KeyOption,
    MuWaterOption,
    ShapeOption,
    SpacingOption,
    VolumeFile,
)

EXAMPLES = (
    "invrender convert data/mug.glb outputs/mug.stl --units mm",
    "invrender convert outputs/cloud.npz outputs/cloud.nrrd",
)
DATASETS = "Datasets"


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SRC",
            help="A mesh, a volume (a file, a folder of DICOM or slices; FOLDER#2: its second series), a run, a "
            "dataset folder or its pose file.",
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(metavar="DST", help="The file to write, by its extension; of a dataset or slices the folder."),
    ],
    units: Annotated[
        str | None,
        typer.Option(
            "--units", metavar="UNIT", rich_help_panel=UNITS,
            help="Of the output: m, cm, mm, um, in or ft; hu: Hounsfield units as values, see --mu-water.",
        ),
    ] = None,
    from_units: Annotated[
        str | None,
        typer.Option(
            "--from-units", metavar="UNIT", rich_help_panel=UNITS,
            help="Of the input, where its file is silent; hu: its values are Hounsfield units.",
        ),
    ] = None,
    scale: ScaleOption = None,
    key: KeyOption = "density",
    frame: FrameOption = None,
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    spacing: SpacingOption = None,
    mu_water: MuWaterOption = None,
    upright: Annotated[
        bool,
        typer.Option(
            "--upright", rich_help_panel=FILES,
            help="Resample a grid that is turned against its world onto upright axes.",
        ),
    ] = False,
    to: Annotated[
        str | None,
        typer.Option(
            "--to", metavar="FORMAT", rich_help_panel=DATASETS,
            help="transforms, nerfstudio, colmap, colmap-text, middlebury or cameras (transforms); of a volume tiff or "
            "png: a folder of slices.",
        ),
    ] = None,
    masks: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", rich_help_panel=DATASETS, help="Masks, named after the images (white is object)."
        ),
    ] = None,
    undistort: Annotated[
        bool,
        typer.Option(
            "--undistort", rich_help_panel=DATASETS,
            help="Undistort the pictures, also where the format can hold the lens.",
        ),
    ] = False,
    skip_missing: Annotated[
        bool, typer.Option("--skip-missing", rich_help_panel=DATASETS, help="Leave out views whose files are missing.")
    ] = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:  # fmt: skip
    """Write a mesh, a volume or a dataset in another format; frame and units stay as they are unless told otherwise.

    Meshes: .glb, .gltf, .obj, .ply, .stl. Volumes (DICOM and folders of slices are read too): .npz, .npy, .vti, .nrrd,
    .nii, .nii.gz, .mha, .tif, .raw, .vdb. `--units hu` writes Hounsfield units, `--from-units hu` reads them. Datasets:
    transforms.json (NeRF, instant-ngp, nerfstudio), COLMAP, Middlebury's *_par.txt, cameras.json; cameras exactly,
    pictures copied, or undistorted where they have to be. What the other format cannot hold is said.
    """
    from invrender.cli.written import Meshed, written
    from invrender.io.assets import identify
    from invrender.run.place import settle

    settle(source)
    kind, place = identify(source)
    lengths = Lengths(units, from_units, scale)
    if kind != "volume":
        _only_for("a volume", kind, {"--mu-water": mu_water, "--upright": upright or None, "--spacing": spacing})
    if kind in ("mesh", "volume"):
        _only_for("a dataset", kind, {"--masks": masks, "--undistort": undistort or None,
                                      "--skip-missing": skip_missing or None})  # fmt: skip
    if kind == "mesh":
        _only_for("a dataset or a volume", kind, {"--to": to})
        from invrender.io.meshes.read import read_mesh

        _check_kind(target)
        found, unit = lengths.applied(read_mesh(place), source, target)
        done = written(Meshed(source, target, found, unit), overwrite)
    elif kind == "volume":
        from invrender.cli.convert_volume import Wanted, converted

        file = VolumeFile(place, key, shape, dtype, frame, spacing)
        done = converted(file, target, Wanted(lengths, mu_water, upright, to), overwrite)
    else:
        _only_for(
            "a mesh or a volume",
            "dataset" if kind == "views" else kind,
            {"--units": units, "--from-units": from_units, "--scale": scale},
        )
        _dataset(Dataset(source, target, to or "transforms", masks), undistort, skip_missing, overwrite, json, quiet)
        return
    if json:
        print_json(done.table)
    elif not quiet:
        for line in done.lines:
            console.print(line, markup=False, highlight=False)


def _only_for(what: str, kind: str, given: dict[str, object]) -> None:
    """Refuse options that do not go with what is converted."""
    from invrender.errors import UsageError

    for name, value in given.items():
        if value is not None:
            raise UsageError(f"{name} goes with {what}, and this is a {kind}", f"leave {name} out")


def _check_kind(target: Path) -> None:
    """Refuse to write a mesh as a volume."""
    from invrender.errors import UsageError
    from invrender.io.volumes.paths import is_volume_path

    if is_volume_path(target):
        raise UsageError(f"a mesh cannot be written as {target.name}, a volume", "use .glb, .ply, .obj or .stl")


@dataclass(frozen=True)
class Dataset:
    """What dataset goes where, in which format and with which masks."""

    source: Path
    target: Path
    to: str
    masks: Path | None


def _dataset(given: Dataset, undistort: bool, skip_missing: bool, overwrite: bool, json: bool, quiet: bool) -> None:
    from dataclasses import asdict

    from invrender.io.datasets.convert import convert as write

    target = given.target
    done = write(
        given.source, target, given.to, masks=given.masks, undistort=undistort, skip_missing=skip_missing,
        overwrite=overwrite,
    )  # fmt: skip
    if json:
        print_json({"output": target, "format": given.to, **asdict(done)})
        return
    if quiet:
        return
    changed = [
        f"{count} {what}"
        for count, what in ((done.undistorted, "undistorted"), (done.turned, "turned as Exif says"))
        if count
    ]
    pictures = f"{done.views} pictures ({', '.join(changed) if changed else 'copied'}), {done.masks} masks"
    split = f", {done.held_out} views held out" if done.held_out else ""
    poses = ", ".join(str(path.relative_to(target)) for path in done.poses)
    console.print(f"wrote {target}: {poses}; {pictures}{split}", markup=False, highlight=False)
    console.print(f"look at it: invrender inspect {target}", markup=False, highlight=False)
