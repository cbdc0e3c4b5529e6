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
from invrender.evaluate.posed_views import agreement, cut_off, informed, posed_findings
from invrender.evaluate.unmasked import known_views, unmasked_findings
from invrender.evaluate.view_findings import view_findings
from invrender.findings import Finding
from invrender.io.datasets.dataset import is_dataset, read_cameras, read_views
from invrender.io.datasets.found_masks import folder_of_masks, masks_as_far_as_found
from invrender.io.meshes.objects import read_chosen
from invrender.io.meshes.read import read_units
from invrender.kernels import Backend
from invrender.methods.inputs import grid_box, is_plain, refuse_object
from invrender.methods.photometric.division import FEWEST, divided, folds_of
from invrender.methods.photometric.exposures import exposure_findings
from invrender.methods.photometric.settings import PhotometricSettings
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import first_shape
from invrender.nouns import Cameras, Lights, Mesh, Views
from invrender.render.raster import render_views
from invrender.run.relight import parse_light

ASSET_SIZE, DATASET_SIZE, ASSET_VIEWS, UNSEEN_VIEWS = 256, 400, 24, 8
ROOM = 0.15  # around the box that comes with a dataset, in its longest sides
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
        exposed: whether exposures are sought.
        gains: [N,3] by which the light of `views` has been multiplied already, or None.
        unmasked: the names of a dataset's views of which nothing is known, which are left out.
    """

    views: Views
    unseen: Views | None
    folds: tuple[tuple[int, ...], ...]
    reference: Mesh | None
    lights: Lights | None
    units: str | None
    exposed: bool = False
    gains: torch.Tensor | None = None
    unmasked: tuple[str, ...] = ()


def load(settings: PhotometricSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
    """
    _check_knobs(settings.optimize)
    lights = None if settings.light is None else parse_light(settings.light)
    if is_dataset(settings.input):
        refuse_object(settings.object)
        return _from_dataset(settings, lights)
    if settings.input.is_dir():
        raise InputError(
            f"{settings.input} holds neither a transforms.json nor a COLMAP model",
            "find the cameras of photographs with `invrender poses`, or name a dataset folder",
        )
    for name in ("masks", "bounds", "holdout"):
        if getattr(settings, name) is not None:
            raise UsageError(f"--{name} goes with a dataset, and the input is a mesh", f"leave --{name} out")
    return _from_asset(settings, lights or ASSET_LIGHT, backend)


def check_rays(cameras: Cameras, optimize: tuple[str, ...]) -> None:
    """Refuse to refine cameras whose rays are parallel (UsageError): how far they are away shows in no picture."""
    sought = [name for name in ("pose", "intrinsics") if name in optimize]
    if sought and bool(cameras.parallel.any()):
        raise UsageError(
            "cameras with parallel rays are taken as they are given", f"leave {sought[0]} out of --optimize"
        )


def _check_knobs(names: tuple[str, ...]) -> None:
    wrong = [name for name in names if name not in KNOBS]
    if wrong or "shape" not in names:
        cause = f"--optimize holds {wrong[0]!r}" if wrong else "--optimize leaves the shape out"
        raise UsageError(cause, f"name shape, and any of {', '.join(KNOBS[1:])}")


def _from_dataset(settings: PhotometricSettings, lights: Lights | None) -> Task:
    views = _read(settings)
    if settings.bounds is None and views.bounds is not None:
        views = replace(views, bounds=grown(views.bounds))
    if views.images is None or is_plain(views.images, views.masks):
        raise InputError(f"{settings.input} holds no colours", "use pictures in colour, or --method silhouette")
    check_rays(views.cameras, settings.optimize)
    known, unmasked = known_views(views)
    views = views[[known[i] for i in evenly(len(known), settings.views)]]
    learn, spare = divided(views, settings.holdout)
    folds = folds_of(len(learn), settings.folds)
    views, unseen = replace(views[learn], held_out=()), views[spare] if spare else None
    return Task(views, unseen, folds, None, lights, None, "exposure" in settings.optimize, unmasked=unmasked)


def _read(settings: PhotometricSettings) -> Views:
    """The views, with masks found for those that bring none; where none can be found, other views' masks may do."""
    given, asked = folder_of_masks(settings.masks)
    read = read_views(
        settings.input, given, size=settings.size or DATASET_SIZE, unmasked=True, skip_missing=settings.skip_missing
    )
    views = read.views if settings.bounds is None else replace(read.views, bounds=grid_box(settings.bounds))
    found, unfound = masks_as_far_as_found(views, read.masked, read.covered)
    if unfound is not None and (asked or len(informed(found)) < FEWEST):
        raise unfound
    return found


def grown(box: torch.Tensor) -> torch.Tensor:
    """A box [2,3] that comes with a dataset, with room: points rarely lie on an object's outermost parts."""
    room = ROOM * (box[1] - box[0]).max()
    return torch.stack([box[0] - room, box[1] + room])


def _from_asset(settings: PhotometricSettings, lights: Lights, backend: Backend) -> Task:
    mesh = read_chosen(settings.input, settings.object)
    size = settings.size or ASSET_SIZE
    cameras = _own_cameras(mesh, settings, (size, size))
    check_rays(cameras, settings.optimize)
    other = around(
        mesh, "sphere", UNSEEN_VIEWS, (size, size), distance=settings.distance, fov=settings.fov, azimuth=17.0,
        parallel=settings.ortho,
    )  # fmt: skip
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
        distance=settings.distance, fov=settings.fov, elevation=settings.elevation, parallel=settings.ortho,
    )  # fmt: skip


def describe(task: Task) -> str:
    """The task in a few words."""
    height, width = task.views.cameras.size
    unseen = f", {len(task.unseen)} more to measure by" if task.unseen else ""
    return f"{len(task.views)} photographs of {width} x {height}{unseen}"


def _check_hull(task: Task, found: list[Finding], backend: Backend) -> None:
    """Refuse views that have no visual hull, by what is wrong with them where that was found."""
    try:
        first_shape(task.views, SilhouetteSettings(Path()), backend)
    except InputError as error:
        if not found:
            raise
        raise InputError(f"{found[0].cause}: {error.cause}", found[0].remedy) from error


def check(task: Task, backend: Backend) -> list[Finding]:
    """Of a dataset: masks that contradict each other or touch the border, views that are blurred or nearly the same,
    and exposures that differ by stops."""
    if task.reference is not None:
        return []
    found = [*posed_findings(agreement(task.views), cut_off(task.views)), *unmasked_findings(task.unmasked)]
    found += view_findings(task.views)
    try:
        return found if task.exposed else [*found, *exposure_findings(task.views, backend)]
    except InputError:  # no coarse hull: then the one that the shape grows from tells why, or is there all the same
        _check_hull(task, found, backend)
        return found
