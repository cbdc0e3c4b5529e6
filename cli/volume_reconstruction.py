"""The part of `invrender reconstruct` that makes volumes: its options, its run and its summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.job import Call, Method, refuse, run_job
from invrender.cli.options import check_at_least, check_choice

if TYPE_CHECKING:
    from invrender.methods.transmittance.task import Task, VolumeSettings

METHODS = ("transmittance",)
SOLVERS = ("fista", "sirt", "cgls", "adam")
FIELDS = ("grid", "neural")
PANEL = "Volumes"

SolverFlag = Annotated[
    str | None,
    typer.Option("--solver", metavar="|".join(SOLVERS), help="What solves for the density.", rich_help_panel=PANEL),
]
FieldFlag = Annotated[
    str | None,
    typer.Option(
        "--field",
        metavar="|".join(FIELDS),
        help="What the density is: samples, or a small network on a latent grid.",
        rich_help_panel=PANEL,
    ),
]
NoiseFlag = Annotated[
    str | None,
    typer.Option(
        "--noise",
        metavar="float|8bit|poisson:PHOTONS",
        help="How the pixels err; an asset's views are given that noise.",
        rich_help_panel=PANEL,
    ),
]
ExtinctionFlag = Annotated[
    str | None,
    typer.Option(
        "--extinction", metavar="auto|NUMBER", help="Factor on an asset's values in its views.", rich_help_panel=PANEL
    ),
]
BoundsFlag = Annotated[
    str | None,
    typer.Option(
        "--bounds", metavar="X0,Y0,Z0,X1,Y1,Z1", help="Box of the grid, for a dataset.", rich_help_panel=PANEL
    ),
]
GridFlag = Annotated[
    str | None,
    typer.Option("--grid", metavar="N|Z,Y,X", help="Samples of the grid, for a dataset.", rich_help_panel=PANEL),
]


def is_volume_job(method: str | None, source: Path | None, config: Path | None) -> bool:
    """Whether volumes are meant: by --method, by the settings file's method, or else by the input."""
    if method is not None:
        return method in METHODS
    named = method_of(config)
    if named is not None:
        return named in METHODS
    if source is None:
        return False
    from invrender.methods.transmittance.task import is_for_volumes

    return is_for_volumes(source)


def method_of(config: Path | None) -> str | None:
    """The method that a settings file names, if any."""
    if config is None or not config.is_file():
        return None
    text = config.read_text(encoding="utf-8", errors="replace")
    lines = [line.partition("=") for line in text.splitlines()]
    return next((value.strip().strip("\"'") for key, _, value in lines if key.strip() == "method"), None)


def reconstruct_volume(call: Call) -> None:
    """Reconstruct a density from transmittance."""
    from invrender.backends.select_volume import select_volume
    from invrender.methods.transmittance.task import PRESETS, VolumeSettings, execute, load

    flags = dict(call.flags)
    refuse(flags, ("masks", "init"), "goes with --method silhouette")
    if flags["solver"] is not None:
        check_choice("--solver", flags["solver"], SOLVERS)
    if flags["field"] is not None:
        check_choice("--field", flags["field"], FIELDS)
    flags["bounds"], flags["grid"] = numbers("--bounds", flags["bounds"]), numbers("--grid", flags["grid"])
    method = Method(
        settings=VolumeSettings,
        presets=PRESETS,
        check=_check,
        select=select_volume,
        load=load,
        describe=_describe,
        execute=execute,
        rows=_rows,
        files=lambda _: "volume.npz, volume.vti",
        inputs="a volume, or a dataset folder of transmittance images",
    )
    run_job(method, replace(call, flags=flags))


def _check(settings: VolumeSettings) -> None:
    if settings.iterations is not None:
        check_at_least("--iterations", settings.iterations, 1)
    check_at_least("smoothing", settings.smoothing or 0.0, 0)


def _describe(task: Task) -> str:
    depth, height, width = task.shape
    return f"{len(task.measurement.cameras)} views, grid of {width} x {height} x {depth}"


def numbers(name: str, text: str | None) -> list[float] | None:
    """The numbers of an option such as --bounds, with commas between them."""
    from invrender.errors import UsageError

    if text is None:
        return None
    try:
        return [float(part) for part in text.split(",")]
    except ValueError as error:
        raise UsageError(f"{name} is {text!r}", "give numbers with commas between them") from error


def _rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    rows = [("PSNR of the input's views", decibels(m["views_psnr"]))]
    if m["saturated_pixels"]:
        rows.append(("saturated pixels left out", str(m["saturated_pixels"])))
    if "psnr" in m:
        rows += [
            ("against the asset: PSNR", decibels(m["psnr"])),
            ("relative L2 error, SSIM", f"{m['relative_l2']:.5f}, {m['ssim']:.4f}"),
            ("PSNR of unseen views", f"{decibels(m['heldout_psnr'])} (worst {decibels(m['heldout_psnr_worst'])})"),
        ]
    rows.append(("extinction, smoothing", f"{m['extinction']:.4g}, {m['smoothing']:.2g}"))
    return rows


def decibels(value: float | None) -> str:
    """A PSNR for people; None is an infinite one."""
    return "exact" if value is None else f"{value:.2f} dB"
