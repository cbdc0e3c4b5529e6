"""`invrender mesh`: an isosurface of a volume, or a mesh made smaller, smoother, cleaner, or of another unit."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import BackendOption, JsonOption, OverwriteOption, QuietOption, a_number, console, print_json
from invrender.cli.volume_options import DtypeOption, FrameOption, KeyOption, ShapeOption, VolumeFile

if TYPE_CHECKING:
    from invrender.nouns import Mesh

EXAMPLES = (
    "invrender mesh data/torus_knot.glb --faces 1000 -o outputs/knot.glb",
    "invrender mesh outputs/cloud.npz --isovalue auto --smooth 10 -o outputs/cloud.glb",
)
SURFACE, SHAPE, UNITS = "Surface of a volume", "Shape", "Units"

UnitsOption = Annotated[
    str | None,
    typer.Option("--units", metavar="UNIT", rich_help_panel=UNITS, help="Of the output: m, cm, mm, um, in or ft."),
]
FromUnitsOption = Annotated[
    str | None,
    typer.Option("--from-units", metavar="UNIT", rich_help_panel=UNITS, help="Of the input, where its file is silent."),
]
ScaleOption = Annotated[
    float | None,
    typer.Option(
        "--scale", metavar="FACTOR", callback=a_number("--scale"), rich_help_panel=UNITS,
        help="Factor on all coordinates.",
    ),
]  # fmt: skip
ObjectOption = Annotated[
    str | None,
    typer.Option(
        "--object", metavar="NAME", rich_help_panel=SHAPE,
        help="One of several objects, by name or number (`invrender inspect` lists them).",
    ),
]  # fmt: skip


def mesh(
    source: Annotated[Path, typer.Argument(metavar="INPUT", help="A mesh, a volume, or a run folder.")],
    target: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="What to write: .glb, .gltf, .ply, .obj or .stl.")
    ],
    isovalue: Annotated[
        str,
        typer.Option(metavar="VALUE", rich_help_panel=SURFACE, help="Where the surface is; auto: Otsu's threshold."),
    ] = "auto",
    closed: Annotated[
        bool, typer.Option("--closed/--open", rich_help_panel=SURFACE, help="What bodies do at the volume's border.")
    ] = True,
    key: KeyOption = "density",
    frame: FrameOption = None,
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    only: ObjectOption = None,
    clean: Annotated[
        bool, typer.Option("--clean", rich_help_panel=SHAPE, help="Mend faces: flat, repeated, inside out.")
    ] = False,
    largest: Annotated[
        bool, typer.Option("--largest", rich_help_panel=SHAPE, help="Keep the largest part alone.")
    ] = False,
    smooth: Annotated[
        int, typer.Option(min=0, max=10_000, metavar="STEPS", rich_help_panel=SHAPE, help="Smooth without shrinking.")
    ] = 0,
    faces: Annotated[
        int | None, typer.Option(min=4, metavar="N", rich_help_panel=SHAPE, help="Reduce it to N triangles.")
    ] = None,
    units: UnitsOption = None,
    from_units: FromUnitsOption = None,
    scale: ScaleOption = None,
    backend: BackendOption = "auto",
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
) -> None:
    """Make a mesh of a volume, or make a mesh smaller, smoother, cleaner, or of another format or unit.

    Steps are taken in this order: surface or object, units, --clean, --largest, --smooth, --faces. A mesh that is
    closed and free of crossings stays so; colours and textures come along. 3 or 4 channels of a volume give colours.
    """
    from invrender.cli.written import Meshed, written
    from invrender.io.assets import volume_file

    chosen = VolumeFile(volume_file(source) or source, key, shape, dtype, frame)
    steps = Steps(clean, largest, smooth, faces, backend)
    lengths = Lengths(units, from_units, scale)
    given, said = _read(source, chosen, isovalue, closed, only)
    found, unit = lengths.applied(given, source, target)
    found, more = steps.applied(found)
    done = written(Meshed(source, target, found, unit, (*said, *more)), overwrite)
    if json:
        print_json(done.table)
    elif not quiet:
        for line in done.lines:
            console.print(line, markup=False, highlight=False)


def _read(source: Path, volume: VolumeFile, isovalue: str, closed: bool, only: str | None) -> tuple[Mesh, list[str]]:
    """The mesh to begin with, and what is to be said of it."""
    from invrender.errors import UsageError
    from invrender.io.assets import mesh_file, volume_file
    from invrender.run.place import settle

    settle(source)
    if volume_file(source) is None:
        if isovalue != "auto":
            raise UsageError(f"--isovalue goes with a volume, and {source} is none", "leave --isovalue out")
        from invrender.io.meshes.objects import read_chosen

        return read_chosen(mesh_file(source), only), []
    if only is not None:
        raise UsageError(f"--object goes with meshes, and {source} is a volume", "choose with --key or --frame")
    from invrender.geometry.isosurface import surface_of

    given = volume.read()
    found, level = surface_of(given, _value(isovalue), closed)
    found = replace(found, vertices=given.in_world(found.vertices))  # where the file has it
    return found, [f"isovalue {level:.6g}" + (" (Otsu's threshold)" if isovalue == "auto" else "")]


def _value(text: str) -> float | None:
    from invrender.errors import UsageError

    if text == "auto":
        return None
    try:
        return float(text)
    except ValueError as error:
        raise UsageError(f"--isovalue is {text!r}", "give a number, or auto") from error


@dataclass(frozen=True)
class Lengths:
    """What the options say of units."""

    units: str | None
    from_units: str | None
    scale: float | None

    def factor(self, file_says: str | None, metres: bool) -> tuple[float, str | None]:
        """What lengths are multiplied by, and the unit that they then have, or None where it is not known.

        Args:
            file_says: the unit that the input's file names.
            metres: whether the output's format means metres.
        """
        from invrender.errors import UsageError
        from invrender.io.meshes.units import factor_between, known_unit, unit_called

        if self.scale is not None and not 1e-12 <= self.scale <= 1e12:
            raise UsageError(f"--scale is {self.scale:g}", "give a positive factor, such as --scale 0.001")
        before = unit_called(self.from_units, "--from-units") if self.from_units else known_unit(file_says)
        after = unit_called(self.units) if self.units else None
        if after is None:
            after = "metre" if metres and self.from_units else before
        factor = factor_between(before, after) if before and after else 1.0
        return factor * (self.scale or 1.0), after or (file_says if self.scale is None else None)

    def applied(self, mesh: Mesh, source: Path, target: Path) -> tuple[Mesh, str | None]:
        """The mesh in the units of the output, and their name."""
        from invrender.io.assets import mesh_file, volume_file
        from invrender.io.meshes.read import read_units

        says = read_units(mesh_file(source)) if volume_file(source) is None else None
        factor, unit = self.factor(says, target.suffix.lower() in (".glb", ".gltf"))
        return (mesh if factor == 1 else replace(mesh, vertices=mesh.vertices * factor)), unit


@dataclass(frozen=True)
class Steps:
    """What the options ask to be done to a mesh."""

    clean: bool
    largest: bool
    smooth: int
    faces: int | None
    backend: str

    def applied(self, mesh: Mesh) -> tuple[Mesh, list[str]]:
        """The mesh after all of them, and what is to be said of it (InputError: it cannot have as few triangles)."""
        import torch

        said: list[Any] = []
        if self.clean:
            from invrender.geometry.clean import cleaned

            mesh, done = cleaned(mesh)
            said += done or ["nothing to clean"]
        if self.largest:
            from invrender.geometry.clean import largest

            before, mesh = len(mesh.faces), largest(mesh)
            said.append(f"{before - len(mesh.faces)} faces of smaller parts removed")
        if self.smooth:
            from invrender.geometry.smooth import smoothed

            vertices, faces = mesh.numpy()
            mesh = replace(mesh, vertices=torch.from_numpy(smoothed(vertices, faces, self.smooth)))
        return self._fewer(mesh, said) if self.faces is not None else (mesh, said)

    def _fewer(self, mesh: Mesh, said: list[str]) -> tuple[Mesh, list[str]]:
        from invrender.backends import select
        from invrender.errors import InputError
        from invrender.photometry.fewer import fewer_faces

        assert self.faces is not None
        found = fewer_faces(mesh, self.faces, select(self.backend, needs=("meshes",)))
        if not found.reached:
            least = len(found.mesh.faces)
            raise InputError(
                f"{self.faces} triangles would tear the surface or let it cross itself: {least} are the fewest without",
                f"ask for --faces {least} or more, or keep less of it first (--clean, --largest, --object)",
            )
        return found.mesh, [*said, *found.notes]
