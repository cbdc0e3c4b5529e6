"""What a run from silhouettes works on: its input, read and checked.

An asset's own views are rendered first and the asset is set aside: from then on it serves the metrics and the pictures
of the target, and nothing else.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from invrender.cameras.around import around
from invrender.cameras.rigs import evenly
from invrender.errors import CheckpointError, InputError, UsageError
from invrender.evaluate.posed_views import Agreement, agreement, cut_off, informed, posed_findings, view_names
from invrender.findings import Finding
from invrender.io.datasets.dataset import is_dataset, read_cameras, read_dataset
from invrender.io.files.paths import listing
from invrender.kernels import Backend
from invrender.methods.inputs import grid_box, is_plain, refuse_object
from invrender.methods.silhouette.selection import FEWEST_VIEWS
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.nouns import Cameras, Mesh, Views
from invrender.nouns.coverage import FULL, covers, in_bytes
from invrender.render.apart import apart
from invrender.render.raster import coverage_of, solid_on

PIXELS_AT_ONCE = 2**22  # of masks that are drawn as floats
MASK_SAMPLES = 4  # an asset's masks are averaged from this many samples on each side of a pixel
SHOW_ALL = "leave --distance out, or give a larger one or a larger --fov; with --cameras FILE, let them see all of it"
ASSET_SIZE, DATASET_SIZE, ASSET_VIEWS = 256, 384, 12


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        views: posed masks.
        unmasked: the names of a dataset's views without masks, which are left out.
        reference: the asset that the views came from; None for a dataset.
        initial: the mesh to start from, or None.
        units: what a unit of length is.
        pictures: the views with their colours, which the result gets in the end; None: they show none.
    """

    views: Views
    unmasked: tuple[str, ...]
    reference: Mesh | None
    initial: Mesh | None
    units: str | None
    pictures: Views | None = None


def load(settings: SilhouetteSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
    """
    from invrender.io.assets import identify
    from invrender.io.meshes.objects import read_chosen
    from invrender.io.meshes.read import read_units

    initial = None if settings.init in ("hull", "sphere") else _first_mesh(Path(settings.init))
    if is_dataset(settings.input):
        refuse_object(settings.object)
        views, unmasked = _read(settings)
        return Task(replace(views, images=None), unmasked, None, initial, settings.units, _pictures(views))
    if settings.input.is_dir():
        identify(settings.input)  # tells what to do with slices of a volume
        raise InputError(
            f"{settings.input} holds neither a transforms.json nor a COLMAP model, nor photographs",
            "name photographs, a video, a mesh file, or a dataset folder (see `invrender render --dataset`)",
        )
    for flag in ("masks", "bounds"):
        if getattr(settings, flag) is not None:
            raise UsageError(f"--{flag} goes with a dataset, and the input is a mesh", f"leave --{flag} out")
    mesh = read_chosen(settings.input, settings.object)
    masks, cameras = own_masks(mesh, settings, backend)
    return Task(Views(cameras, masks), (), mesh, initial, settings.units or read_units(settings.input))


def _pictures(views: Views) -> Views | None:
    """The views, where they show colours."""
    return None if views.images is None or is_plain(views.images, views.masks) else views


def _read(settings: SilhouetteSettings) -> tuple[Views, tuple[str, ...]]:
    """The views of a dataset whose masks show something of the object, and the names of the others."""
    from invrender.io.datasets.kinds import shows_colours

    views = read_dataset(
        settings.input, settings.masks, size=settings.size or DATASET_SIZE,
        images=settings.colours == "auto" and shows_colours(settings.input), held_out=False,
        skip_missing=settings.skip_missing, mask_refine=settings.mask_refine, in_bytes=True,
        bounds=None if settings.bounds is None else grid_box(settings.bounds),
    )  # fmt: skip
    views = views[evenly(len(views), settings.views)]
    if views.confidence is None:
        return views, ()
    seen = informed(views)
    if len(seen) < 2:
        raise InputError(
            f"{settings.input}: {len(seen)} of {len(views)} views have a mask, and a shape needs at least 2",
            "give --masks a folder with more of them, or --masks auto before a plain background",
        )
    names = view_names(views)
    return views[seen], tuple(names[view] for view in range(len(views)) if view not in seen)


def _first_mesh(path: Path) -> Mesh:
    """A mesh to start from: a mesh file, or a checkpoint of an earlier run."""
    from invrender.io.meshes.read import read_mesh
    from invrender.run.checkpoints import load_checkpoint

    if path.suffix != ".npz":
        return read_mesh(path)
    _, arrays = load_checkpoint(path)
    if not {"vertices", "faces"} <= arrays.keys():
        raise CheckpointError(f"{path} holds no mesh", "name a checkpoint of a run that reconstructed a mesh")
    return Mesh.from_numpy(arrays["vertices"], arrays["faces"])


def own_masks(mesh: Mesh, settings: SilhouetteSettings, backend: Backend) -> tuple[torch.Tensor, Cameras]:
    """The masks [N,H,W] in bytes of an asset from the rig of the settings."""
    size = settings.size or ASSET_SIZE
    cameras = _cameras(mesh, settings, (size, size))
    masks = apart(_masks, (mesh, backend), cameras)
    covered = masks.numpy().sum((1, 2), dtype=np.int64)  # in 255ths of a pixel; torch would copy them all
    if not bool((covered > 0.5 * FULL).all()):
        raise InputError(
            f"the asset cannot be seen from camera {int(covered.argmin())}",
            "look from nearer (--distance) or with a smaller --fov, or ask for a larger --size",
        )
    greatest = masks.amax((1, 2))
    if not bool(covers(greatest).all()):
        raise InputError(
            f"the asset is thinner than a pixel in the image of camera {int(greatest.argmin())}",
            f"ask for a larger --size (now {size}), or look from nearer (--distance) or with a smaller --fov",
        )
    least = masks.amin((1, 2))
    if bool(covers(least).any()):
        raise InputError(
            f"the asset fills the image of camera {int(least.argmax())}",
            "look from farther away (--distance), or with a larger --fov",
        )
    return masks, cameras


def _masks(mesh: Mesh, backend: Backend, cameras: Cameras) -> torch.Tensor:
    """Masks [N,H,W] in bytes, a few at a time."""
    step = max(1, PIXELS_AT_ONCE // math.prod(cameras.size))
    solid = solid_on(backend, mesh)
    masks = torch.empty(len(cameras), *cameras.size, dtype=torch.uint8)
    for begin in range(0, len(cameras), step):
        part = cameras[begin : begin + step]
        masks[begin : begin + step] = in_bytes(coverage_of(solid, part, backend, MASK_SAMPLES).cpu())
    return masks


def _cameras(mesh: Mesh, settings: SilhouetteSettings, size: tuple[int, int]) -> Cameras:
    count = settings.views or ASSET_VIEWS
    if settings.cameras in ("orbit", "sphere"):
        return around(
            mesh, "orbit" if settings.cameras == "orbit" else "sphere", count, size,
            distance=settings.distance, fov=settings.fov, elevation=settings.elevation, parallel=settings.ortho,
        )  # fmt: skip
    cameras = read_cameras(Path(settings.cameras), size)
    return cameras[evenly(len(cameras), settings.views)]


def describe(task: Task) -> str:
    """The task in a few words."""
    height, width = task.views.cameras.size
    return f"{len(task.views.cameras)} views of {width} x {height}"


def check(task: Task, backend: Backend) -> list[Finding]:
    """Masks that touch the border of their image; of a dataset, views that contradict each other or are the same."""
    from invrender.evaluate.view_findings import view_findings

    del backend
    if task.reference is not None:
        return posed_findings(Agreement(view_names(task.views), ()), cut_off(task.views), own=SHOW_ALL)
    return [*posed_findings(agreement(task.views), cut_off(task.views)), *view_findings(task.views)]


def notices(task: Task) -> list[str]:
    """What a user should know beforehand."""
    told = []
    if task.unmasked:
        told.append(f"{len(task.unmasked)} views have no mask and take no part: {listing(task.unmasked)}")
    if len(task.views.cameras) < FEWEST_VIEWS:
        told.append(f"fewer than {FEWEST_VIEWS} views leave much of the shape open: expect a rough one")
    return told
