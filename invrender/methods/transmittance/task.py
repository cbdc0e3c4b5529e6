"""What a run from transmittance works on: its input, read and checked, and what comes out.

An asset's own views are measured first and the asset is set aside: from then on it serves the metrics and the pictures
of the target, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NoReturn

import torch

from invrender.cameras.projection import common_point
from invrender.cameras.rigs import evenly
from invrender.errors import InputError, UsageError
from invrender.findings import Finding
from invrender.io.datasets.transmittance import TransmittanceViews, is_transmittance, read_transmittance
from invrender.io.scans import is_scan
from invrender.io.volumes.paths import is_volume_path
from invrender.kernels import Backend
from invrender.methods.inputs import grid_box, grid_shape, own_cameras, read_asset
from invrender.methods.transmittance.air import check_air, read_air
from invrender.methods.transmittance.budget import bytes_each
from invrender.methods.transmittance.measurement import DEEPEST, Measurement, Noise, exposed, measure, parse_noise
from invrender.methods.transmittance.outputs import Outputs
from invrender.methods.transmittance.scan_input import read_input
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns import Cameras, Volume
from invrender.parameters.neural_field import LearnedField
from invrender.radiography.switches import refuse_switches
from invrender.render.absorption import check_extinction, density, transmittance
from invrender.run.memory import check_memory

if TYPE_CHECKING:
    from invrender.methods.transmittance.comparison import Comparison

Tensor = torch.Tensor
Shape = tuple[int, int, int]

ASSET_SIZE, ASSET_VIEWS = 128, 64
GIF_SPEED = 8.0
MOST_EXTINCTION = 1e38  # by which densities are divided, in float32
NOISY = "poisson:PHOTONS"


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        measurement: the views.
        shape, bounds: of the grid to find.
        extinction: the measured optical depths are this times those of the density that is asked for.
        reference: the asset, or None.
        outputs: which files are written besides.
        log: what a user should know of how the input was made ready, a line each.
        findings: what looked wrong in it then.
        field_of_view: [D,H,W] bool, what all views see of the grid, where they cut the object off.
    """

    measurement: Measurement
    shape: tuple[int, int, int]
    bounds: Tensor
    extinction: float
    reference: Volume | None
    outputs: Outputs = field(default_factory=Outputs)
    log: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    field_of_view: Tensor | None = None


@dataclass(frozen=True)
class Result:
    """Density [D,H,W], the smoothing weight that was used, its held-out scores, and what was carved and sampled.

    `tight`: whether what lies within a cell of the object was found to be empty; `field`: in the units of the input,
    where one was trained; `comparison`: with other solvers, where that was asked for.
    """

    density: Tensor
    smoothing: float
    scores: dict[float, float]
    support: float
    samples: int
    tight: bool
    field: LearnedField | None = None
    comparison: Comparison | None = None


def load(settings: TransmittanceSettings, backend: Backend) -> Task:
    """Read the input and check it before any work starts.

    Raises:
        UsageError: settings that make no sense.
        InputError: an input that cannot be used.
        MemoryLimitError: the job would not fit.
    """
    extinction = check_extinction(settings.extinction)
    noise = None if settings.noise is None else parse_noise(settings.noise)
    shape = None if settings.grid is None else grid_shape(settings.grid)
    bounds = None if settings.bounds is None else grid_box(settings.bounds)
    if settings.compare and settings.field != "grid":
        raise UsageError("--compare goes with grids, and --field is neural", "leave one of them out")
    if not is_scan(settings.input):
        refuse_switches(vars(settings))
    if is_volume_path(settings.input):
        if bounds is not None or shape is not None:
            raise UsageError("--bounds and --grid go with a dataset, and the input is a volume", "leave them out")
        return _asset(read_asset(settings), settings, backend, extinction, noise or Noise())
    if is_scan(settings.input):
        scan = read_input(settings, shape, bounds, noise)
        return Task(scan.measurement, scan.shape, scan.bounds, 1.0, None, log=scan.log, findings=scan.findings)
    return _dataset(settings, shape, bounds, noise)


def _asset(
    volume: Volume, settings: TransmittanceSettings, backend: Backend, extinction: float | None, noise: Noise
) -> Task:
    count, size = settings.views or ASSET_VIEWS, settings.size or ASSET_SIZE
    density(volume)
    check_task_memory(volume.shape, count * size * size)
    cameras = own_cameras(volume, settings, count, size)
    light, factor = transmittance(volume, cameras, backend, extinction)
    if float(factor) > MOST_EXTINCTION:
        raise InputError(
            f"the values (up to {float(volume.values.max()):g}) are at the end of what float32 holds",
            "scale them up before (by 1e30, say): a density has no unit here",
        )
    images = exposed(light, noise, settings.seed)
    return Task(measure(cameras, images, noise), volume.shape, volume.bounds, float(factor), volume)


def _dataset(
    settings: TransmittanceSettings, shape: tuple[int, int, int] | None, bounds: Tensor | None, noise: Noise | None
) -> Task:
    if not is_transmittance(settings.input):
        raise InputError(
            f"{settings.input} is neither a volume file nor a dataset of transmittance",
            'write "kind": "transmittance" (or "line-integral") into its transforms.json; '
            "see `invrender render VOLUME --mode transmittance --dataset DIR`",
        )
    views = read_transmittance(settings.input)
    chosen = evenly(len(views.cameras), settings.views)
    cameras, images = views.cameras[chosen], views.images[chosen]
    box = views.bounds if bounds is None else bounds
    if box is None:
        _ask_for_bounds(cameras)
    grid = shape or views.grid or pixel_grid(cameras, box)
    check_task_memory(grid, images.numel())
    names = tuple(views.names[i] for i in chosen) if views.names else ()
    views = replace(views, cameras=cameras, images=images, names=names)
    data = measured(views, box, grid, noise, posed=settings.calibrate == "none")
    return Task(data, grid, box, views.extinction, None)


def measured(
    views: TransmittanceViews, box: Tensor, grid: tuple[int, int, int], noise: Noise | None, posed: bool = True
) -> Measurement:
    """A dataset's views, checked against the box, unless their poses have yet to be found.

    Raises:
        InputError: too few views, another scale than transmittance's, a box that is too small, impossible pixels.
    """
    if len(views.cameras) < 2:
        raise InputError(
            "the dataset has one view, which does not fix a volume", "give 12 views or more, from all around"
        )
    noise = noise or Noise("8bit" if views.eight_bit else "float")
    images = torch.exp(-views.images.clamp(min=-DEEPEST)) if views.kind == "line-integral" else views.images
    names = views.names or tuple(f"view {i}" for i in range(len(views.cameras)))
    air = read_air(images, views.cameras, box, (box[1] - box[0]) / (torch.tensor(grid[::-1]) - 1))
    if posed:
        check_air(air, views.kind, float(images.nan_to_num(0).max()), noise.deviation, names)
    counted = air.spread > 1e-4
    return measure(
        views.cameras, images, noise, names, f"poisson:{float(f'{1 / air.spread**2:.2g}'):.0f}" if counted else NOISY
    )


def _ask_for_bounds(cameras: Cameras) -> NoReturn:
    centre, _ = common_point(cameras)
    raise InputError(
        "the dataset does not say where the grid's box lies",
        "pass --bounds x0,y0,z0,x1,y1,z1 (the cameras look at " + ", ".join(f"{c:.3g}" for c in centre.tolist()) + ")",
    )


def check_task_memory(shape: tuple[int, int, int], pixels: int) -> None:
    """Raises:
    MemoryLimitError: a grid and so many pixels would not fit.
    """
    per_voxel, per_pixel = bytes_each(shape)
    check_memory(shape, pixels, per_voxel=per_voxel, per_ray=per_pixel)


def pixel_grid(cameras: Cameras, box: Tensor) -> tuple[int, int, int]:
    """As many samples along the longest axis as an image has pixels along its shorter side, in cubic cells."""
    sides = (box[1] - box[0]).flip(0)
    counts = (sides / sides.max() * (min(cameras.size) - 1)).round().long() + 1
    depth, height, width = (max(2, int(n)) for n in counts)
    return depth, height, width


def describe(task: Task) -> str:
    """The task in a few words."""
    views, size = len(task.measurement.cameras), task.measurement.cameras.size
    depth, height, width = task.shape
    return f"{views} views of {size[1]} x {size[0]}, grid of {width} x {height} x {depth}"


def notices(task: Task) -> list[str]:
    """What a user should know beforehand."""
    masked = task.measurement.masked
    left_out = [f"{masked} pixels without light, or marked as bad by NaN, are left out"] if masked else []
    return [*task.log, *left_out]
