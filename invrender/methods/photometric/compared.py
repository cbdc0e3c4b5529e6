"""Photographs of a run beside pictures of its result: those it was made from, and those that were set aside."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.evaluate.pictures import Comparison
from invrender.evaluate.posed_views import view_names
from invrender.kernels import Backend
from invrender.methods.photometric.result import Result
from invrender.methods.photometric.task import Task
from invrender.nouns import Views
from invrender.report.compared import Compared
from invrender.report.difference import signed
from invrender.run.input_views import SIDE, Seat, worst_first
from invrender.run.mesh_views import mesh_views

Picture = NDArray[np.uint8]


def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The photographs that the result explains worst, cut out, worst first, at most so many."""
    found = _each(task.views, result.seen, backend, most, unseen=False)
    if task.unseen is not None and result.unseen is not None:
        found += _each(task.unseen, result.unseen, backend, most, unseen=True)
    return [found[k] for k in worst_first([each.score for each in found], most)]


def _each(views: Views, pictures: Comparison, backend: Backend, most: int, unseen: bool) -> list[Compared]:
    names = view_names(views)
    shown = mesh_views(views, names, SIDE, backend).shown
    scores = scores_of(pictures)
    found = []
    for number in worst_first(scores, most):
        target, estimate, difference = beside(pictures, views, shown.seat(number))
        score = scores[number] if np.isfinite(scores[number]) else 0.0
        found.append(Compared(names[number], target, estimate, difference, score, "PSNR, dB", unseen))
    return found


def scores_of(pictures: Comparison) -> list[float]:
    """By view, how well photographs are explained: PSNR over all pixels that are known, in dB."""
    return [each.psnr_whole for each in pictures.each]


def beside(pictures: Comparison, views: Views, seat: Seat) -> tuple[Picture, Picture, Picture]:
    """A photograph as it is shown, cut out and before white; the result from its camera, and the difference.

    The estimate's coverage is not kept: it is taken to be nothing where it is black.
    """
    target, estimate = (torch.from_numpy(each[seat.number]) for each in (pictures.target, pictures.estimate))
    empty = (estimate.amax(-1, keepdim=True) <= 0).to(estimate)
    outside = (1 - views.masks[seat.number].to(estimate))[..., None]
    shown = [seat.small(each).numpy().clip(0, 1) for each in (target + outside, estimate + empty)]
    first, second = (np.asarray((each * 255).round(), np.uint8) for each in shown)
    known = None if views.confidence is None else seat.small((views.confidence[seat.number] > 0).float()).numpy()
    return first, second, signed(first, second, known)
