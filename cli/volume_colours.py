"""The part of `invrender reconstruct` that learns a volume from colours: its options, its run and its summary."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from invrender.cli.job import Call, Method, refuse, run_job
from invrender.cli.options import check_at_least
from invrender.cli.volume_reconstruction import decibels, numbers

if TYPE_CHECKING:
    from invrender.methods.volume_colour.task import ColourSettings, Task

METHOD = "volume"

KnownFlag = Annotated[
    Path | None,
    typer.Option(
        "--known",
        metavar="VOLUME",
        help="With --method volume: find this volume's transfer function.",
        rich_help_panel="Volumes",
    ),
]


def reconstruct_colours(call: Call) -> None:
    """Learn density and colour, or a transfer function, from colour views."""
    from invrender.backends.select_volume import select_volume
    from invrender.methods.volume_colour.task import PRESETS, ColourSettings, execute, load

    flags = dict(call.flags)
    refuse(flags, ("masks", "init", "field", "solver", "noise", "extinction"), "does not go with --method volume")
    flags["bounds"], flags["grid"] = numbers("--bounds", flags["bounds"]), numbers("--grid", flags["grid"])
    method = Method(
        settings=ColourSettings,
        presets=PRESETS,
        check=_check,
        select=select_volume,
        load=load,
        describe=_describe,
        execute=execute,
        rows=_rows,
        files=_files,
        inputs="a volume, or a dataset folder of images with alpha",
    )
    run_job(method, replace(call, flags=flags))


def _check(settings: ColourSettings) -> None:
    for name, least in (("iterations", 1), ("rays", 1), ("rate", 1e-6), ("smoothing", 0)):
        check_at_least(f"--{name}" if name == "iterations" else name, getattr(settings, name), least)


def _describe(task: Task) -> str:
    depth, height, width = task.shape
    return f"{len(task.views.cameras)} views, grid of {width} x {height} x {depth}"


def _rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    left_out = decibels(m["heldout_psnr"]) if m["heldout_views"] else "- (too few views)"
    return [
        ("sought", m["sought"]),
        ("PSNR of the input's views", decibels(m["views_psnr"])),
        ("PSNR of views left out", left_out),
    ]


def _files(m: dict[str, Any]) -> str:
    return "transfer.json" if m["sought"] == "transfer function" else "volume.npz, volume.vti"
