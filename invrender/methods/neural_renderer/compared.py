"""Pictures of a data set beside what the network makes of their voxels, of objects that it never learnt from."""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch

from invrender.cameras.rigs import evenly
from invrender.io.pairs.dataset import decoded
from invrender.kernels import Backend
from invrender.methods.neural_renderer.objective import psnr
from invrender.methods.neural_renderer.pictures import shown_bytes
from invrender.methods.neural_renderer.report import BATCH, Result, measured
from invrender.methods.neural_renderer.task import Task
from invrender.report.compared import Compared
from invrender.report.difference import signed
from invrender.run.input_views import worst_first

Tensor = torch.Tensor

LOOKED_AT = 64  # samples, spread over the split


@torch.no_grad()
def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The samples (of some) whose pictures the network draws worst, worst first, at most so many."""
    split = measured(task)
    numbers = evenly(len(split), LOOKED_AT)
    given, drawn, scores = [], [], []
    for at in range(0, len(numbers), BATCH):
        batch = split.read(numbers[at : at + BATCH])
        pictures = decoded(batch.pictures).permute(0, 3, 1, 2)
        found = result.network.pictures(decoded(batch.voxels.to(backend.device))).clamp(0, 1).cpu().permute(0, 3, 1, 2)
        scores += psnr(found, pictures).tolist()
        given += list(pictures)
        drawn += list(found)
    encoding, records = task.architecture.encoding, []
    for k in worst_first(scores, most):
        target, estimate = (shown_bytes(each[k], encoding) for each in (given, drawn))
        score = scores[k] if math.isfinite(scores[k]) else 0.0
        name = f"sample {numbers[k]}, object {split.objects[numbers[k]]}"
        records.append(Compared(name, target, estimate, signed(target, estimate), score, "PSNR, dB", unseen=True))
    return records
