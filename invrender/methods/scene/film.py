"""progress.gif of a scene: its pictures, what the scene shows with the values found so far, and the difference."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch

from invrender.methods.scene.compared import name_of
from invrender.methods.scene.pictures import exposure
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.result import Result
from invrender.methods.scene.settings import SceneSettings
from invrender.methods.scene.targets import Target, resized
from invrender.methods.scene.task import Task
from invrender.render.images import to_bytes
from invrender.report.difference import COLOURS, enlarged, psnr, signed
from invrender.report.lettering import Panel, framed
from invrender.run.film import Ending, Film, Moment, draws_aside
from invrender.run.shots import Picture
from invrender.solve.protocol import Params

Tensor = torch.Tensor

MOST = 3  # cameras that are shown
MOST_SHOTS = 200  # few steps may be all that it takes: each is shot, or so many of them
SMOOTH = 4  # rays a pixel, at least
SPEED = 6.0  # pictures per second


def film(task: Task, renderer: Renderer, settings: SceneSettings) -> Film | None:
    """The film of a run; of more than three pictures, three are shown, one below the other.

    Args:
        task: of the run.
        renderer: what draws.
        settings: how many pictures at most, of all steps, and of which size.
    """
    frames, side, values = settings.gif_frames, settings.gif_size, task.values
    if not frames:
        return None
    chosen = list(range(len(task.targets)))[:: -(-len(task.targets) // MOST)]
    small = [resized(task.targets[k], _size(task.targets[k], side)) for k in chosen]
    bright, finer = exposure(task.targets), renderer.finer(max(renderer.shot.spp, SMOOTH))

    def rows(drawn: Sequence[Tensor], caption: str, quality: str) -> Picture:
        each = [_row(target, picture, bright, side) for target, picture in zip(small, drawn, strict=True)]
        return framed([panel for row in each for panel in row], caption, quality, columns=3, side=side)

    def draw(params: Params, now: Moment) -> Picture:
        with torch.no_grad():
            scene = values.decode(params)
            drawn = [finer.picture(scene, target.camera, target.size) for target in small]
        return rows(drawn, now.caption, f"loss {now.terms['loss']:.3g}" if "loss" in now.terms else "")

    def ending(result: Result, number: int) -> Ending:
        del number
        with torch.no_grad():
            drawn = [finer.picture(result.scene, target.camera, target.size) for target in small]
        return Ending([rows(drawn, "the result", f"loss {result.loss:.3g}")])

    return Film(
        MOST_SHOTS, draw, ending, SPEED, opening=values.encode(), most=frames, video=settings.video is not None,
        aside=draws_aside(renderer.backend),
    )  # fmt: skip


def _size(target: Target, side: int) -> tuple[int, int]:
    factor = min(1.0, side / max(target.size))
    height, width = (max(1, round(each * factor)) for each in target.size)
    return height, width


def _row(target: Target, drawn: Tensor, bright: float, side: int) -> list[Panel]:
    given, found = (to_bytes(bright * each) for each in (target.image, drawn))
    weight = np.asarray(target.weight.cpu())
    counts = weight > 0.5
    score = f"PSNR {psnr(given[counts], found[counts]):.1f} dB: {COLOURS}" if counts.any() else COLOURS
    labels = (f"input: {name_of(target)}", "the scene, from its camera", score)
    pictures = (given, found, signed(given, found, weight))
    return [Panel(enlarged(picture, side), label) for picture, label in zip(pictures, labels, strict=True)]
