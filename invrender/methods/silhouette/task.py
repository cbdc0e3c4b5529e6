"""The run behind `invrender reconstruct`: input to views, reconstruction to files.

An asset's own views are rendered first and the asset is set aside: from then on it serves the metrics and the pictures
of the target, and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from invrender.cameras.rigs import evenly, mesh_frame, rig
from invrender.errors import CheckpointError, InputError, UsageError
from invrender.evaluate.mesh import mesh_metrics
from invrender.geometry.connectivity import components, genus, is_watertight
from invrender.geometry.intersections import self_intersections
from invrender.io.datasets.dataset import is_dataset, read_cameras, read_dataset
from invrender.io.images import write_gif
from invrender.io.meshes.read import read_mesh, read_units
from invrender.io.meshes.write import write_glb, write_ply
from invrender.kernels import Backend
from invrender.methods.silhouette import film as turning
from invrender.methods.silhouette import schedule as silhouette
from invrender.methods.silhouette.refine import Shape, Step
from invrender.methods.silhouette.selection import FEWEST_VIEWS
from invrender.nouns import Cameras, Mesh, Scene, Views
from invrender.parameters.frame import Frame
from invrender.render.images import to_bytes
from invrender.render.raster import render
from invrender.run.checkpoints import load_checkpoint
from invrender.run.folder import RunFolder
from invrender.run.progress import Progress
from invrender.run.settings import RunSettings

MASK_SAMPLES = 4  # an asset's masks are averaged from this many samples on each side of a pixel
ASSET_SIZE, DATASET_SIZE, ASSET_VIEWS = 256, 384, 12
GIF_SIZE, TURN_FRAMES, GIF_SPEED = 256, 36, 12.0

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 150, "smoothness": 1.0, "gif_frames": 24},
    "standard": {},
    "fine": {"iterations": 900, "edge_pixels": 2.0},
}


@dataclass(frozen=True)
class ReconstructSettings(RunSettings):
    """What a run from silhouettes adds; 12 views of 256 pixels of an asset, or a dataset's scaled down to 384.

    Attributes:
        method: what to reconstruct from.
        masks: folder of masks for a dataset.
        init: hull, sphere, a mesh file, or a checkpoint of an earlier run.
        iterations, hull_resolution, edge_pixels, rate, smoothness, bending, diffusion: see `silhouette.Settings`;
            smoothness is its strength.
        units: what a unit of length is, noted in mesh.glb.
    """

    method: Literal["silhouette"] = "silhouette"
    masks: Path | None = None
    init: str = "hull"
    iterations: int = 450
    hull_resolution: int | None = None
    edge_pixels: float = 2.6
    rate: float = 0.02
    smoothness: float | None = None
    bending: float = 1.0
    diffusion: float = 10.0
    units: str | None = None


@dataclass(frozen=True)
class Task:
    """What a run works on: views, the asset they came from (None for a dataset), and the mesh to start from."""

    views: Views
    reference: Mesh | None
    initial: Mesh | None
    units: str | None


def load(settings: ReconstructSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
    """
    initial = None if settings.init in ("hull", "sphere") else _first_mesh(Path(settings.init))
    if is_dataset(settings.input):
        views = read_dataset(settings.input, settings.masks, size=settings.size or DATASET_SIZE, images=False)
        chosen = evenly(len(views.cameras), settings.views)
        views = Views(views.cameras[chosen], views.masks[chosen], None, tuple(views.names[i] for i in chosen))
        return Task(views, None, initial, settings.units)
    if settings.input.is_dir():
        raise InputError(
            f"{settings.input} holds neither a transforms.json nor a COLMAP model",
            "name a mesh file, or a dataset folder (see `invrender render --dataset`)",
        )
    if settings.masks is not None:
        raise UsageError("--masks goes with a dataset, and the input is a mesh", "leave --masks out")
    mesh = read_mesh(settings.input)
    masks, cameras = own_masks(mesh, settings, backend)
    return Task(Views(cameras, masks), mesh, initial, settings.units or read_units(settings.input))


def _first_mesh(path: Path) -> Mesh:
    """A mesh to start from: a mesh file, or a checkpoint of an earlier run."""
    if path.suffix != ".npz":
        return read_mesh(path)
    _, arrays = load_checkpoint(path)
    if not {"vertices", "faces"} <= arrays.keys():
        raise CheckpointError(f"{path} holds no mesh", "name a checkpoint of a run that reconstructed a mesh")
    return Mesh.from_numpy(arrays["vertices"], arrays["faces"])


def own_masks(mesh: Mesh, settings: ReconstructSettings, backend: Backend) -> tuple[torch.Tensor, Cameras]:
    """The masks [N,H,W] of an asset from the rig of the settings."""
    size = settings.size or ASSET_SIZE
    cameras = _cameras(mesh, settings, (size, size))
    masks = render(Scene(mesh), cameras, "silhouette", backend, MASK_SAMPLES)[..., 0].clamp(0, 1).cpu()
    covered = masks.sum((1, 2))
    if not bool((covered > 0.5).all()):
        raise InputError(
            f"the asset cannot be seen from camera {int(covered.argmin())}",
            "look from nearer (--distance) or with a smaller --fov, or ask for a larger --size",
        )
    if not bool((masks.amin((1, 2)) < 0.5).all()):
        raise InputError(
            f"the asset fills the image of camera {int(masks.amin((1, 2)).argmax())}",
            "look from farther away (--distance), or with a larger --fov",
        )
    return masks, cameras


def _cameras(mesh: Mesh, settings: ReconstructSettings, size: tuple[int, int]) -> Cameras:
    count = settings.views or ASSET_VIEWS
    if settings.cameras in ("orbit", "sphere"):
        centre, scale = mesh_frame(mesh.vertices, mesh.faces)
        kind: Literal["orbit", "sphere"] = "orbit" if settings.cameras == "orbit" else "sphere"
        return rig(kind, count, centre, scale, size, settings.distance, settings.fov, settings.elevation)
    cameras = read_cameras(Path(settings.cameras), size)
    return cameras[evenly(len(cameras), settings.views)]


def problem_settings(settings: ReconstructSettings) -> silhouette.Settings:
    """The part of the settings that the reconstruction itself takes."""
    return silhouette.Settings(
        init=settings.init,
        iterations=settings.iterations,
        hull_resolution=settings.hull_resolution,
        edge_pixels=settings.edge_pixels,
        rate=settings.rate,
        strength=settings.smoothness,
        bending=settings.bending,
        diffusion=settings.diffusion,
    )


def execute(
    task: Task, settings: ReconstructSettings, backend: Backend, run: RunFolder, progress: Progress
) -> dict[str, Any]:
    """Reconstruct, write every file of the run, and return the metrics."""
    # The tensors of the loop are small: torch's own threads win 15 % on idle cores and lose tenfold on busy ones.
    torch.set_num_threads(1)
    run.note(seed=settings.seed, backend=backend.name, device=str(backend.device))
    run.log(f"backend {backend.name}: {backend.description}")
    with run.timed("start"):
        progress.say(f"{len(task.views.cameras)} views of {task.views.cameras.size[1]} x {task.views.cameras.size[0]}")
        first = silhouette.start(task.views, problem_settings(settings), backend, task.initial)
    if len(task.views.cameras) < FEWEST_VIEWS:
        progress.say(f"fewer than {FEWEST_VIEWS} views leave much of the shape open: expect a rough one")
    film = _Film(task, first, settings, backend)
    film.add(first.shape)
    result = _follow(task, settings, backend, first, run, progress, film)
    if result.repaired == "grid":
        progress.say("self-intersections forced the mesh to be extracted anew: details and topology may have suffered")
    progress.say("measuring and writing")
    with run.timed("measure"):
        metrics = _measure(task, result, backend)
    with run.timed("write"):
        _write_meshes(run, result.mesh, task.units)
        film.finish(run, Shape(first.frame.normalise(result.mesh.numpy()[0]), result.mesh.numpy()[1]))
        run.metrics(metrics)
    if result.choice is not None:
        run.log(f"held-out IoU: {result.choice.scores}, of the hull {result.choice.hull_score}")
    run.log(f"result: {result.method}, smoothness {result.strength:g}, repair {result.repaired}")
    return metrics


def _follow(
    task: Task,
    settings: ReconstructSettings,
    backend: Backend,
    first: silhouette.Start,
    run: RunFolder,
    progress: Progress,
    film: _Film,
) -> silhouette.Result:
    """Consume the steps of the reconstruction: progress, losses, pictures and checkpoints; return its result."""
    steps = silhouette.reconstruct(task.views, problem_settings(settings), backend, first)
    phase = ""
    while True:
        try:
            with run.timed("choose smoothness" if phase.startswith("try") else "refine"):
                step = next(steps)
        except StopIteration as end:
            result: silhouette.Result = end.value
            return result
        if step.phase != phase:
            phase = step.phase
            progress.start(phase, step.total)
        progress.step(step.index, step.terms)
        if phase == "refine":
            _keep(step, first.frame, run, film)


def _keep(step: Step, frame: Frame, run: RunFolder, film: _Film) -> None:
    run.losses(step.index, step.terms)
    shape = step.shape
    run.keep(step.index + 1, step.total, lambda: {"vertices": frame.restore(shape.vertices), "faces": shape.faces})
    film.step(step)


def _measure(task: Task, result: silhouette.Result, backend: Backend) -> dict[str, Any]:
    """What metrics.json holds: the fit to the input, the state of the mesh, and the distance from the reference."""
    vertices, faces = result.mesh.numpy()
    choice = result.choice
    metrics: dict[str, Any] = {
        "result": result.method,
        "views": len(task.views.cameras),
        "views_iou": result.iou,
        "views_iou_of_hull": result.hull_iou,
        "smoothness": result.strength,
        "held_out_iou": choice.scores[choice.strength] if choice else None,
        "held_out_iou_of_hull": choice.hull_score if choice else None,
        "repair": result.repaired,
    }
    if task.reference is not None:
        return metrics | dataclasses.asdict(mesh_metrics(result.mesh, task.reference, backend))
    return metrics | {
        "watertight": is_watertight(faces),
        "components": int(components(faces).max()) + 1,
        "genus": genus(faces),
        "self_intersections": len(self_intersections(vertices, faces)),
        "vertices": len(vertices),
        "faces": len(faces),
    }


def _write_meshes(run: RunFolder, mesh: Mesh, units: str | None) -> None:
    write_glb(run.file("mesh.glb"), mesh, units)
    write_ply(run.file("mesh.ply"), mesh, units)


class _Film:
    """Collects the frames of progress.gif as the estimate turns, and ends them on a full turn."""

    def __init__(self, task: Task, first: silhouette.Start, settings: ReconstructSettings, backend: Backend) -> None:
        self._frames: list[turning.Picture] = []
        self._wanted = settings.gif_frames
        self._backend = backend
        if not self._wanted:
            return
        self._turn = turning.full_turn(TURN_FRAMES, GIF_SIZE, task.views.cameras)
        if task.reference is None:
            self._targets = turning.nearest_masks(task.views.masks, task.views.cameras, self._turn, first.frame)
        else:
            vertices, faces = task.reference.numpy()
            target = Shape(first.frame.normalise(vertices), faces)
            self._targets = turning.silhouettes(target, self._turn.cameras, backend)

    def step(self, step: Step) -> None:
        """Add a frame if one is due after this step."""
        due = (step.index + 1) * self._wanted // step.total
        if due > step.index * self._wanted // step.total:
            self.add(step.shape)

    def add(self, shape: Shape) -> None:
        """Add a frame; the camera moves on by one position."""
        if self._wanted:
            at = len(self._frames) % TURN_FRAMES
            picture = turning.shaded(shape, self._turn.cameras[[at]], self._backend)
            self._frames.append(turning.side_by_side(self._targets[at], picture[0]))

    def finish(self, run: RunFolder, shape: Shape) -> None:
        """Write progress.gif with a full turn of the result at its end, and turntable.gif."""
        if not self._wanted:
            return
        begin = len(self._frames)
        order: Sequence[int] = [(begin + k) % TURN_FRAMES for k in range(TURN_FRAMES)]
        pictures = turning.shaded(shape, self._turn.cameras, self._backend)
        closing = [turning.side_by_side(self._targets[at], pictures[at]) for at in order]
        write_gif(run.file("progress.gif"), [*self._frames, *closing], GIF_SPEED)
        write_gif(run.file("turntable.gif"), [to_bytes(picture) for picture in pictures], GIF_SPEED)
