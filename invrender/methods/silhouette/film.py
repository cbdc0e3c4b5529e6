"""Pictures of a run: the target's silhouette beside the shaded estimate, both rotating."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch

from invrender.geometry.carving import known_object
from invrender.kernels import Backend
from invrender.methods.silhouette.schedule import Result
from invrender.methods.silhouette.start import FirstShape
from invrender.methods.silhouette.target import Shape
from invrender.methods.silhouette.task import Task
from invrender.nouns import Cameras, Mesh, Scene
from invrender.ranks.calls import spread
from invrender.render.images import to_bytes
from invrender.render.raster import render
from invrender.run.film import Film, Picture, Shot
from invrender.run.turntable import PAPER, Turntable, in_clay, make_turntable, nearest_pictures, side_by_side

Tensor = torch.Tensor

INK = (0.035, 0.05, 0.09)  # linear RGB of the target's silhouette
SIZE, TURNTABLE_FRAMES, SPEED = 256, 36, 12.0


def film(task: Task, first: FirstShape, frames: int, backend: Backend) -> Film | None:
    """The film of a run: the estimate rotates while it forms, and the film ends with a full rotation of the result.

    Args:
        task: of the run.
        first: the shape before the first step.
        frames: how many; 0 for no film.
        backend: what draws.
    """
    if not frames:
        return None
    turntable = make_turntable(TURNTABLE_FRAMES, SIZE, task.views.cameras, _seen(task, first))
    targets = _targets(task, first, turntable, backend)

    def shoot(shape: Shape) -> Shot:
        return {"vertices": shape.vertices, "faces": shape.faces}

    def cut(shots: Sequence[Shot], result: Result) -> Mapping[str, Sequence[Picture]]:
        begun = spread(_drawn, (turntable, targets, backend), list(enumerate(shots)))
        vertices, faces = result.mesh.numpy()
        pictures = shaded(Shape(first.frame.normalise(vertices), faces), turntable.cameras, backend)
        order = [(len(shots) + k) % TURNTABLE_FRAMES for k in range(TURNTABLE_FRAMES)]
        closing = [side_by_side(targets[at], pictures[at]) for at in order]
        return {"progress.gif": [*begun, *closing], "turntable.gif": [to_bytes(picture) for picture in pictures]}

    return Film(frames, shoot, cut, SPEED, opening=first.shape)


def _seen(task: Task, first: FirstShape) -> Tensor:
    """Points [P,3] float64 that the pictures are to hold, in the normalised frame."""
    points = torch.from_numpy(first.shape.vertices)
    if task.reference is None:
        return points
    return torch.cat([points, torch.from_numpy(first.frame.normalise(task.reference.numpy()[0]))])


def _targets(task: Task, first: FirstShape, turntable: Turntable, backend: Backend) -> Tensor:
    """The target from every camera of the turntable, [frames,H,W,3] linear."""
    if task.reference is None:
        masks = known_object(task.views.masks, task.views.confidence)[..., None]
        return inked(nearest_pictures(masks, task.views.cameras, turntable, first.frame)[..., 0])
    vertices, faces = task.reference.numpy()
    return silhouettes(Shape(first.frame.normalise(vertices), faces), turntable.cameras, backend)


def _drawn(turntable: Turntable, targets: Tensor, backend: Backend, numbered: tuple[int, Shot]) -> Picture:
    at, shot = numbered[0] % TURNTABLE_FRAMES, numbered[1]
    shape = Shape(shot["vertices"], shot["faces"])
    return side_by_side(targets[at], shaded(shape, turntable.cameras[[at]], backend)[0])


def silhouettes(shape: Shape, cameras: Cameras, backend: Backend) -> Tensor:
    """The silhouette of a known target, [N,H,W,3] linear."""
    mesh = Mesh(torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces))
    return inked(render(Scene(mesh), cameras, "silhouette", backend)[..., 0].cpu())


def shaded(shape: Shape, cameras: Cameras, backend: Backend) -> Tensor:
    """The estimate in clay, [N,H,W,3] linear."""
    return in_clay(torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces), cameras, backend)


def inked(coverage: Tensor) -> Tensor:
    """Coverage [...] as ink on paper, [...,3] linear."""
    share = coverage.clamp(0, 1)[..., None]
    return share * torch.tensor(INK) + (1 - share) * torch.tensor(PAPER)
