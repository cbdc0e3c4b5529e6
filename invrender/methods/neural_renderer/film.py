"""progress.gif of training: pictures of validation samples, what the network makes of their voxels, the difference."""

from __future__ import annotations

from collections.abc import Callable

import torch

from invrender.io.pairs.dataset import decoded
from invrender.methods.neural_renderer.objective import psnr
from invrender.methods.neural_renderer.pictures import shown_bytes
from invrender.methods.neural_renderer.report import Result
from invrender.methods.neural_renderer.settings import TrainSettings
from invrender.methods.neural_renderer.task import Task
from invrender.report.difference import COLOURS, enlarged, signed
from invrender.report.lettering import Panel, framed
from invrender.run.film import Ending, Film, Moment
from invrender.run.shots import Picture
from invrender.solve.protocol import Params

Tensor = torch.Tensor

SAMPLES, SPEED = 3, 6.0  # samples that are shown, one below the other; pictures per second


def film(task: Task, drawn: Callable[[Params, Tensor], Tensor], settings: TrainSettings) -> Film | None:
    """The film of a run.

    Args:
        task: the first of whose validation samples are shown.
        drawn: weights and voxels to pictures [B,C,H,W].
        settings: how many pictures of which size.
    """
    frames, side, encoding = settings.gif_frames, settings.gif_size, task.architecture.encoding
    if not frames:
        return None
    numbers = range(min(SAMPLES, len(task.validation)))
    shown = task.validation.read(numbers)
    given = decoded(shown.pictures).permute(0, 3, 1, 2)

    def sheet(pictures: Tensor, caption: str, quality: str) -> Picture:
        panels, scores = [], psnr(pictures, given).tolist()
        for number, target, found, score in zip(numbers, given, pictures, scores, strict=True):
            first, second = (shown_bytes(each, encoding) for each in (target, found))
            labels = (f"validation sample {number}", "the network's picture", f"PSNR {score:.1f} dB: {COLOURS}")
            rows = (first, second, signed(first, second))
            panels += [Panel(enlarged(row, side), label) for row, label in zip(rows, labels, strict=True)]
        return framed(panels, caption, quality, columns=3, side=side)

    @torch.no_grad()
    def draw(params: Params, now: Moment) -> Picture:
        device = next(iter(params.values())).device
        pictures = drawn(params, decoded(shown.voxels.to(device))).clamp(0, 1).cpu().float()
        quality = f"PSNR {now.terms['psnr']:.2f} dB, of the batch" if "psnr" in now.terms else ""
        return sheet(pictures, now.caption, quality)

    @torch.no_grad()
    def ending(result: Result, number: int) -> Ending:
        del number
        device = next(result.network.module.parameters()).device
        pictures = result.network.pictures(decoded(shown.voxels.to(device))).clamp(0, 1).cpu().float()
        quality = f"PSNR {result.validation:.2f} dB of validation samples"
        return Ending([sheet(pictures.permute(0, 3, 1, 2), "the network at its best", quality)])

    return Film(frames, draw, ending, SPEED, video=settings.video is not None)
