"""What a run from colour views works on: its input, read and checked.

An asset's own views are drawn first, unlit and with its own transfer function, and the asset is set aside: from then on
it serves the metrics and the pictures of the target, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from invrender.cameras.framing import common_box
from invrender.cameras.rigs import evenly
from invrender.errors import InputError, UsageError
from invrender.evaluate.view_findings import view_findings
from invrender.evaluate.volume import heldout_cameras
from invrender.findings import Finding
from invrender.io.datasets.dataset import is_dataset, read_dataset
from invrender.io.volumes.paths import is_volume_path
from invrender.io.volumes.read import read_volume
from invrender.kernels import Backend
from invrender.methods.inputs import grid_box, grid_shape, own_cameras, read_asset
from invrender.methods.volume_colour.settings import ColourSettings
from invrender.nouns import Cameras, Views, Volume
from invrender.render.emission import QUALITY, VolumeStyle, check_colours, render_volume
from invrender.render.images import straight
from invrender.render.transfer import transfer_function
from invrender.run.memory import check_memory

Tensor = torch.Tensor

ASSET_SIZE, ASSET_VIEWS, DATASET_SIZE = 96, 32, 128
LONGEST = 64  # samples of the grid's longest axis, unless given
UNSEEN_VIEWS, UNSEEN_EVERY, ENOUGH = 8, 8, 16


@dataclass(frozen=True)
class StyledVolume:
    """A volume and the style in which it is shown."""

    volume: Volume
    style: VolumeStyle


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        views: to learn from.
        unseen: views to measure by alone, or None where a dataset has too few to spare some.
        shape, bounds: of the grid to find.
        known: the volume whose transfer function is sought, or None.
        target: the asset as it is shown, or None for a dataset.
    """

    views: Views
    unseen: Views | None
    shape: tuple[int, int, int]
    bounds: Tensor
    known: Volume | None
    target: StyledVolume | None

    @property
    def window(self) -> tuple[float, float]:
        """The values that the first and the last row of the transfer function stand for."""
        assert self.known is not None
        own = transfer_function(self.known)
        return own.low, own.high


def load(settings: ColourSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
        MemoryLimitError: the job would not fit.
    """
    known = None if settings.known is None else read_volume(settings.known)
    if known is not None and len(known.values) != 1:
        raise InputError(f"{settings.known} has {len(known.values)} channels", "give a volume of one channel")
    if known is not None and settings.field == "neural":
        raise UsageError("--known seeks a transfer function, and no field", "leave --field neural out")
    if is_volume_path(settings.input):
        return _asset(read_asset(settings), known, settings, backend)
    if not is_dataset(settings.input):
        raise InputError(
            f"{settings.input} is neither a volume file nor a dataset of images",
            "name a volume, or a folder with transforms.json (see `invrender render VOLUME --dataset DIR`)",
        )
    views = read_dataset(
        settings.input, size=settings.size or DATASET_SIZE, skip_missing=settings.skip_missing, held_out=False
    )
    if views.images is None:
        raise InputError(f"{settings.input} holds no colours", "use RGBA images")
    views = views[evenly(len(views.cameras), settings.views)]
    spare = list(range(UNSEEN_EVERY // 2, len(views.cameras), UNSEEN_EVERY)) if len(views.cameras) >= ENOUGH else []
    bounds = common_box(views.cameras) if known is None else known.bounds.double()
    bounds = bounds if settings.bounds is None else grid_box(settings.bounds)
    shape = _shape(settings.grid, bounds)
    check_memory(shape, views.masks.numel())
    kept = [i for i in range(len(views.cameras)) if i not in spare]
    return Task(views[kept], views[spare] if spare else None, shape, bounds, known, None)


def _asset(volume: Volume, known: Volume | None, settings: ColourSettings, backend: Backend) -> Task:
    if settings.bounds is not None:
        raise UsageError("--bounds goes with a dataset, and the input is a volume", "leave it out")
    count, size = settings.views or ASSET_VIEWS, settings.size or ASSET_SIZE
    check_colours(volume)
    bounds = volume.bounds.double()
    shape = _shape(settings.grid, bounds, (volume.values.shape[1], volume.values.shape[2], volume.values.shape[3]))
    check_memory(shape, count * size * size)
    own = None
    if len(volume.values) == 1:
        own = transfer_function(volume, settings.colormap, settings.opacity, settings.strength)
    target = StyledVolume(volume, VolumeStyle(own, None, quality=QUALITY["standard"]))
    cameras = own_cameras(volume, settings, count, size)
    views = _drawn(target, cameras, backend)
    if float(views.masks.max()) <= 0:
        raise InputError("no camera sees anything of the volume", "raise strength, or check the volume's values")
    return Task(
        views, _drawn(target, heldout_cameras(volume, UNSEEN_VIEWS, size), backend), shape, bounds, known, target
    )


def _drawn(target: StyledVolume, cameras: Cameras, backend: Backend) -> Views:
    colour, alpha = straight(render_volume(target.volume, cameras, target.style, backend).cpu())
    return Views(cameras, alpha, colour)


def _shape(
    grid: tuple[int, ...] | None, bounds: Tensor, own: tuple[int, int, int] | None = None
) -> tuple[int, int, int]:
    if grid is not None:
        return grid_shape(grid)
    sides = (bounds[1] - bounds[0]).flip(0)
    counts = sides / sides.max() * (LONGEST - 1) + 1 if own is None else torch.tensor(own).double()
    counts = (counts * min(1.0, LONGEST / float(counts.max()))).round().clamp(min=2)
    depth, height, width = (int(n) for n in counts)
    return depth, height, width


def describe(task: Task) -> str:
    """The task in a few words."""
    depth, height, width = task.shape
    size = task.views.cameras.size
    sought = f"grid of {width} x {height} x {depth}" if task.known is None else "transfer function"
    return f"{len(task.views.cameras)} views of {size[1]} x {size[0]}, {sought}"


def check(task: Task, backend: Backend) -> list[Finding]:
    """Views of a dataset that are blurred or nearly the same."""
    del backend
    return view_findings(task.views) if task.target is None else []
