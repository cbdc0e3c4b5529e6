"""progress.gif of a scene: the targets beside what the scene shows with the values found so far."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from invrender.methods.scene.pictures import exposure
from invrender.methods.scene.renderer import Renderer
from invrender.methods.scene.targets import Target, resized
from invrender.parameters.scene_values import SceneValues
from invrender.render.images import to_bytes
from invrender.run.film import Film, Picture, Shot
from invrender.run.turntable import LINE
from invrender.solve.protocol import Params

Tensor = torch.Tensor

SIDE = 192  # pixels of the longer side of a picture: larger ones are scaled down, small ones up by whole numbers
MOST = 3  # cameras that are shown
MOST_SHOTS = 200  # few steps may be all that it takes: each is shot, or so many of them
SMOOTH = 4  # rays a pixel, at least
GREY = 200  # of the line between pictures
SPEED, HOLD = 6.0, 8  # pictures per second; for how many of them the result stays


def film(values: SceneValues, targets: Sequence[Target], renderer: Renderer, frames: int) -> Film | None:
    """The film of a run; of more than three cameras, three are shown.

    Args:
        values: what is free.
        targets: of the run.
        renderer: what draws.
        frames: how many at most, of all steps; 0 for no film.
    """
    if not frames:
        return None
    chosen = targets[:: -(-len(targets) // MOST)]
    small = [resized(target, _size(target)) for target in chosen]
    bright, renderer = exposure(targets), renderer.finer(max(renderer.shot.spp, SMOOTH))
    left = [bright * target.image for target in small]

    def shoot(params: Params) -> Shot:
        with torch.no_grad():
            scene = values.decode(params)
            drawn = [renderer.picture(scene, target.camera, target.size) for target in small]
        return {str(k): to_bytes(bright * picture) for k, picture in enumerate(drawn)}

    def cut(shots: Sequence[Shot], result: object) -> Mapping[str, Sequence[Picture]]:
        del result
        shots = [shots[i] for i in np.unique(np.linspace(0, len(shots) - 1, frames).round().astype(int))]
        pictures = [
            _frame([to_bytes(each) for each in left], [shot[str(k)] for k in range(len(left))]) for shot in shots
        ]
        return {"progress.gif": [*pictures, *pictures[-1:] * HOLD]} if pictures else {}

    return Film(MOST_SHOTS, shoot, cut, SPEED, opening=values.encode())


def _size(target: Target) -> tuple[int, int]:
    factor = min(1.0, SIDE / max(target.size))
    height, width = (max(1, round(side * factor)) for side in target.size)
    return height, width


def _frame(targets: Sequence[Picture], shown: Sequence[Picture]) -> Picture:
    """Rows of targets and estimates, one below the other; narrower ones in the middle."""
    rows = [_row(_larger(one), _larger(other)) for one, other in zip(targets, shown, strict=True)]
    widest = max(row.shape[1] for row in rows)
    return np.concatenate([_widened(row, widest) for row in rows])


def _row(left: Picture, right: Picture) -> Picture:
    line = np.full((left.shape[0], LINE, 3), GREY, np.uint8)
    return np.concatenate([left, line, right], 1)


def _larger(picture: Picture) -> Picture:
    factor = max(1, SIDE // max(picture.shape[:2]))
    return picture.repeat(factor, 0).repeat(factor, 1)


def _widened(row: Picture, width: int) -> Picture:
    before = (width - row.shape[1]) // 2
    return np.pad(row, ((0, 0), (before, width - row.shape[1] - before), (0, 0)), constant_values=255)
