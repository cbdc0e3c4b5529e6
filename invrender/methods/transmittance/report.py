"""What a run from transmittance reports: metrics, files and the lines of the summary."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import torch

from invrender.evaluate.volume import decibel, volume_metrics
from invrender.io.volumes.field import NAME as FIELD
from invrender.io.volumes.field import write_field
from invrender.io.volumes.write import write_volume
from invrender.kernels import Backend
from invrender.methods.inputs import decibels
from invrender.methods.transmittance.budget import is_large
from invrender.methods.transmittance.comparison_report import PNG, summary, table, write_comparison
from invrender.methods.transmittance.measurement import Measurement
from invrender.methods.transmittance.outputs import write_outputs
from invrender.methods.transmittance.task import Result, Task
from invrender.nouns import Cameras, Volume
from invrender.render.absorption import optical_depth
from invrender.run.folder import RunFolder

Tensor = torch.Tensor

FIELD_OF_VIEW = "field_of_view.npz"

AT_ONCE = 16  # views that are projected at a time: more need memory alone


def asset(task: Task, result: Result) -> Volume:
    """The density in the units of the input."""
    placement = None if task.reference is None else task.reference.placement
    units = None if task.reference is None else task.reference.units
    return Volume((result.density / task.extinction).cpu()[None], task.bounds, "density", units, placement)


def measure(task: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds: the fit to the input's views, how it was made, and the distance from the reference."""
    data, volume = task.measurement, asset(task, result)
    clamped, errors, residuals = Volume(volume.values.clamp(min=0), volume.bounds), 0.0, []
    for view in range(0, len(data.cameras), AT_ONCE):
        part = data.some(slice(view, view + AT_ONCE))
        shown = torch.exp(-task.extinction * _depths(clamped, part.cameras, backend))
        difference = (shown - torch.exp(-part.depth)) * (part.weight > 0)
        errors += float(difference.double().square().sum())
        residuals += view_residuals(part, -shown.clamp(min=1e-30).log())
    metrics: dict[str, Any] = {
        "views": len(data.cameras),
        "views_psnr": _finite(decibel(1.0, errors / data.depth.numel())),
        "view_residuals": {data.name(i): float(f"{share:.4g}") for i, share in enumerate(residuals)},
        "extinction": task.extinction,
        "noise": dataclasses.asdict(data.noise),
        "smoothing": result.smoothing,
        "held_out_misfit": {f"{weight:.3g}": score for weight, score in result.scores.items()},
        "support": result.support,
        "carving": "tight" if result.tight else "wide",
        "saturated_pixels": data.masked,
        "samples": result.samples,
    }
    if task.outputs.names:
        metrics["also_written"] = list(task.outputs.names)
    if result.field is not None:
        metrics["field"] = "neural"
    if task.field_of_view is not None:
        metrics["field_of_view"] = float(task.field_of_view.double().mean())
    if result.comparison is not None:
        metrics["compare"] = table(result.comparison)
    if task.reference is not None:
        against = volume_metrics(volume, task.reference, backend)
        metrics |= {key: _finite(value) for key, value in dataclasses.asdict(against).items() if key != "extinction"}
    return metrics


def _depths(volume: Volume, cameras: Cameras, backend: Backend) -> Tensor:
    """Optical depths [N,H,W]: exact, or of large grids by the solver's projector, a fifth of the time."""
    if not is_large(volume.shape):
        return optical_depth(volume, cameras, backend)
    rays = backend.joseph_rays(volume.shape, volume.bounds.to(backend.device), cameras)
    depths = torch.zeros(len(cameras) * cameras.size[0] * cameras.size[1])
    depths[rays.pixels.cpu()] = rays.forward(volume.values[0].to(backend.device)).cpu()
    return depths.reshape(len(cameras), *cameras.size)


def view_residuals(data: Measurement, depth: Tensor) -> list[float]:
    """What each view's optical depths differ by from those of a density, as a share of them; noise is taken off."""
    squares = data.weight.double() * (depth.cpu() - data.depth).double().square()
    noise = data.noise.deviation**2 * (data.weight > 0)
    size = (data.weight.double() * data.depth.double().square()).sum((1, 2)).clamp(min=1e-30)
    shares: list[float] = ((squares - noise).sum((1, 2)).clamp(min=0) / size).sqrt().tolist()
    return shares


def _finite(value: Any) -> Any:
    """None for the infinite PSNR of equal images, which JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def write(run: RunFolder, task: Task, result: Result) -> None:
    """Write the density, and the field that it was read from."""
    volume = asset(task, result)
    write_volume(run.file("volume.npz"), volume)
    write_volume(run.file("volume.vti"), volume)
    write_outputs(run, volume, task.outputs)
    if result.field is not None:
        write_field(run.file(FIELD), result.field)
    if result.comparison is not None:
        write_comparison(run, result.comparison, task.field_of_view)
    if task.field_of_view is not None:
        write_volume(run.file(FIELD_OF_VIEW), Volume(task.field_of_view.float()[None], task.bounds, "field of view"))


def rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    lines = [("PSNR of the input's views", decibels(m["views_psnr"]))]
    worst = max(m["view_residuals"], key=m["view_residuals"].__getitem__)
    lines.append(("least explained view", f"{worst}: {m['view_residuals'][worst]:.2%} of its optical depths off"))
    if m["saturated_pixels"]:
        lines.append(("saturated pixels left out", str(m["saturated_pixels"])))
    if "psnr" in m:
        lines += [
            ("against the asset: PSNR", decibels(m["psnr"])),
            ("error relative to it (L2), SSIM", f"{m['relative_l2']:.5f}, {m['ssim']:.4f}"),
            (
                "PSNR of views from new directions",
                f"{decibels(m['heldout_psnr'])} (worst {decibels(m['heldout_psnr_worst'])})",
            ),
        ]
    if m["carving"] == "tight":
        lines.append(("carving", "tight: nothing within a cell of the object"))
    if "field_of_view" in m:
        lines.append(("field of view", f"{m['field_of_view']:.0%} of the grid: {FIELD_OF_VIEW}"))
    if "compare" in m:
        lines += [("solvers compared", "on the same views"), *summary(m["compare"]["solvers"])]
    lines.append(("factor on densities, smoothing used", f"{m['extinction']:.4g}, {m['smoothing']:.2g}"))
    return lines


def files(m: dict[str, Any]) -> str:
    """The main results."""
    more = [*m.get("also_written", []), *([FIELD] if "field" in m else []), *([PNG] if "compare" in m else [])]
    return ", ".join(["volume.npz", "volume.vti", *more])
