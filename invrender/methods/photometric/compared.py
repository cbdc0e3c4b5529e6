"""Photographs of a run beside pictures of its result: those it was made from, and those that were set aside."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from invrender.colour import srgb_to_linear
from invrender.evaluate.pictures import Comparison
from invrender.evaluate.posed_views import view_names
from invrender.kernels import Backend
from invrender.methods.photometric.result import Result
from invrender.methods.photometric.task import Task
from invrender.nouns import Mesh, Scene, Views
from invrender.render.images import to_bytes
from invrender.render.raster import render
from invrender.report.compared import Compared
from invrender.report.difference import signed
from invrender.run.input_views import SIDE, Seat, worst_first
from invrender.run.mesh_views import mesh_views
from invrender.run.shots import Picture
from invrender.run.turntable import PAPER


def compared(task: Task, result: Result, backend: Backend, most: int) -> Sequence[Compared]:
    """The photographs that the result explains worst, cut out, worst first, at most so many."""
    found = _each(Pictures(task.views, result.refined or task.views, result.seen, result.surface, backend), most)
    if task.unseen is not None and result.unseen is not None:
        placed = result.refined_unseen or task.unseen
        found += _each(Pictures(task.unseen, placed, result.unseen, result.surface, backend), most, unseen=True)
    return [found[k] for k in worst_first([each.score for each in found], most)]


@dataclass(frozen=True)
class Pictures:
    """Photographs and pictures of a result.

    Attributes:
        views: photographs, as they were given; `placed`: with the cameras from which the pictures were drawn.
        pictures: both, over black.
        surface: of the result, which tells where the pictures show it.
        backend: what draws.
    """

    views: Views
    placed: Views
    pictures: Comparison
    surface: Mesh
    backend: Backend

    @property
    def scores(self) -> list[float]:
        """By view, how well photographs are explained: PSNR over all pixels that are known, in dB."""
        return [each.psnr_whole for each in self.pictures.each]

    def beside(self, seat: Seat) -> tuple[Picture, Picture, Picture]:
        """A photograph, cut out and on paper, the result from its camera, and the difference."""
        number, paper = seat.number, torch.tensor(PAPER, dtype=torch.float64)
        camera = self.placed.cameras[[number]]
        cover = render(Scene(self.surface), camera, "silhouette", self.backend)[0].cpu().double().clamp(0, 1)
        mask = self.views.masks[number].cpu().double()[..., None]
        pictures = [
            to_bytes(seat.small(torch.from_numpy(srgb_to_linear(over_black[number])) + (1 - share) * paper))
            for over_black, share in ((self.pictures.target, mask), (self.pictures.estimate, cover))
        ]
        believed = self.views.confidence
        known = None if believed is None else seat.small((believed[number] > 0).float()).numpy()
        return pictures[0], pictures[1], signed(pictures[0], pictures[1], known)


def _each(shown: Pictures, most: int, unseen: bool = False) -> list[Compared]:
    names, scores = view_names(shown.views), shown.scores
    seats = mesh_views(shown.views, names, SIDE, shown.backend).shown
    found = []
    for number in worst_first(scores, most):
        target, estimate, difference = shown.beside(seats.seat(number))
        score = scores[number] if math.isfinite(scores[number]) else 0.0
        found.append(Compared(names[number], target, estimate, difference, score, "PSNR, dB", unseen))
    return found
