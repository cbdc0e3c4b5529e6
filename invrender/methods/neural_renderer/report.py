"""What training reports: how good the network is on objects that it never saw, its curves, and pictures of both."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from invrender.cameras.rigs import evenly
from invrender.io.assets import NETWORK
from invrender.io.files.atomic import atomic_path
from invrender.io.network import write_network
from invrender.io.pairs.dataset import Split, decoded
from invrender.kernels import Backend
from invrender.methods.neural_renderer.objective import psnr
from invrender.methods.neural_renderer.pictures import sheet, shown_bytes
from invrender.methods.neural_renderer.task import Task
from invrender.networks.trained import TrainedNetwork
from invrender.run.folder import RunFolder
from invrender.run.losses_csv import read_losses
from invrender.run.place import LOSSES
from invrender.solve.minibatches import SCORE

Tensor = torch.Tensor

CURVES, PICTURES = "curves.png", "pictures.png"
SHOWN = 6  # samples of pictures.png
TIMED = 8  # pictures whose time is taken
BATCH = 8
AVERAGED = 256  # pictures to learn from whose mean is the picture that knows nothing


@dataclass(frozen=True)
class Result:
    """The network at its best, the step count at which training ended, and its last terms."""

    network: TrainedNetwork
    steps: int
    validation: float


def measured(task: Task) -> Split:
    """The samples to measure by."""
    return task.validation if task.test is None else task.test


@torch.no_grad()
def measure(task: Task, result: Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds."""
    split = measured(task)
    mean = _mean_picture(task.train)
    scores, baseline, similar = [], [], []
    for given, drawn in drawn_pairs(split, result.network, backend.device):
        scores.append(psnr(drawn, given))
        baseline.append(psnr(mean.expand_as(given), given))
        similar += [_ssim(a, b) for a, b in zip(given, drawn, strict=True)]
    known = [value for value in similar if value is not None]
    return {
        "network": task.architecture.network,
        "parameters": task.parameters,
        "measured_on": "validation" if task.test is None else "test",
        "pictures_measured": len(split),
        "psnr": float(torch.cat(scores).mean()),
        "ssim": float(np.mean(known)) if known else None,
        "mean_picture_psnr": float(torch.cat(baseline).mean()),
        "validation_psnr": result.validation,
        "milliseconds": _milliseconds(split, result.network, backend.device),
        "iterations": result.steps,
    }


def drawn_pairs(split: Split, network: TrainedNetwork, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
    """Pictures [B,C,H,W] of the data set and the network's own, batch after batch, on the CPU."""
    for batch in split.batches(BATCH):
        drawn = network.pictures(decoded(batch.voxels.to(device))).clamp(0, 1).cpu()
        yield decoded(batch.pictures).permute(0, 3, 1, 2), drawn.permute(0, 3, 1, 2)


def _mean_picture(split: Split) -> Tensor:
    """[C,H,W]: what a renderer would draw that knew nothing of the voxels."""
    chosen = evenly(len(split), AVERAGED)
    total = torch.zeros(split.layout.pictures)
    for sample in chosen:
        total += decoded(split.read([sample]).pictures)[0]
    return (total / len(chosen)).permute(2, 0, 1)


def _ssim(given: Tensor, drawn: Tensor) -> float | None:
    """Structural similarity (Wang et al. 2004); None of pictures that are smaller than its windows."""
    from skimage.metrics import structural_similarity

    if min(given.shape[1:]) < 7:
        return None
    return float(structural_similarity(given.numpy(), drawn.numpy(), channel_axis=0, data_range=1.0))


def _milliseconds(split: Split, network: TrainedNetwork, device: torch.device) -> float:
    """The median time of one picture."""
    voxels = decoded(split.read([0]).voxels.to(device))
    spent = []
    for _ in range(TIMED + 1):
        start = time.perf_counter()
        network.pictures(voxels).sum().item()  # waits for the device
        spent.append(1000 * (time.perf_counter() - start))
    return float(np.median(spent[1:]))


@torch.no_grad()
def write(run: RunFolder, task: Task, result: Result) -> None:
    """Write the network, its curves, and pictures: the data set's, the network's, and four times the difference."""
    module = result.network.module
    write_network(run.file(NETWORK), task.architecture, dict(module.named_parameters()))
    split = measured(task)
    shown = split.read(evenly(len(split), SHOWN))
    device = next(module.parameters()).device
    drawn = result.network.pictures(decoded(shown.voxels.to(device))).clamp(0, 1).cpu().permute(0, 3, 1, 2)
    given, encoding = decoded(shown.pictures).permute(0, 3, 1, 2), task.architecture.encoding
    columns = [
        [shown_bytes(picture, encoding) for picture in given],
        [shown_bytes(picture, encoding) for picture in drawn],
        [shown_bytes(picture, "srgb") for picture in 4 * (drawn - given).abs()],
    ]
    with atomic_path(run.file(PICTURES)) as temporary:
        Image.fromarray(sheet(columns)).save(temporary, format="PNG")
    draw_curves(run.path / LOSSES, run.file(CURVES))


def draw_curves(losses: Path, picture: Path) -> None:
    """Draw losses.csv: the PSNR of the batches that are learnt from, and of the validation samples, by steps."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    rows = read_losses(losses)
    steps = [int(row["step"]) + 1 for row in rows]
    learnt = _smoothed([float(row["psnr"]) for row in rows])
    judged = [(n, float(row[SCORE])) for n, row in zip(steps, rows, strict=True) if row.get(SCORE)]
    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.plot(steps, learnt, color="0.6", linewidth=1, label="batches learnt from")
    axes.plot([n for n, _ in judged], [score for _, score in judged], color="C0", marker=".", label="validation")
    axes.set(xlabel="step", ylabel="PSNR in dB")
    axes.grid(alpha=0.3)
    axes.legend(loc="lower right")
    with atomic_path(picture) as temporary:
        figure.savefig(temporary, format="png")


def _smoothed(values: list[float]) -> list[float]:
    """A running mean over a fiftieth of the steps."""
    width = max(1, len(values) // 50)
    sums = np.concatenate([[0.0], np.cumsum(values)])
    first = np.maximum(np.arange(1, len(values) + 1) - width, 0)
    last = np.arange(1, len(values) + 1)
    return [float(value) for value in (sums[last] - sums[first]) / (last - first)]


def rows(m: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The lines of the summary."""
    return [
        (f"PSNR of {m['pictures_measured']} {m['measured_on']} pictures", f"{m['psnr']:.2f} dB"),
        ("SSIM of them", "-" if m["ssim"] is None else f"{m['ssim']:.4f}"),
        ("PSNR of the mean picture", f"{m['mean_picture_psnr']:.2f} dB"),
        ("time of one picture", f"{m['milliseconds']:.1f} ms"),
        ("parameters", f"{m['parameters']:,}"),
    ]


def files(m: Mapping[str, Any]) -> str:
    """The main results."""
    del m
    return f"{NETWORK}, {PICTURES}, {CURVES}"
