"""`invrender evaluate`: measure results against their reference, as a table or as JSON."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.options import (
    BackendOption,
    FailIfOption,
    JsonOption,
    SeedOption,
    SizeFlag,
    ViewsFlag,
    a_number,
    console,
    print_json,
)
from invrender.cli.volume_options import DtypeOption, FrameOption, KeyOption, ShapeOption, VolumeFile
from invrender.cli.volume_style import window_of

if TYPE_CHECKING:
    from invrender.evaluate.compare import Asset, Judged, Measures
    from invrender.evaluate.run_look import Look

EXAMPLES = (
    "invrender evaluate outputs/mug data/mug.glb",
    "invrender evaluate outputs/draft outputs/fine data/mug.glb --json",
)
PANEL = "Volumes"
IN_COLOURS = "Reference of a result in colours"


def evaluate(
    paths: Annotated[
        list[Path],
        typer.Argument(
            metavar="RESULT... REFERENCE",
            help="Mesh or volume files, or run folders; the last is what to compare with, in the same frame.",
            show_default=False,
        ),
    ],
    views: ViewsFlag = None,
    size: SizeFlag = None,
    samples: Annotated[
        int, typer.Option("--samples", min=100, max=10_000_000, help="Points on each surface.")
    ] = 30_000,
    seed: SeedOption = 0,
    key: KeyOption = "density",
    result_key: Annotated[
        str, typer.Option("--result-key", metavar="NAME", help="Which array of RESULT.", rich_help_panel=PANEL)
    ] = "density",
    frame: FrameOption = None,
    result_frame: Annotated[
        int | None,
        typer.Option("--result-frame", min=0, metavar="N", help="Which volume of RESULT.", rich_help_panel=PANEL),
    ] = None,
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    colormap: Annotated[
        str | None,
        typer.Option(metavar="NAME", rich_help_panel=IN_COLOURS, help="Its colours; unless given, as in the run."),
    ] = None,
    opacity: Annotated[
        str | None,
        typer.Option(metavar="KIND", rich_help_panel=IN_COLOURS, help="linear, exponential, or points."),
    ] = None,
    strength: Annotated[
        float | None,
        typer.Option(
            min=0.001, max=1.0, callback=a_number("--strength"), rich_help_panel=IN_COLOURS,
            metavar="FLOAT", help="Opacity of the greatest value.",
        ),
    ] = None,
    window: Annotated[
        str | None,
        typer.Option(metavar="LOW,HIGH", rich_help_panel=IN_COLOURS, help="Values at both ends of the colormap."),
    ] = None,
    backend: BackendOption = "auto",
    json: JsonOption = False,
    fail_if: FailIfOption = None,
) -> None:  # fmt: skip
    """Measure meshes or volumes against their reference: unseen views, distances, soundness; PSNR and SSIM.

    Of a run's folder it is known what its cameras saw, and what they did not is told apart. A volume in colours is
    compared by pictures from unseen views, a reference of plain values under the run's transfer function. --key and
    --frame choose in REFERENCE, --result-key and --result-frame in RESULT; --shape and --dtype are of .raw files.
    """
    from invrender.cli.runs import gates_of
    from invrender.evaluate.compare import Measures
    from invrender.run.gates import check_gates

    gates = gates_of(fail_if)
    results, reference = _divided(paths)
    look = _look(colormap, opacity, strength, window)
    how = Measures(backend, views, size, samples, seed, look)
    wanted = Chosen(reference, key, frame, shape, dtype)
    judged = [_judge(Chosen(each, result_key, result_frame, shape, dtype), wanted, how) for each in results]
    _show(judged, reference, json)
    for _, each in judged:
        check_gates(gates, vars(each.metrics))


def _divided(paths: list[Path]) -> tuple[list[Path], Path]:
    from invrender.errors import UsageError

    if len(paths) < 2:
        raise UsageError(
            f"there is no REFERENCE to compare {paths[0]} with", "name it last: invrender evaluate RESULT REFERENCE"
        )
    return paths[:-1], paths[-1]


def _look(colormap: str | None, opacity: str | None, strength: float | None, window: str | None) -> Look | None:
    """The transfer function that the options name; None: they say nothing."""
    from invrender.evaluate.run_look import Look

    given: dict[str, Any] = {"colormap": colormap, "opacity": opacity, "strength": strength}
    given |= {"window": window_of(window)}
    said = {name: value for name, value in given.items() if value is not None}
    return Look(**said) if said else None


@dataclass(frozen=True)
class Chosen:
    """A path of the command line, and which volume of it."""

    path: Path
    key: str
    frame: int | None
    shape: str | None
    dtype: str | None

    @property
    def file(self) -> Path:
        """The file that is measured; of a run that found a transfer function, that."""
        from invrender.io.assets import mesh_file, volume_file
        from invrender.render.transfer_file import FILE

        volume = volume_file(self.path)
        found = self.path / FILE
        return volume or (found if found.is_file() else mesh_file(self.path))

    @property
    def is_mesh(self) -> bool:
        """Whether that is no volume; it is not read for that."""
        from invrender.io.assets import volume_file
        from invrender.render.transfer_file import FILE

        return volume_file(self.path) is None and not (self.path / FILE).is_file()

    def read(self, beside_raw: bool) -> Asset:
        """The mesh, the volume, or the volume with the transfer function that was found for it.

        Args:
            beside_raw: whether the other one is a .raw file, which the shape then is of.
        """
        from invrender.evaluate.run_look import found_look
        from invrender.io.assets import volume_file
        from invrender.io.meshes.read import read_mesh

        if volume_file(self.path) is None:
            return found_look(self.path) or read_mesh(self.file)
        raw = self.file.suffix.lower() == ".raw"
        given = (self.shape, self.dtype) if raw or not beside_raw else (None, None)
        return VolumeFile(self.file, self.key, *given, self.frame).read()


def _judge(result: Chosen, reference: Chosen, how: Measures) -> tuple[Path, Judged]:
    """What was measured of one result, and the file that was."""
    from invrender.evaluate.compare import judged
    from invrender.evaluate.run_look import asset_look
    from invrender.methods.input_views import input_cameras
    from invrender.run.place import settle

    settle(result.path)
    settle(reference.path)
    source, target = result.file, reference.file
    _check_kinds(source, target, result.is_mesh, reference.is_mesh)
    found = result.read(beside_raw=target.suffix.lower() == ".raw")
    wanted = reference.read(beside_raw=source.suffix.lower() == ".raw")
    if how.look is None:
        how = replace(how, look=asset_look(result.path))
    if result.is_mesh and result.path.is_dir():
        cameras, why = input_cameras(result.path, how.backend)
        how = replace(how, seen_by=cameras)
        if cameras is None:
            console.print(f"what the run's cameras saw is not told apart: {why}", markup=False)
    return source, judged(found, wanted, how)


def _check_kinds(result: Path, reference: Path, mesh: bool, like: bool) -> None:
    """Refuse a mesh and a volume side by side."""
    from invrender.errors import UsageError

    if mesh != like:
        kinds = ("a mesh", "a volume") if mesh else ("a volume", "a mesh")
        raise UsageError(
            f"{result.name} is {kinds[0]}, and {reference.name} is {kinds[1]}",
            "compare two meshes, or compare two volumes (`invrender inspect` tells what a file is)",
        )


def _show(judged: list[tuple[Path, Judged]], reference: Path, json: bool) -> None:
    """One result as rows, several as a table; as JSON a table, or a list of them."""
    from invrender.cli.evaluate_tables import show_one, show_several

    if json:
        tables = [
            {"result": source, "reference": reference, "comparison": each.comparison, **vars(each.metrics)}
            for source, each in judged
        ]
        print_json(tables[0] if len(tables) == 1 else tables)
        return
    if len(judged) == 1:
        source, one = judged[0]
        show_one(vars(one.metrics), f"{source.name} against {reference.name}", one.comparison)
        return
    names = [str(source.parent if source.parent.joinpath("run.json").is_file() else source) for source, _ in judged]
    show_several(
        names, [vars(each.metrics) for _, each in judged], f"against {reference.name}", judged[0][1].comparison
    )
