"""What a run from photographs works on: its input, read, checked, and divided into views to learn from and to test on.

An asset's own views are shaded under a light first, together with views from other directions to measure by, and the
asset is set aside: from then on it serves the metrics alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import torch

from invrender.cameras.around import around
from invrender.cameras.rigs import evenly
from invrender.errors import InputError, UsageError
from invrender.evaluate.posed_views import agreement, cut_off, posed_findings
from invrender.findings import Finding
from invrender.io.datasets.dataset import is_dataset, read_cameras, read_dataset
from invrender.io.meshes.read import read_mesh, read_units
from invrender.kernels import Backend
from invrender.methods.inputs import grid_box
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.nouns import Cameras, Lights, Mesh, Views
from invrender.render.raster import render_views
from invrender.run.relight import parse_light
from invrender.segmentation.automatic import AUTO

ASSET_SIZE, DATASET_SIZE, ASSET_VIEWS, UNSEEN_VIEWS = 256, 400, 24, 8
EVERY, ENOUGH = 8, 24  # every how many-th view is set aside by itself, of so many views at least
ROOM = 0.15  # around the box that comes with a dataset, in its longest sides
FEWEST = 3  # views to learn from
ASSET_LIGHT = Lights(direction=(0.5, 0.8, 0.6), intensity=0.7, ambient=0.25)
KNOBS = ("shape", "albedo", "light", "pose", "intrinsics", "exposure")


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        views: to learn from, with images.
        unseen: views to measure by, which nothing else sees; None: there are none.
        folds: the numbers of the views (among `views`) that each reconstruction before the last one does not see.
        reference: the asset that the views are of, or None.
        lights: what is known of the light, or None.
        units: what a unit of length is, or None.
    """

    views: Views
    unseen: Views | None
    folds: tuple[tuple[int, ...], ...]
    reference: Mesh | None
    lights: Lights | None
    units: str | None


def load(settings: PhotometricSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
    """
    _check_knobs(settings.optimize)
    lights = None if settings.light is None else parse_light(settings.light)
    if is_dataset(settings.input):
        return _from_dataset(settings, lights)
    if settings.input.is_dir():
        raise InputError(
            f"{settings.input} holds neither a transforms.json nor a COLMAP model",
            "find the cameras of photographs with `invrender poses`, or name a dataset folder",
        )
    for name in ("masks", "bounds"):
        if getattr(settings, name) is not None:
            raise UsageError(f"--{name} goes with a dataset, and the input is a mesh", f"leave --{name} out")
    return _from_asset(settings, lights or ASSET_LIGHT, backend)


def _check_knobs(names: tuple[str, ...]) -> None:
    wrong = [name for name in names if name not in KNOBS]
    if wrong or "shape" not in names:
        cause = f"--optimize holds {wrong[0]!r}" if wrong else "--optimize leaves the shape out"
        raise UsageError(cause, f"name shape, and any of {', '.join(KNOBS[1:])}")


def _from_dataset(settings: PhotometricSettings, lights: Lights | None) -> Task:
    views = read_dataset(
        settings.input, settings.masks or AUTO, size=settings.size or DATASET_SIZE, skip_missing=settings.skip_missing,
        bounds=None if settings.bounds is None else grid_box(settings.bounds),
    )  # fmt: skip
    if settings.bounds is None and views.bounds is not None:
        views = replace(views, bounds=grown(views.bounds))
    if views.images is None:
        raise InputError(f"{settings.input} holds no colours", "use pictures in colour, or --method silhouette")
    kept = evenly(len(views), settings.views)
    views = views[kept]
    spare = _spare(views, settings.holdout)
    learn = [i for i in range(len(views)) if i not in spare]
    if len(learn) < FEWEST:
        raise InputError(f"{settings.input} leaves {len(learn)} views to learn from", "take more views, or --holdout 0")
    folds = folds_of(len(learn), settings.folds)
    return Task(replace(views[learn], held_out=()), views[spare] if spare else None, folds, None, lights, None)


def grown(box: torch.Tensor) -> torch.Tensor:
    """A box [2,3] that comes with a dataset, with room: points rarely lie on an object's outermost parts."""
    room = ROOM * (box[1] - box[0]).max()
    return torch.stack([box[0] - room, box[1] + room])


def _spare(views: Views, every: int | None) -> list[int]:
    """The views that are set aside: those the user asks for, else the dataset's own, else some of many."""
    if every is None:
        if views.held_out:
            return list(views.held_out)
        every = EVERY if len(views) >= ENOUGH else 0
    return list(range(0, len(views), every)) if every else []


def folds_of(count: int, folds: int) -> tuple[tuple[int, ...], ...]:
    """View numbers that each of `folds` reconstructions does not see: evenly spread, each view once at most."""
    if folds > count:
        raise UsageError(f"--folds is {folds}, and there are {count} views", f"give --folds {count} or less")
    every = max(folds, 8) if count >= 16 else folds
    return tuple(tuple(range(max(every // 2 - 1, 0) + fold * every // folds, count, every)) for fold in range(folds))


def _from_asset(settings: PhotometricSettings, lights: Lights, backend: Backend) -> Task:
    mesh = read_mesh(settings.input)
    size = settings.size or ASSET_SIZE
    cameras = _own_cameras(mesh, settings, (size, size))
    other = around(
        mesh, "sphere", UNSEEN_VIEWS, (size, size), distance=settings.distance, fov=settings.fov, azimuth=17.0
    )
    known = lights if "light" not in settings.optimize else None
    folds = folds_of(len(cameras), settings.folds)
    drawn, unseen = (render_views(mesh, each, backend, lights) for each in (cameras, other))
    return Task(drawn, unseen, folds, mesh, known, read_units(settings.input))


def _own_cameras(mesh: Mesh, settings: PhotometricSettings, size: tuple[int, int]) -> Cameras:
    count = settings.views or ASSET_VIEWS
    if settings.cameras not in ("orbit", "sphere"):
        cameras = read_cameras(Path(settings.cameras), size)
        return cameras[evenly(len(cameras), settings.views)]
    return around(
        mesh, "orbit" if settings.cameras == "orbit" else "sphere", count, size,
        distance=settings.distance, fov=settings.fov, elevation=settings.elevation,
    )  # fmt: skip


def describe(task: Task) -> str:
    """The task in a few words."""
    height, width = task.views.cameras.size
    unseen = f", {len(task.unseen)} more to measure by" if task.unseen else ""
    return f"{len(task.views)} photographs of {width} x {height}{unseen}"


def check(task: Task, backend: Backend) -> list[Finding]:
    """Masks of a dataset that contradict each other or touch the border, and exposures that differ by stops."""
    del backend
    if task.reference is not None:
        return []
    return posed_findings(agreement(task.views), cut_off(task.views))
