"""The run behind `invrender reconstruct --method transmittance`: input to optical depths, density to files.

An asset's own views are measured first and the asset is set aside: from then on it serves the metrics and the pictures
of the target, and nothing else.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NoReturn

import torch

from invrender.cameras.projection import common_point
from invrender.cameras.rigs import evenly
from invrender.cameras.volume_rigs import volume_rig
from invrender.errors import DivergedError, InputError, UsageError
from invrender.evaluate.volume import decibel, volume_metrics
from invrender.io.datasets.transmittance import is_transmittance, read_transmittance
from invrender.io.images import write_gif
from invrender.io.volumes.read import is_volume_path, read_volume
from invrender.io.volumes.write import write_volume
from invrender.kernels import VolumeKernels
from invrender.methods.inputs import grid_box, grid_shape, own_cameras
from invrender.methods.transmittance import neural as neural_field
from invrender.methods.transmittance import schedule as transmittance
from invrender.methods.transmittance.film import Film
from invrender.methods.transmittance.measurement import Measurement, Noise, exposed, measure, parse_noise
from invrender.nouns import Cameras, Volume
from invrender.parameters.neural_field import FieldSettings
from invrender.render.absorption import auto_extinction, check_extinction, density, optical_depth
from invrender.run.folder import RunFolder
from invrender.run.memory import check_memory
from invrender.run.progress import Progress
from invrender.run.settings import VolumeRunSettings

Tensor = torch.Tensor

ASSET_SIZE, ASSET_VIEWS = 128, 64
GIF_SPEED = 8.0

PRESETS: Mapping[str, Mapping[str, object]] = {
    "draft": {"iterations": 40, "gif_frames": 12},
    "standard": {},
    "fine": {"iterations": 200},
}


@dataclass(frozen=True)
class VolumeSettings(VolumeRunSettings):
    """What a run from transmittance adds; 64 views of 128 pixels of an asset, or a dataset's as they are.

    Unless given, box and grid are the asset's or the dataset's, or as many samples as an image has pixels.

    Attributes:
        extinction: factor on an asset's values: auto brings the 95th percentile of the optical depths to 2.5.
        noise: float, 8bit or poisson:PHOTONS: what an asset's views are given, and what the pixels weigh; none: exact
            for an asset, by the files for a dataset.
        field: grid, or neural: a latent grid with a small network, trained by marching rays.
        solver, iterations, smoothing, carve: see `problem.transmittance.Settings`.
    """

    method: Literal["transmittance"] = "transmittance"
    extinction: str = "auto"
    noise: str | None = None
    field: Literal["grid", "neural"] = "grid"
    solver: Literal["fista", "sirt", "cgls", "adam"] = "fista"
    iterations: int | None = None
    smoothing: float | None = None
    carve: bool = True


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


def is_for_volumes(path: Path) -> bool:
    """Whether an input looks like this method's: a volume file or a transmittance dataset."""
    return is_volume_path(path) or is_transmittance(path)


def load(settings: VolumeSettings, kernels: VolumeKernels) -> Task:
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
        return _asset(read_volume(settings.input), settings, kernels, extinction, noise or Noise())
    return _dataset(settings, shape, bounds, noise)


def _asset(
    volume: Volume, settings: VolumeSettings, kernels: VolumeKernels, extinction: float | None, noise: Noise
) -> Task:
    count, size = settings.views or ASSET_VIEWS, settings.size or ASSET_SIZE
    density(volume)
    check_memory(volume.shape, count * size * size)
    cameras = own_cameras(volume, settings, count, size)
    depths = optical_depth(volume, cameras, kernels)
    factor = auto_extinction(depths) if extinction is None else extinction
    images = exposed(torch.exp(-factor * depths), noise, settings.seed)
    return Task(measure(cameras, images, noise), volume.shape, volume.bounds, factor, volume)


def _dataset(
    settings: VolumeSettings, shape: tuple[int, int, int] | None, bounds: Tensor | None, noise: Noise | None
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


def execute(
    task: Task, settings: VolumeSettings, kernels: VolumeKernels, run: RunFolder, progress: Progress
) -> dict[str, Any]:
    """Reconstruct, write every file of the run, and return the metrics."""
    run.note(seed=settings.seed, backend=kernels.name, device=str(kernels.device))
    run.log(f"backend {kernels.name}: {kernels.description}")
    data = task.measurement
    depth, height, width = task.shape
    progress.say(
        f"{len(data.cameras)} views of {data.cameras.size[1]} x {data.cameras.size[0]}, "
        f"grid of {width} x {height} x {depth}"
    )
    if data.masked:
        progress.say(f"{data.masked} saturated pixels (no light came through) are left out")
    with run.timed("compile"):
        warm_up(kernels)
    run.note(extinction=task.extinction)
    film = Film(task.reference, data, task.bounds, task.extinction, settings.gif_frames, kernels)
    processor = time.process_time()
    result = _follow(task, settings, kernels, run, progress, film)
    run.log(f"solved in {time.process_time() - processor:.1f} CPU seconds, pictures included")
    density_found = (result.density / task.extinction).cpu()
    if not bool(torch.isfinite(density_found).all()):
        raise DivergedError("the density turned NaN or infinite", "report it with the input; or try --solver sirt")
    volume = Volume(density_found[None], task.bounds, "density")
    progress.say("measuring and writing")
    with run.timed("measure"):
        metrics = _measure(task, result, volume, kernels)
    with run.timed("write"):
        write_volume(run.file("volume.npz"), volume)
        write_volume(run.file("volume.vti"), volume)
        run.metrics(metrics)
        if settings.gif_frames:
            write_gif(run.file("progress.gif"), film.frames(), GIF_SPEED)
    return metrics


def warm_up(kernels: VolumeKernels) -> None:
    """Compile (or load) every kernel on a tiny job, so that the solver's time is the solver's."""
    volume = Volume.from_numpy(torch.rand(6, 6, 6, generator=torch.Generator().manual_seed(0)).numpy())
    cameras = volume_rig(volume, "sphere", 8, (8, 8))
    data = measure(cameras, torch.exp(-optical_depth(volume, cameras, kernels)), Noise())
    steps = transmittance.reconstruct(data, volume.shape, volume.bounds, transmittance.Settings(4), kernels)
    for _ in steps:
        pass


def _follow(
    task: Task, settings: VolumeSettings, kernels: VolumeKernels, run: RunFolder, progress: Progress, film: Film
) -> transmittance.Result:
    """Consume the steps: progress, losses, pictures; return the result."""
    if settings.field == "neural":
        total, steps = neural_field.PICTURES, _trained(task, settings, kernels)
    else:
        total, steps = _solved(task, settings, kernels)
    progress.start("train" if settings.field == "neural" else "solve", total)
    while True:
        try:
            with run.timed("solve"):
                step = next(steps)
        except StopIteration as end:
            result: transmittance.Result = end.value
            with run.timed("pictures"):
                film.finish(result.density)
            return result
        if not math.isfinite(step.terms["misfit"]):
            raise DivergedError(
                f"the misfit turned {step.terms['misfit']} at pass {step.index + 1}",
                "use --solver fista, or check the images' weights",
            )
        progress.step(step.index, step.terms)
        run.losses(step.index, {"phase": step.phase, **step.terms})
        with run.timed("checkpoints"):
            _keep(run, step, task.extinction)
        with run.timed("pictures"):
            film.step(step)


def _keep(run: RunFolder, step: transmittance.Step, extinction: float) -> None:
    estimate = step.estimate.cpu()
    run.keep(step.index + 1, step.total, lambda: {"density": (estimate / extinction).numpy()})


def _solved(
    task: Task, settings: VolumeSettings, kernels: VolumeKernels
) -> tuple[int, Generator[transmittance.Step, None, transmittance.Result]]:
    """How many passes there will be, and the loop of the grid's solvers."""
    chosen = transmittance.Settings(settings.iterations, settings.smoothing, settings.carve, settings.solver)
    steps = transmittance.reconstruct(task.measurement, task.shape, task.bounds, chosen, kernels)
    return transmittance.passes(chosen, task.measurement), steps


def _trained(
    task: Task, settings: VolumeSettings, kernels: VolumeKernels
) -> Generator[transmittance.Step, None, transmittance.Result]:
    """The loop of the neural field."""
    problem = transmittance.prepare(task.measurement, task.shape, task.bounds, kernels, settings.carve)
    chosen = FieldSettings(seed=settings.seed)
    if settings.iterations is not None:
        chosen = dataclasses.replace(chosen, iterations=settings.iterations)
    return (yield from neural_field.train(problem, chosen))


def _measure(task: Task, result: transmittance.Result, volume: Volume, kernels: VolumeKernels) -> dict[str, Any]:
    """What metrics.json holds: the fit to the input's views, how it was made, and the distance from the reference."""
    data = task.measurement
    shown = torch.exp(
        -task.extinction * optical_depth(Volume(volume.values.clamp(min=0), volume.bounds), data.cameras, kernels)
    )
    difference = (shown - torch.exp(-data.depth)) * (data.weight > 0)
    metrics: dict[str, Any] = {
        "views": len(data.cameras),
        "views_psnr": _finite(decibel(1.0, float(difference.double().square().mean()))),
        "extinction": task.extinction,
        "noise": dataclasses.asdict(data.noise),
        "smoothing": result.smoothing,
        "held_out_misfit": {f"{weight:.3g}": score for weight, score in result.scores.items()},
        "support": result.support,
        "saturated_pixels": data.masked,
        "samples": result.samples,
    }
    if task.reference is not None:
        against = volume_metrics(volume, task.reference, kernels)
        metrics |= {key: _finite(value) for key, value in dataclasses.asdict(against).items() if key != "extinction"}
    return metrics


def _finite(value: Any) -> Any:
    """None for the infinite PSNR of equal images, which JSON cannot hold."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
