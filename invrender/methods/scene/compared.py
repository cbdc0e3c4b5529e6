"""The pictures of a scene beside what the scene shows with the values that were found."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import PurePath

import numpy as np
import torch

from invrender.kernels import Backend
from invrender.methods.scene.pictures import exposure
from invrender.methods.scene.result import Result
from invrender.methods.scene.targets import Target
from invrender.methods.scene.task import Task
from invrender.render.images import to_bytes
from invrender.report.compared import Compared
from invrender.report.difference import psnr, signed
from invrender.run.input_views import worst_first

Tensor = torch.Tensor


def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The pictures that the scene explains worst, worst first, at most so many."""
    del backend
    bright = exposure(task.targets)
    scores = [_score(bright, target, shown) for target, shown in zip(task.targets, result.shown, strict=True)]
    found = []
    for number in worst_first(scores, most):
        target = task.targets[number]
        pictures = [to_bytes(bright * each) for each in (target.image, result.shown[number])]
        difference = signed(pictures[0], pictures[1], target.weight.cpu().numpy())
        score = scores[number] if math.isfinite(scores[number]) else 0.0
        found.append(Compared(name_of(target), pictures[0], pictures[1], difference, score, "PSNR, dB"))
    return found


def name_of(target: Target) -> str:
    """What a picture is called: by its camera."""
    return PurePath(target.name).name or f"camera {target.camera}"


def _score(bright: float, target: Target, shown: Tensor) -> float:
    counts = target.weight.cpu().numpy() > 0.5
    pictures = [to_bytes(bright * each)[counts] for each in (target.image, shown)]
    return psnr(pictures[0], pictures[1]) if counts.any() else float(np.nan)
