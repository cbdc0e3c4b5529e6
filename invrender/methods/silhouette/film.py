"""Pictures of a run: the target's silhouette beside the shaded estimate, both rotating."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch

from invrender.cameras.framing import fitting_distance
from invrender.cameras.projection import look_at, perspective
from invrender.geometry.carving import known_object
from invrender.kernels import Backend
from invrender.methods.silhouette.schedule import Result
from invrender.methods.silhouette.start import FirstShape
from invrender.methods.silhouette.target import Shape
from invrender.methods.silhouette.task import Task
from invrender.nouns import Cameras, Lights, Material, Mesh, Scene
from invrender.parameters.frame import Frame
from invrender.render.images import to_bytes
from invrender.render.raster import render
from invrender.run.film import Film, Picture, Shot

Tensor = torch.Tensor

DISTANCE, FOV, ELEVATION = 3.0, 42.0, 12.0
PAPER = (0.93, 0.94, 0.96)  # linear RGB of the background
INK = (0.035, 0.05, 0.09)  # of the target's silhouette
CLAY = Material(albedo=(0.46, 0.5, 0.57), name="clay")
LIGHT = Lights(intensity=0.85, ambient=0.22)
LEVEL = 0.1  # cameras count as held level whose sides leave a plane this little, relative to their spread in it
LINE = 2  # pixels between the two pictures
SIZE, TURNTABLE_FRAMES, SPEED = 256, 36, 12.0


@dataclass(frozen=True)
class Turntable:
    """Cameras on a full circle around the origin of the normalised frame.

    Attributes:
        cameras: one per frame, looking at the origin.
        directions: [frames,3] float64, unit vectors from the origin to the cameras.
        distance: of the cameras.
    """

    cameras: Cameras
    directions: Tensor
    distance: float = DISTANCE


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
        begun = [_drawn(shot, i % TURNTABLE_FRAMES, turntable, targets, backend) for i, shot in enumerate(shots)]
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
        masks = known_object(task.views.masks, task.views.confidence)
        return nearest_masks(masks, task.views.cameras, turntable, first.frame)
    vertices, faces = task.reference.numpy()
    return silhouettes(Shape(first.frame.normalise(vertices), faces), turntable.cameras, backend)


def _drawn(shot: Shot, at: int, turntable: Turntable, targets: Tensor, backend: Backend) -> Picture:
    shape = Shape(shot["vertices"], shot["faces"])
    return side_by_side(targets[at], shaded(shape, turntable.cameras[[at]], backend)[0])


def make_turntable(frames: int, size: int, views: Cameras, points: Tensor | None = None) -> Turntable:
    """A turntable about the views' common up direction, beginning at the first view's azimuth.

    Args:
        frames: on the circle.
        size: of the square pictures, in pixels.
        views: whose up direction it has.
        points: [P,3] float64 that have to be in the pictures: cameras stand back where DISTANCE is too near for them.
    """
    rotation = views.world_to_camera[:, :3, :3]
    up = _common_up(rotation)
    front = _unit(rotation[0, 2] - (rotation[0, 2] @ up) * up, fallback=_any_across(up))
    side = torch.linalg.cross(up, front)
    azimuth = torch.arange(frames, dtype=torch.float64)[:, None] * (2 * math.pi / frames)
    ring = torch.cos(azimuth) * front + torch.sin(azimuth) * side
    tilt = math.radians(ELEVATION)
    directions = math.cos(tilt) * ring + math.sin(tilt) * up
    distance = DISTANCE
    if points is not None:
        upright = points @ torch.stack([side, up, front], 1)
        distance = max(DISTANCE, fitting_distance(upright, "orbit", (size, size), FOV, ELEVATION))
    world_to_camera = look_at(distance * directions, (0.0, 0.0, 0.0), up=up.tolist())
    projection = perspective(FOV, (size, size), distance - 1.8, distance + 1.8).expand(frames, 4, 4)
    return Turntable(Cameras(world_to_camera, projection, (size, size)), directions, distance)


def shaded(shape: Shape, cameras: Cameras, backend: Backend) -> Tensor:
    """The estimate in clay, [N,H,W,3] linear."""
    mesh = Mesh(torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces), material=CLAY)
    return render(Scene(mesh, LIGHT, PAPER), cameras, "shaded", backend).cpu()


def silhouettes(shape: Shape, cameras: Cameras, backend: Backend) -> Tensor:
    """The silhouette of a known target, [N,H,W,3] linear."""
    mesh = Mesh(torch.from_numpy(shape.vertices), torch.from_numpy(shape.faces))
    return inked(render(Scene(mesh), cameras, "silhouette", backend)[..., 0].cpu())


def nearest_masks(masks: Tensor, views: Cameras, turntable: Turntable, frame: Frame) -> Tensor:
    """For each frame of the turntable the mask of the view from the nearest direction, [frames,H,W,3] linear."""
    towards = torch.linalg.inv(views.world_to_camera)[:, :3, 2]
    nearest = (turntable.directions @ towards.T).argmax(1).tolist()
    zoomed = {view: _zoomed(masks[view].cpu(), views[[view]], frame, turntable) for view in set(nearest)}
    return inked(torch.stack([zoomed[view] for view in nearest]))


def _zoomed(mask: Tensor, camera: Cameras, frame: Frame, turntable: Turntable) -> Tensor:
    """A mask [H,W], centred and scaled like the picture of the estimate, a square."""
    size = turntable.cameras.size[0]
    height, width = camera.size
    x, y, _, w = frame.clip_matrices(camera)[0, :, 3].tolist()
    half = (
        turntable.distance * math.tan(math.radians(FOV / 2)) / float(frame.pixel(camera)[0])
    )  # of the picture, in pixels
    fine = min(math.ceil(2 * half / size), 8)  # samples on each side of a pixel
    offset = ((torch.arange(size * fine) + 0.5) / (size * fine) * 2 - 1) * 2 * half
    rows, columns = torch.meshgrid(offset / height - y / w, offset / width + x / w, indexing="ij")
    drawn = torch.nn.functional.grid_sample(
        mask[None, None], torch.stack([columns, rows], -1)[None], padding_mode="zeros", align_corners=False
    )
    picture: Tensor = torch.nn.functional.avg_pool2d(drawn, fine)[0, 0]
    return picture


def inked(coverage: Tensor) -> Tensor:
    """Coverage [...] as ink on paper, [...,3] linear."""
    share = coverage.clamp(0, 1)[..., None]
    return share * torch.tensor(INK) + (1 - share) * torch.tensor(PAPER)


def side_by_side(left: Tensor, right: Tensor) -> Picture:
    """One frame [H,2W+LINE,3] of two pictures [H,W,3]."""
    line = torch.full((left.shape[0], LINE, 3), 0.6)
    return to_bytes(torch.cat([left, line, right], 1))


def _common_up(rotation: Tensor) -> Tensor:
    """Up [3] of cameras [N,3,3] that are held level: across all their sides; else the mean of their own ups."""
    mean = rotation[:, 1].mean(0)
    spread, axis = torch.linalg.eigh(rotation[:, 0].T @ rotation[:, 0])
    if float(spread[0]) < LEVEL * float(spread[1]):
        up: Tensor = axis[:, 0]
        return up if float(up @ mean) >= 0 else -up
    return _unit(mean, fallback=(0.0, 1.0, 0.0))


def _unit(vector: Tensor, fallback: tuple[float, float, float]) -> Tensor:
    length = float(vector.norm())
    return vector / length if length > 1e-6 else torch.tensor(fallback, dtype=torch.float64)


def _any_across(up: Tensor) -> tuple[float, float, float]:
    axis = torch.zeros(3, dtype=torch.float64)
    axis[int(up.abs().argmin())] = 1.0
    across = axis - (axis @ up) * up
    x, y, z = (across / across.norm()).tolist()
    return x, y, z
