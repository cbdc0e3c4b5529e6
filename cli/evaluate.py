"""`invrender evaluate`: measure a result against its reference, as a table or as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invrender.cli.options import BackendOption, JsonOption, SeedOption, SizeFlag, ViewsFlag, output, print_json
from invrender.cli.volume_options import KeyOption, VolumeFile, volume_result

if TYPE_CHECKING:
    from invrender.evaluate.mesh import MeshMetrics
    from invrender.evaluate.volume import VolumeMetrics

MESH_VIEWS, MESH_SIZE = 16, 256
VOLUME_VIEWS, VOLUME_SIZE = 8, 128
RESULTS = ("mesh.ply", "mesh.glb")


def evaluate(
    result: Annotated[Path, typer.Argument(metavar="RESULT", help="A mesh or volume file, or a run folder.")],
    reference: Annotated[Path, typer.Argument(metavar="REFERENCE", help="What to compare with, in the same frame.")],
    views: ViewsFlag = None,
    size: SizeFlag = None,
    samples: Annotated[int, typer.Option("--samples", min=100, help="Points on each surface.")] = 30_000,
    seed: SeedOption = 0,
    key: KeyOption = "density",
    backend: BackendOption = "auto",
    json: JsonOption = False,
) -> None:
    """Measure a mesh or a volume against its reference: unseen views, distances, soundness; PSNR and SSIM of a grid."""
    found = volume_result(result)
    if found is not None:
        _evaluate_volume(VolumeFile(found, key), reference, views or VOLUME_VIEWS, size or VOLUME_SIZE, backend, json)
        return
    from invrender.backends import select
    from invrender.evaluate.mesh import mesh_metrics
    from invrender.io.meshes.read import read_mesh

    views, size = views or MESH_VIEWS, size or MESH_SIZE
    source, target = mesh_file(result), mesh_file(reference)
    metrics = mesh_metrics(read_mesh(source), read_mesh(target), select(backend), views, size, samples, seed)
    if json:
        print_json({"result": source, "reference": target, **vars(metrics)})
    else:
        _print_rows(_rows(metrics), f"{source.name} against {target.name}")


def _evaluate_volume(result: VolumeFile, reference: Path, views: int, size: int, backend: str, json: bool) -> None:
    from invrender.backends.select_volume import select_volume
    from invrender.errors import UsageError
    from invrender.evaluate.volume import volume_metrics

    target = volume_result(reference)
    if target is None:
        raise UsageError(f"{result.path.name} is a volume, and {reference.name} is none", "compare two volumes")
    metrics = volume_metrics(result.read(), VolumeFile(target, result.key).read(), select_volume(backend), views, size)
    if json:
        print_json({"result": result.path, "reference": target, **vars(metrics)})
    else:
        _print_rows(_volume_rows(metrics), f"{result.path.name} against {target.name}")


def mesh_file(path: Path) -> Path:
    """The mesh that a path means: the file itself, or the result in a run folder.

    Raises:
        InputError: the folder holds no result.
    """
    from invrender.errors import InputError

    if not path.is_dir():
        return path
    found = [path / name for name in RESULTS if (path / name).is_file()]
    if not found:
        raise InputError(
            f"the folder {path} holds no {' or '.join(RESULTS)}",
            "name a mesh file, or the folder of a finished `invrender reconstruct`",
        )
    return found[0]


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
    unseen = "- (negative values)" if m.heldout_psnr is None else f"{m.heldout_psnr:.2f}"
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
