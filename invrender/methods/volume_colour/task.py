"""The run behind `invrender reconstruct --method volume`: colour views to density and colour, or a transfer function.

An asset's own views are drawn first, unlit and with its own transfer function, and the asset is set aside: from then on
it serves the metrics and the pictures of the target, and nothing else.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import torch

from invrender.cameras.projection import common_point, intrinsics
from invrender.cameras.rigs import evenly
from invrender.colour import linear_to_srgb
from invrender.errors import InputError, UsageError
from invrender.evaluate.volume import decibel, heldout_cameras
from invrender.io.datasets.dataset import is_dataset, read_dataset
from invrender.io.files.atomic import atomic_write_text
from invrender.io.images import write_gif
from invrender.io.volumes.read import is_volume_path, read_volume
from invrender.io.volumes.write import write_volume
from invrender.kernels import VolumeKernels
from invrender.methods.inputs import grid_box, grid_shape, own_cameras
from invrender.methods.volume_colour import schedule as volume_colour
from invrender.methods.volume_colour.film import Film, Painting
from invrender.nouns import Cameras, Views, Volume
from invrender.nouns.transfer import TransferFunction
from invrender.render.emission import QUALITY, Look, render_volume
from invrender.render.images import straight
from invrender.render.transfer import transfer_function
from invrender.run.folder import RunFolder
from invrender.run.memory import check_memory
from invrender.run.progress import Progress
from invrender.run.settings import VolumeRunSettings

Tensor = torch.Tensor

ASSET_SIZE, ASSET_VIEWS, DATASET_SIZE = 96, 32, 128
LONGEST = 64  # samples of the grid's longest axis, unless told
UNSEEN_VIEWS, UNSEEN_EVERY, ENOUGH = 8, 8, 16
POINTS = 17  # of the transfer function, as options of `invrender render`
GIF_SPEED = 8.0

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 120, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 900, "rays": 16384},
}


@dataclass(frozen=True)
class ColourSettings(VolumeRunSettings):
    """What a run from colour images adds; 32 views of 96 pixels of an asset, or a dataset's scaled down to 128.

    Unless given, the box is the asset's, or what all cameras see, with at most 64 samples along the longest axis.

    Attributes:
        known: the volume whose transfer function is sought; none: density and colour are.
        colormap, opacity, strength: the transfer function under which an asset shows itself; see `transfer_function`.
        iterations, rays, rate, smoothing: see `problem.volume_colour.Settings`.
    """

    method: Literal["volume"] = "volume"
    known: Path | None = None
    colormap: str = "inferno"
    opacity: str = "linear"
    strength: float = 0.3
    iterations: int = 400
    rays: int = 8192
    rate: float = 0.12
    smoothing: float = 1.0


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        views: to learn from.
        unseen: views to measure by alone, or None where a dataset has too few to spare some.
        shape, bounds: of the grid to find.
        known: the volume whose transfer function is sought, or None.
        target: what the asset looks like, or None for a dataset.
    """

    views: Views
    unseen: Views | None
    shape: tuple[int, int, int]
    bounds: Tensor
    known: Volume | None
    target: Painting | None


def load(settings: ColourSettings, kernels: VolumeKernels) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
        MemoryLimitError: the job would not fit.
    """
    known = None if settings.known is None else read_volume(settings.known)
    if known is not None and len(known.values) != 1:
        raise InputError(f"{settings.known} has {len(known.values)} channels", "give a volume of one channel")
    if is_volume_path(settings.input):
        return _asset(read_volume(settings.input), known, settings, kernels)
    if not is_dataset(settings.input):
        raise InputError(
            f"{settings.input} is neither a volume file nor a dataset of images",
            "name a volume, or a folder with transforms.json (see `invrender render VOLUME --dataset DIR`)",
        )
    views = read_dataset(settings.input, size=settings.size or DATASET_SIZE)
    if views.images is None:
        raise InputError(f"{settings.input} holds no colours", "use RGBA images")
    views = _part(views, evenly(len(views.cameras), settings.views))
    spare = list(range(UNSEEN_EVERY // 2, len(views.cameras), UNSEEN_EVERY)) if len(views.cameras) >= ENOUGH else []
    bounds = _seen_box(views.cameras) if known is None else known.bounds.double()
    bounds = bounds if settings.bounds is None else grid_box(settings.bounds)
    shape = _shape(settings.grid, bounds)
    check_memory(shape, views.masks.numel())
    kept = [i for i in range(len(views.cameras)) if i not in spare]
    return Task(_part(views, kept), _part(views, spare) if spare else None, shape, bounds, known, None)


def _asset(volume: Volume, known: Volume | None, settings: ColourSettings, kernels: VolumeKernels) -> Task:
    if settings.bounds is not None:
        raise UsageError("--bounds goes with a dataset, and the input is a volume", "leave it out")
    count, size = settings.views or ASSET_VIEWS, settings.size or ASSET_SIZE
    bounds = volume.bounds.double()
    shape = _shape(settings.grid, bounds, (volume.values.shape[1], volume.values.shape[2], volume.values.shape[3]))
    check_memory(shape, count * size * size)
    own = None
    if len(volume.values) == 1:
        own = transfer_function(volume, settings.colormap, settings.opacity, settings.strength)
    target = Painting(volume, Look(own, None, quality=QUALITY["standard"]))
    cameras = own_cameras(volume, settings, count, size)
    views = _drawn(target, cameras, kernels)
    if float(views.masks.max()) <= 0:
        raise InputError("no camera sees anything of the volume", "raise strength, or check the volume's values")
    return Task(
        views, _drawn(target, heldout_cameras(volume, UNSEEN_VIEWS, size), kernels), shape, bounds, known, target
    )


def _drawn(target: Painting, cameras: Cameras, kernels: VolumeKernels) -> Views:
    colour, alpha = straight(render_volume(target.volume, cameras, target.look, kernels).cpu())
    return Views(cameras, alpha, colour)


def _part(views: Views, chosen: list[int]) -> Views:
    images = None if views.images is None else views.images[chosen]
    return Views(views.cameras[chosen], views.masks[chosen], images)


def _seen_box(cameras: Cameras) -> Tensor:
    """The cube around the largest ball that every camera sees whole, where they all look."""
    centre, _ = common_point(cameras)
    fx, fy, _, _ = intrinsics(cameras)
    height, width = cameras.size
    angle = torch.minimum(torch.atan(width / 2 / fx), torch.atan(height / 2 / fy))
    radius = float(((cameras.position - centre).norm(dim=1) * torch.sin(angle)).min())
    return torch.stack([centre - radius, centre + radius])


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


def execute(
    task: Task, settings: ColourSettings, kernels: VolumeKernels, run: RunFolder, progress: Progress
) -> dict[str, Any]:
    """Reconstruct, write every file of the run, and return the metrics."""
    run.note(seed=settings.seed, backend=kernels.name, device=str(kernels.device))
    run.log(f"backend {kernels.name}: {kernels.description}")
    depth, height, width = task.shape
    size = task.views.cameras.size
    sought = f"grid of {width} x {height} x {depth}" if task.known is None else "transfer function"
    progress.say(f"{len(task.views.cameras)} views of {size[1]} x {size[0]}, {sought}")
    film = Film(task.target, task.views, settings.gif_frames, kernels)
    last = _follow(task, settings, kernels, run, progress, film)
    result = _painting(last)
    progress.say("measuring and writing")
    with run.timed("measure"):
        metrics = _measure(task, result, last, kernels)
    with run.timed("write"):
        _write(run, task, result)
        run.metrics(metrics)
        if settings.gif_frames:
            write_gif(run.file("progress.gif"), film.frames(), GIF_SPEED)
    return metrics


def _follow(
    task: Task, settings: ColourSettings, kernels: VolumeKernels, run: RunFolder, progress: Progress, film: Film
) -> volume_colour.Step:
    """Consume the steps: progress, losses, pictures; return the last one."""
    steps = _steps(task, settings, kernels)
    progress.start("descend", settings.iterations)
    last: volume_colour.Step | None = None
    while True:
        with run.timed("solve"):
            step = next(steps, None)
        if step is None:
            break
        last = step
        progress.step(step.index, step.terms)
        run.losses(step.index, step.terms)
        run.keep(step.index + 1, step.total, partial(_state, step))
        if film.is_due(step.index, step.total):
            film.add(_painting(step))
    if last is None:
        raise UsageError("--iterations is 0: nothing would be learnt", "give --iterations 1 or more")
    return last


def _steps(task: Task, settings: ColourSettings, kernels: VolumeKernels) -> Iterator[volume_colour.Step]:
    chosen = volume_colour.Settings(
        settings.iterations, settings.rays, settings.rate, settings.smoothing, seed=settings.seed
    )
    if task.known is None:
        return volume_colour.recover_colour(task.views, task.bounds, task.shape, chosen, kernels)
    transfer = transfer_function(task.known)
    window = (transfer.low, transfer.high)
    return volume_colour.recover_transfer(task.views, task.known, chosen, kernels, window)


def _state(step: volume_colour.Step) -> dict[str, Any]:
    """What a checkpoint holds: density and colour, or the table of the transfer function."""
    if step.transfer is None:
        return {"values": step.volume().values.cpu().numpy()}
    transfer = step.transfer()
    return {"colours": transfer.colours.cpu().numpy(), "opacity": transfer.opacity.cpu().numpy()}


def _painting(step: volume_colour.Step) -> Painting:
    transfer = None if step.transfer is None else step.transfer()
    return Painting(step.volume(), Look(transfer, None))


def _measure(task: Task, result: Painting, last: volume_colour.Step, kernels: VolumeKernels) -> dict[str, Any]:
    """What metrics.json holds: how well the input's views and those left out are predicted (RGB over black, alpha)."""
    return {
        "views": len(task.views.cameras),
        "views_psnr": _psnr(task.views, result, kernels),
        "heldout_views": 0 if task.unseen is None else len(task.unseen.cameras),
        "heldout_psnr": None if task.unseen is None else _psnr(task.unseen, result, kernels),
        "sought": "density and colour" if task.known is None else "transfer function",
        "loss": last.terms["loss"],
    }


def _psnr(views: Views, result: Painting, kernels: VolumeKernels) -> float | None:
    assert views.images is not None
    shown = render_volume(result.volume, views.cameras, result.look, kernels).cpu()
    expected = torch.cat([views.images * views.masks[..., None], views.masks[..., None]], -1)
    value = decibel(1.0, float((shown - expected).double().square().mean()))
    return value if math.isfinite(value) else None


def _write(run: RunFolder, task: Task, result: Painting) -> None:
    if task.known is None:
        write_volume(run.file("volume.npz"), result.volume)
        write_volume(run.file("volume.vti"), result.volume)
    elif result.look.transfer is not None:
        table = transfer_table(result.look.transfer)
        atomic_write_text(run.file("transfer.json"), json.dumps(table, indent=1) + "\n")


def transfer_table(transfer: TransferFunction) -> dict[str, Any]:
    """A transfer function as `invrender render` takes it: --window, --colormap and --opacity."""
    rows = torch.linspace(0, len(transfer.opacity) - 1, POINTS).round().long()
    places = (rows / (len(transfer.opacity) - 1)).tolist()
    colours = (linear_to_srgb(transfer.colours[rows].numpy()) * 255).round().astype(int).tolist()
    opacities = transfer.opacity[rows].clamp(0, 1).tolist()
    return {
        "window": f"{transfer.low:g},{transfer.high:g}",
        "colormap": ",".join(
            f"{place:.4g}:#{r:02x}{g:02x}{b:02x}" for place, (r, g, b) in zip(places, colours, strict=True)
        ),
        "opacity": ",".join(f"{place:.4g}:{value:.4g}" for place, value in zip(places, opacities, strict=True)),
    }
