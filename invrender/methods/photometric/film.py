"""progress.gif of a run from photographs: the nearest one beside the shape that forms, then the coloured result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from invrender.kernels import Backend
from invrender.methods.photometric.result import Result
from invrender.methods.silhouette.start import FirstShape
from invrender.methods.silhouette.target import Shape
from invrender.nouns import Mesh, Scene, Views
from invrender.render.images import to_bytes
from invrender.render.raster import render
from invrender.run.film import Film, Picture, Shot
from invrender.run.turntable import PAPER, Turntable, in_clay, make_turntable, nearest_pictures, side_by_side

Tensor = torch.Tensor

SIZE, TURNTABLE_FRAMES, SPEED = 256, 36, 12.0


def film(views: Views, first: FirstShape, frames: int, backend: Backend) -> Film | None:
    """The film of a run: the shape in clay turns while it forms, and the film ends with a turn of the coloured result.

    Args:
        views: photographs.
        first: the shape before the first step.
        frames: how many; 0 for no film.
        backend: what draws.
    """
    if not frames:
        return None
    turntable = make_turntable(TURNTABLE_FRAMES, SIZE, views.cameras, torch.from_numpy(first.shape.vertices))
    targets = _targets(views, first, turntable)

    def shoot(shape: Shape) -> Shot:
        return {"vertices": shape.vertices, "faces": shape.faces}

    def cut(shots: Sequence[Shot], result: Result) -> Mapping[str, Sequence[Picture]]:
        begun = [_drawn(shot, i % TURNTABLE_FRAMES, turntable, targets, backend) for i, shot in enumerate(shots)]
        pictures = _coloured(result.mesh, first, turntable, backend)
        order = [(len(shots) + k) % TURNTABLE_FRAMES for k in range(TURNTABLE_FRAMES)]
        closing = [side_by_side(targets[at], pictures[at]) for at in order]
        return {"progress.gif": [*begun, *closing], "turntable.gif": [to_bytes(picture) for picture in pictures]}

    return Film(frames, shoot, cut, SPEED, opening=first.shape)


def _targets(views: Views, first: FirstShape, turntable: Turntable) -> Tensor:
    """The photograph nearest to each camera of the turntable, cut out, on paper; [frames,H,W,3] linear."""
    assert views.images is not None
    cut_out = torch.cat([views.images * views.masks[..., None], views.masks[..., None]], -1)
    drawn = nearest_pictures(cut_out, views.cameras, turntable, first.frame)
    return drawn[..., :3] + (1 - drawn[..., 3:]) * torch.tensor(PAPER)


def _coloured(mesh: Mesh, first: FirstShape, turntable: Turntable, backend: Backend) -> Tensor:
    """The result in its own colours, [frames,H,W,3] linear."""
    vertices = torch.from_numpy(first.frame.normalise(mesh.vertices.numpy()))
    moved = Mesh(vertices, mesh.faces, mesh.uv, mesh.colours, mesh.material)
    return render(Scene(moved, background=PAPER), turntable.cameras, "color", backend).cpu()


def _drawn(shot: Shot, at: int, turntable: Turntable, targets: Tensor, backend: Backend) -> Picture:
    vertices, faces = (torch.from_numpy(shot[name]) for name in ("vertices", "faces"))
    return side_by_side(targets[at], in_clay(vertices, faces, turntable.cameras[[at]], backend)[0])
