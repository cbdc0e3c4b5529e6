"""What a run from transmittance works on: its input, read and checked, and what comes out.

An asset's own views are measured first and the asset is set aside: from then on it serves the metrics and the pictures
of the target, and nothing else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

import torch

from invrender.cameras.projection import common_point
from invrender.cameras.rigs import evenly
from invrender.errors import InputError, UsageError
from invrender.io.datasets.transmittance import is_transmittance, read_transmittance
from invrender.io.volumes.read import is_volume_path
from invrender.kernels import Backend
from invrender.methods.inputs import grid_box, grid_shape, own_cameras, read_asset
from invrender.methods.transmittance.measurement import Measurement, Noise, exposed, measure, parse_noise
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns import Cameras, Volume
from invrender.render.absorption import check_extinction, density, transmittance
from invrender.run.memory import check_memory

Tensor = torch.Tensor

ASSET_SIZE, ASSET_VIEWS = 128, 64
GIF_SPEED = 8.0
MOST_EXTINCTION = 1e38  # by which densities are divided, in float32


@dataclass(frozen=True)
class Task:
    """What a run works on.

    Attributes:
        measurement: the views.
        shape, bounds: of the grid to find.
        extinction: the measured optical depths are this times those of the density that is asked for.
        reference: the asset, or None.
    """

    measurement: Measurement
    shape: tuple[int, int, int]
    bounds: Tensor
    extinction: float
    reference: Volume | None


@dataclass(frozen=True)
class Result:
    """Density [D,H,W], the smoothing weight that was used, its held-out scores, and what was carved and sampled."""

    density: Tensor
    smoothing: float
    scores: dict[float, float]
    support: float
    samples: int


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
    if is_volume_path(settings.input):
        if bounds is not None or shape is not None:
            raise UsageError("--bounds and --grid go with a dataset, and the input is a volume", "leave them out")
        return _asset(read_asset(settings), settings, backend, extinction, noise or Noise())
    return _dataset(settings, shape, bounds, noise)


def _asset(
    volume: Volume, settings: TransmittanceSettings, backend: Backend, extinction: float | None, noise: Noise
) -> Task:
    count, size = settings.views or ASSET_VIEWS, settings.size or ASSET_SIZE
    density(volume)
    check_memory(volume.shape, count * size * size)
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
    grid = shape or views.grid or _pixels(cameras, box)
    check_memory(grid, images.numel())
    if noise is None:
        noise = Noise("8bit" if views.eight_bit else "float")
    if views.kind == "line-integral":
        if bool((images < -1e-3 * images.abs().max()).any()):
            raise InputError(
                "the line integrals hold negative values", "check their sign: absorption counts as positive"
            )
        images = torch.exp(-images.clamp(min=0))
    return Task(measure(cameras, images, noise), grid, box, views.extinction, None)


def _ask_for_bounds(cameras: Cameras) -> NoReturn:
    centre, _ = common_point(cameras)
    raise InputError(
        "the dataset does not say where the grid's box lies",
        "pass --bounds x0,y0,z0,x1,y1,z1 (the cameras look at " + ", ".join(f"{c:.3g}" for c in centre.tolist()) + ")",
    )


def _pixels(cameras: Cameras, box: Tensor) -> tuple[int, int, int]:
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
    return [f"{masked} saturated pixels (no light came through) are left out"] if masked else []
