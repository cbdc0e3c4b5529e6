"""`invrender scan`: the geometry file of another tomography program becomes a scan file of ours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from invrender.cli.options import JsonOption, OverwriteOption, QuietOption, check_choice, console, print_json

EXAMPLES = (
    "invrender scan data/scan_leap.txt -o outputs/scan-leap/scan.toml",
    "invrender scan data/scan_astra.json -o outputs/scan-astra/scan.toml --values line-integral",
)
PROGRAMS = ("auto", "tigre", "astra", "leap", "nikon")
VALUES = ("counts", "transmittance", "line-integral")


def scan(
    source: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="A geometry: TIGRE's .mat, .json or .npz, ASTRA's .json or .npz, LEAP's "
                       "parameter file, Nikon's .xtekct."),
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="scan.toml", help="The scan file to write.")
    ] = Path("scan.toml"),
    program: Annotated[str, typer.Option("--from", metavar="|".join(PROGRAMS), help="Whose geometry it is.")] = "auto",
    projections: Annotated[
        Path | None,
        typer.Option(metavar="PATH", help="The projections: a TIFF stack, a folder or pattern, .npy, .npz, .h5."),
    ] = None,
    values: Annotated[
        str | None,
        typer.Option(metavar="|".join(VALUES), help="What the projections hold.", show_default="to be written in"),
    ] = None,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:  # fmt: skip
    """Write a scan.toml from the geometry of TIGRE, ASTRA, LEAP or a Nikon scanner, for `invrender reconstruct`.

    scan.toml is one file of numbers: beam, distances, pixel, angles, offsets, and where projections, flat and dark
    frames are. It may be written by hand as well; `invrender inspect scan.toml --picture scan.png` draws it.
    """
    from invrender.errors import OutputExistsError, UsageError
    from invrender.io.files.paths import is_file
    from invrender.io.scans.foreign import PLACEHOLDER, import_geometry, write_imported

    if output.suffix.lower() != ".toml":
        raise UsageError(f"-o is {output}", "name a .toml file: scan.toml")
    if is_file(output) and not overwrite:
        raise OutputExistsError(f"{output} exists", "pass --overwrite, or name another file")
    check_choice("--from", program, PROGRAMS)
    given: dict[str, Any] = {}
    if values is not None:
        given["values"] = check_choice("--values", values, VALUES)
    if projections is not None:
        given["path"] = _relative(projections, output.parent)
    found = import_geometry(source, program)
    files = write_imported(output, found, given)
    if json:
        print_json({"output": output, "program": found.program, "files": files, "notes": list(found.notes)})
        return
    if quiet:
        return
    for note in found.notes:
        console.print(f"note: {note}", markup=False, highlight=False)
    console.print(f"wrote {', '.join(map(str, files))} from {found.program}", markup=False, highlight=False)
    if projections is None and "path" not in found.table.get("projections", {}):
        console.print(f"name the projections in it: path = ... instead of {PLACEHOLDER}", markup=False)
    console.print(f"look at it: invrender inspect {output} --picture {output.with_suffix('.png')}", markup=False)


def _relative(path: Path, folder: Path) -> str:
    """A path as a file in a folder names it."""
    return path.as_posix() if path.is_absolute() else Path(os.path.relpath(path, folder)).as_posix()
