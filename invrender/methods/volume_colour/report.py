"""What a run from colour views reports: metrics, files and the lines of the summary."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch

from invrender.evaluate.volume import decibel
from invrender.io.volumes.field import NAME as FIELD
from invrender.io.volumes.field import write_field
from invrender.io.volumes.write import write_volume
from invrender.kernels import Backend
from invrender.methods.inputs import decibels
from invrender.methods.volume_colour.task import StyledVolume, Task
from invrender.nouns import Views
from invrender.parameters.neural_field import LearnedField
from invrender.render.emission import render_volume
from invrender.render.transfer_file import FILE, write_transfer
from invrender.render.transfer_picture import write_transfer_picture
from invrender.run.folder import RunFolder


@dataclass(frozen=True)
class Result:
    """What was found, the last loss, and the field that was trained, if one was."""

    styled: StyledVolume
    loss: float
    field: LearnedField | None = None


def measure(task: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds: how well the input's views and those left out are predicted (RGB over black, alpha)."""
    return {
        **({} if result.field is None else {"field": "neural"}),
        "views": len(task.views.cameras),
        "views_psnr": _psnr(task.views, result.styled, backend),
        "heldout_views": 0 if task.unseen is None else len(task.unseen.cameras),
        "heldout_psnr": None if task.unseen is None else _psnr(task.unseen, result.styled, backend),
        "sought": "density and colour" if task.known is None else "transfer function",
        "loss": result.loss,
    }


def _psnr(views: Views, result: StyledVolume, backend: Backend) -> float | None:
    assert views.images is not None
    shown = render_volume(result.volume, views.cameras, result.style, backend).cpu()
    expected = torch.cat([views.images * views.masks[..., None], views.masks[..., None]], -1)
    value = decibel(1.0, float((shown - expected).double().square().mean()))
    return value if math.isfinite(value) else None


def write(run: RunFolder, task: Task, result: Result) -> None:
    """Write the volume and its field, or the transfer function, for `invrender render --transfer` and as a picture."""
    found = result.styled
    if task.known is None:
        write_volume(run.file("volume.npz"), found.volume)
        write_volume(run.file("volume.vti"), found.volume)
        if result.field is not None:
            write_field(run.file(FIELD), result.field)
    elif found.style.transfer is not None:
        write_transfer(run.file(FILE), found.style.transfer)
        write_transfer_picture(run.file("transfer.png"), found.style.transfer, task.known)


def rows(m: dict[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    left_out = decibels(m["heldout_psnr"]) if m["heldout_views"] else "- (too few views)"
    return [
        ("sought", m["sought"]),
        ("PSNR of the input's views", decibels(m["views_psnr"])),
        ("PSNR of views left out", left_out),
    ]


def files(m: dict[str, Any]) -> str:
    """The main results."""
    if m["sought"] == "transfer function":
        return f"{FILE}, transfer.png"
    return "volume.npz, volume.vti" + (f", {FIELD}" if "field" in m else "")
