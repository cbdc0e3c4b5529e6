"""`invrender evaluate`: measure a result against its reference, as a table or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import (
    BackendOption,
    FailIfOption,
    JsonOption,
    SeedOption,
    SizeFlag,
    ViewsFlag,
    output,
    print_json,
)
from invrender.cli.volume_options import DtypeOption, FrameOption, KeyOption, ShapeOption, VolumeFile

if TYPE_CHECKING:
    from invrender.evaluate.mesh import MeshMetrics
    from invrender.evaluate.volume import VolumeMetrics
    from invrender.nouns import Mesh, Volume


def evaluate(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A mesh or volume file, or a run folder.")],
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="What to compare with, in the same frame.")],
    views: ViewsFlag = None,
    size: SizeFlag = None,
    samples: Annotated[
        int, typer.Option("--samples", min=100, max=10_000_000, help="Points on each surface.")
    ] = 30_000,
    seed: SeedOption = 0,
    key: KeyOption = "density",
    result_key: Annotated[
        str, typer.Option("--result-key", metavar="NAME", help="Which array of RESULT.", rich_help_panel="Volumes")
    ] = "density",
    frame: FrameOption = None,
    result_frame: Annotated[
        int | None,
        typer.Option("--result-frame", min=0, metavar="N", help="Which volume of RESULT.", rich_help_panel="Volumes"),
    ] = None,
    shape: ShapeOption = None,
    dtype: DtypeOption = None,
    backend: BackendOption = "auto",
    json: JsonOption = False,
    fail_if: FailIfOption = None,
) -> None:
    """Measure a mesh or a volume against its reference: unseen views, distances, soundness; PSNR and SSIM of a grid.

    --key and --frame choose in REFERENCE, --result-key and --result-frame in RESULT; --shape and --dtype are of .raw
    files.
    """
    from invrender.cli.runs import gates_of
    from invrender.evaluate.compare import evaluate as measure
    from invrender.evaluate.mesh import MeshMetrics
    from invrender.io.assets import mesh_file, volume_file
    from invrender.io.meshes.read import read_mesh
    from invrender.run.gates import check_gates
    from invrender.run.place import settle

    gates = gates_of(fail_if)
    settle(result)
    settle(reference)
    volume, like = volume_file(result), volume_file(reference)
    source = mesh_file(result) if volume is None else volume
    target = mesh_file(reference) if like is None else like
    _check_kinds(source, target, volume is not None, like is not None)

    def load(file: VolumeFile) -> Mesh | Volume:
        return read_mesh(file.path) if volume is None else file.read()

    raw = source.suffix.lower() == ".raw" and target.suffix.lower() != ".raw"  # then the result needs the shape
    plain = (None, None) if raw else (shape, dtype)
    given = (shape, dtype) if source.suffix.lower() == ".raw" else (None, None)
    found = load(VolumeFile(source, result_key, *given, result_frame))
    wanted = load(VolumeFile(target, key, *plain, frame))
    metrics = measure(found, wanted, backend=backend, views=views, size=size, samples=samples, seed=seed)
    if json:
        print_json({"result": source, "reference": target, **vars(metrics)})
    else:
        rows = _rows(metrics) if isinstance(metrics, MeshMetrics) else _volume_rows(metrics)
        _print_rows(rows, f"{source.name} against {target.name}")
    check_gates(gates, vars(metrics))


def _check_kinds(result: Path, reference: Path, volume: bool, like: bool) -> None:
    """Refuse a mesh and a volume side by side."""
    from invrender.errors import UsageError

    if volume != like:
        kinds = ("a mesh", "a volume") if like else ("a volume", "a mesh")
        raise UsageError(
            f"{result.name} is {kinds[0]}, and {reference.name} is {kinds[1]}",
            "compare two meshes, or compare two volumes (`invrender inspect` tells what a file is)",
        )


def _print_rows(rows: list[tuple[str, str]], title: str) -> None:
    from rich.table import Table

    table = Table(title=title, title_justify="left", show_header=False)
    table.add_column("measure")
    table.add_column("value", justify="right")
    for name, value in rows:
        table.add_row(name, value)
    output.print(table)


def _rows(m: MeshMetrics) -> list[tuple[str, str]]:
    return [
        ("silhouette IoU, mean of held-out views", f"{m.iou:.4f}"),
        ("silhouette IoU, worst view", f"{m.iou_min:.4f}"),
        ("Chamfer, % of the diagonal", _percent(m.chamfer)),
        ("Chamfer of what is visible from outside, %", _percent(m.chamfer_visible)),
        ("F-score at 1 %", f"{m.f1:.4f}"),
        ("F-score at 0.5 %", f"{m.f05:.4f}"),
        ("normal consistency", f"{m.normal_consistency:.4f}"),
        ("watertight", "yes" if m.watertight else "no"),
        ("components", str(m.components)),
        ("genus", "- (not watertight)" if m.genus is None else f"{m.genus:g}"),
        ("self-intersecting face pairs", str(m.self_intersections)),
        ("vertices, faces", f"{m.vertices}, {m.faces}"),
        ("degenerate faces", str(m.degenerate_faces)),
    ]


def _volume_rows(m: VolumeMetrics) -> list[tuple[str, str]]:
    unseen = (
        "- (negative values, or neither density nor colours)" if m.heldout_psnr is None else f"{m.heldout_psnr:.2f}"
    )
    worst = "-" if m.heldout_psnr_worst is None else f"{m.heldout_psnr_worst:.2f}"
    return [
        ("PSNR of the grid, dB", f"{m.psnr:.2f}"),
        ("relative L2", f"{m.relative_l2:.5f}"),
        ("SSIM, 3-D", f"{m.ssim:.5f}"),
        ("PSNR of unseen views, dB", unseen),
        ("the same, worst view", worst),
        ("values", f"{m.least:.5g} to {m.greatest:.5g}"),
        ("greatest value of the reference", f"{m.reference_greatest:.5g}"),
        ("resampled to the reference's grid", "yes" if m.resampled else "no"),
    ]


def _percent(fraction: float | None) -> str:
    return "- (no surface)" if fraction is None else f"{100 * fraction:.4f}"
