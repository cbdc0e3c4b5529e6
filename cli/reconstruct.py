"""`invrender reconstruct`: an asset or a dataset in, a mesh and its run folder out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.job import Call, Method, refuse, run_job
from invrender.cli.options import (
    BackendFlag,
    CamerasFlag,
    ConfigOption,
    DeviceFlag,
    DistanceFlag,
    DryRunOption,
    ElevationFlag,
    FovFlag,
    IterationsFlag,
    JsonOption,
    OverwriteOption,
    PresetFlag,
    QuietOption,
    SeedFlag,
    SetOption,
    SizeFlag,
    ViewsFlag,
    check_at_least,
    check_choice,
)
from invrender.cli.volume_colours import METHOD as COLOUR_METHOD
from invrender.cli.volume_colours import KnownFlag, reconstruct_colours
from invrender.cli.volume_reconstruction import METHODS as VOLUME_METHODS
from invrender.cli.volume_reconstruction import (
    BoundsFlag,
    ExtinctionFlag,
    FieldFlag,
    GridFlag,
    NoiseFlag,
    SolverFlag,
    is_volume_job,
    method_of,
    reconstruct_volume,
)

if TYPE_CHECKING:
    from invrender.methods.silhouette.task import ReconstructSettings, Task

METHODS = ("silhouette", *VOLUME_METHODS, COLOUR_METHOD)


def reconstruct(
    source: Annotated[
        Path | None,
        typer.Argument(
            metavar="INPUT", help="A mesh, a volume, or a dataset folder (transforms.json, COLMAP). Or from --config."
        ),
    ] = None,
    folder: Annotated[Path | None, typer.Option("--output", "-o", metavar="DIR", help="The run folder.")] = None,
    method: Annotated[
        str | None, typer.Option("--method", metavar="|".join(METHODS), help="What to learn from.")
    ] = None,
    views: ViewsFlag = None,
    cameras: CamerasFlag = None,
    size: SizeFlag = None,
    masks: Annotated[
        Path | None, typer.Option("--masks", metavar="DIR", help="Masks for a dataset, by the images' names.")
    ] = None,
    init: Annotated[
        str | None, typer.Option("--init", metavar="hull|sphere|FILE", help="What refinement starts from.")
    ] = None,
    iterations: IterationsFlag = None,
    preset: PresetFlag = None,
    elevation: ElevationFlag = None,
    distance: DistanceFlag = None,
    fov: FovFlag = None,
    backend: BackendFlag = None,
    device: DeviceFlag = None,
    seed: SeedFlag = None,
    config: ConfigOption = None,
    assignments: SetOption = None,
    dry_run: DryRunOption = False,
    overwrite: OverwriteOption = False,
    json: JsonOption = False,
    quiet: QuietOption = False,
    field: FieldFlag = None,
    solver: SolverFlag = None,
    noise: NoiseFlag = None,
    extinction: ExtinctionFlag = None,
    bounds: BoundsFlag = None,
    grid: GridFlag = None,
    known: KnownFlag = None,
) -> None:
    """Reconstruct a mesh from silhouettes, or a volume from transmittance or colours.

    INPUT is a mesh or a volume, whose own views are rendered and which then serves the metrics alone, or a folder of
    posed images with masks, or of transmittance.
    """
    from invrender.errors import UsageError

    flags = {
        "input": source, "method": method, "views": views, "cameras": cameras, "size": size, "masks": masks,
        "init": init, "iterations": iterations, "preset": preset, "elevation": elevation, "distance": distance,
        "fov": fov, "backend": backend, "device": device, "seed": seed,
    }  # fmt: skip
    if method is not None:
        check_choice("--method", method, METHODS)
    volume_flags = {
        "field": field,
        "solver": solver,
        "noise": noise,
        "extinction": extinction,
        "bounds": bounds,
        "grid": grid,
    }
    call = Call(flags | volume_flags, folder, config, assignments or [], dry_run, overwrite, json, quiet)
    if (method or method_of(config)) == COLOUR_METHOD:
        reconstruct_colours(replace(call, flags=call.flags | {"known": known}))
        return
    if known is not None:
        raise UsageError("--known goes with --method volume", "leave --known out, or add --method volume")
    if is_volume_job(method, source, config):
        reconstruct_volume(call)
        return
    refuse(call.flags, tuple(volume_flags), "goes with --method transmittance")
    run_job(_silhouette(), call)


def _silhouette() -> Method:
    from invrender.backends import select
    from invrender.methods.silhouette.task import PRESETS, ReconstructSettings, execute, load

    return Method(
        settings=ReconstructSettings,
        presets=PRESETS,
        check=_check,
        select=select,
        load=load,
        describe=_describe,
        execute=execute,
        rows=_rows,
        files=lambda _: "mesh.glb, mesh.ply, turntable.gif",
        inputs="a mesh or a dataset folder, such as: invrender reconstruct data/mug.glb",
    )


def _check(settings: ReconstructSettings) -> None:
    check_at_least("--iterations", settings.iterations, 0)
    for name in ("edge_pixels", "rate", "distance"):
        check_at_least(name, getattr(settings, name), 1e-3)
    for name in ("bending", "diffusion", "smoothness"):
        check_at_least(name, getattr(settings, name) or 0.0, 0)
    if settings.hull_resolution is not None:
        check_at_least("hull_resolution", settings.hull_resolution, 8)


def _describe(task: Task) -> str:
    height, width = task.views.cameras.size
    return f"{len(task.views.cameras)} views of {width} x {height}"


def _rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("IoU with the input's masks", f"{m['views_iou']:.4f}")]
    if m.get("held_out_iou") is not None:
        rows.append(
            ("IoU with views left out", f"{m['held_out_iou']:.4f} (hull alone {m['held_out_iou_of_hull']:.4f})")
        )
    if "chamfer" in m:
        rows += [
            ("against the asset: IoU of unseen views", f"{m['iou']:.4f}"),
            ("Chamfer, % of the diagonal", f"{100 * m['chamfer']:.3f} (visible {100 * m['chamfer_visible']:.3f})"),
            ("F-score at 1 %, 0.5 %", f"{m['f1']:.3f}, {m['f05']:.3f}"),
        ]
    sound = "watertight" if m["watertight"] else "NOT watertight"
    handles = "" if m["genus"] is None else f", genus {m['genus']:g}"
    rows.append(("mesh", f"{m['faces']} triangles, {sound}{handles}, {m['self_intersections']} self-intersections"))
    if m["result"] == "hull":
        rows.append(("note", "the visual hull was kept: refinement did not predict unseen views better"))
    return rows
