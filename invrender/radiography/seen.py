"""Which part of a grid all views see: where a detector is too narrow for the object, values hold there alone."""

from __future__ import annotations

import torch

from invrender.cameras.rays import index_places
from invrender.errors import InputError
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.radiography.rows import upright_rows

Tensor = torch.Tensor

ALL = 1 - 1e-3  # share of the views, each weighed by its distance, that count as all


def seen_everywhere(
    cameras: Cameras, shape: tuple[int, int, int], bounds: Tensor, backend: Backend, mirrored: bool = False
) -> Tensor:
    """[D,H,W] bool, in main memory: the samples that lie in the picture of every view.

    Args:
        cameras: of the views.
        shape, bounds: of the grid.
        backend: what projects back.
        mirrored: whether a detector that stands aside sees in half a turn what it lacks now.
    """
    try:
        rows = upright_rows(cameras)
        height, width = rows.size
        places = rows.places(shape, bounds, cameras)
        if mirrored:
            missing = rows.missing
            places[:, 0] += places[:, 3] * (missing if rows.short == 0 else 0)
            width += missing
    except InputError:  # views from anywhere
        height, width = cameras.size
        places = index_places(shape, bounds, cameras)
    one = torch.ones(1, height, width, device=backend.device)
    seen, whole = torch.zeros(shape), torch.zeros(shape)
    z, y, x = (torch.arange(n, dtype=torch.float64) for n in shape)
    for place in places:
        seen += backend.backproject(one, place[None], shape).cpu()
        depth = place[3, 0] * x + (place[3, 1] * y)[:, None] + (place[3, 2] * z)[:, None, None] + place[3, 3]
        whole += depth.square().reciprocal().float()
    return seen > ALL * whole
