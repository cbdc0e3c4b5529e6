"""compare.png and compare.json: the solvers of a comparison in one picture and in one table."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from invrender.io.files.atomic import atomic_path, atomic_write_text
from invrender.methods.transmittance.comparison import Compared, Comparison
from invrender.report.difference import enlarged
from invrender.report.lettering import Panel, Picture, framed
from invrender.run.folder import RunFolder

Tensor = torch.Tensor

PNG, JSON = "compare.png", "compare.json"
SIDE = 260  # of a panel, in pixels
WHITE = 0.999  # quantile of the reference, or the run's own, that is white
ZOOM = 3  # times a slice is enlarged in its busiest part
OFF = 0.1  # of the window: a difference that is fully red or blue


def write_comparison(run: RunFolder, comparison: Comparison) -> None:
    """Write both files."""
    with atomic_path(run.file(PNG)) as temporary:
        Image.fromarray(picture(comparison)).save(temporary, format="PNG")
    atomic_write_text(run.file(JSON), json.dumps(table(comparison), indent=1) + "\n")


def table(comparison: Comparison) -> dict[str, Any]:
    """What compare.json holds, and metrics.json as `compare`."""
    rows = {
        each.solver: {
            key: float(f"{value:.5g}")
            for key, value in (
                ("psnr", each.psnr), ("ssim", each.ssim), ("misfit", each.misfit), ("held_out_misfit", each.held_out),
                ("cpu_seconds", each.seconds), ("passes", float(each.passes)),
            )
            if value is not None
        }
        for each in comparison.rows
    }  # fmt: skip
    found: dict[str, Any] = {"solvers": rows, "slice": comparison.height}
    if comparison.kept:
        found["views_kept_apart"] = list(comparison.kept)
    if comparison.left_out:
        found["left_out"] = comparison.left_out
    return found


def summary(solvers: dict[str, dict[str, float]]) -> list[tuple[str, str]]:
    """A line for each solver."""
    return [(f"  {name}", ", ".join(_told(values))) for name, values in solvers.items()]


def _told(values: dict[str, float]) -> list[str]:
    parts = []
    if "psnr" in values:
        parts.append(f"PSNR {values['psnr']:.2f} dB, SSIM {values['ssim']:.4f}")
    if "held_out_misfit" in values:
        parts.append(f"views kept apart {values['held_out_misfit']:.2%} off")
    parts.append(f"views {values['misfit']:.2%} off")
    parts.append(f"{values['cpu_seconds']:.1f} s of CPU, {values['passes']:.0f} passes")
    return parts


def picture(comparison: Comparison) -> Picture:
    """[H,W,3] uint8: a column for each solver; its slice, its busiest part, and the difference from the reference."""
    first = comparison.rows[-1].picture if comparison.reference is None else comparison.reference
    white = float(torch.quantile(first.double().flatten(), WHITE))
    window = white if white > 0 else 1.0
    columns: list[tuple[str, Tensor]] = [(_label(each), each.picture) for each in comparison.rows]
    if comparison.reference is not None:
        columns.append(("reference", comparison.reference))
    top, left, side = busiest(first)
    whole = [Panel(_scaled(grey(slice_, window)), label) for label, slice_ in columns]
    near = [Panel(_scaled(grey(slice_[top : top + side, left : left + side], window))) for _, slice_ in columns]
    panels = [*whole, *near]
    caption = f"slice {comparison.height}, 0 to {window:.3g}"
    if comparison.reference is not None:
        panels += [Panel(_scaled(signed(slice_ - comparison.reference, OFF * window))) for _, slice_ in columns]
        caption += f"; below: differences from the reference, red above, blue below, full at {OFF:.0%} of the window"
    return framed(panels, caption, columns=len(columns), side=SIDE)


def _label(row: Compared) -> str:
    if row.psnr is not None:
        return f"{row.solver}: {row.psnr:.1f} dB"
    return f"{row.solver}: {row.misfit if row.held_out is None else row.held_out:.2%} off"


def busiest(slice_: Tensor) -> tuple[int, int, int]:
    """Top, left and side of the square in a slice [H,W] that holds most edges, a part `ZOOM` of its shorter side."""
    side = max(2, min(slice_.shape) // ZOOM)
    across, down = slice_.diff(dim=1).abs()[:-1], slice_.diff(dim=0).abs()[:, :-1]
    sums = torch.nn.functional.avg_pool2d((across + down)[None, None].float(), max(1, side - 1), 1)[0, 0]
    top, left = (int(i) for i in torch.unravel_index(sums.argmax(), sums.shape))
    return top, left, side


def grey(slice_: Tensor, window: float) -> Picture:
    """A slice as grey [H,W,3], y upwards."""
    share = (slice_ / window).clamp(0, 1).flip(0)[..., None].expand(-1, -1, 3)
    return _bytes(share.numpy())


def signed(difference: Tensor, most: float) -> Picture:
    """Differences as red above and blue below 0, on white, [H,W,3]."""
    share = (difference / most).clamp(-1, 1).flip(0)
    red, blue = share.clamp(min=0), (-share).clamp(min=0)
    return _bytes(torch.stack([1 - blue, 1 - red - blue, 1 - red], -1).numpy())


def _bytes(shares: NDArray[Any]) -> Picture:
    return np.asarray((shares * 255).round(), np.uint8)


def _scaled(picture: Picture) -> Picture:
    return enlarged(picture, SIDE)
