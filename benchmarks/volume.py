"""Quality and cost of `invrender reconstruct --method transmittance`, and speed of its projectors, as tables.

    python benchmarks/volume.py FOLDER [--only cloud] [--large 256] [--skip-kernels]

FOLDER holds cloud.npz, shepp.npz, hydrogen.vti and fuel.vti, or some of them. Every such case: cameras on a Fibonacci
sphere, images of 128 x 128, the extinction of `--extinction auto`, warm kernels. Times are those of the solver, by the
wall and as CPU seconds divided by the threads (on a busy machine only the latter mean something). The scores are those
of `invrender evaluate`. The ellipsoids alone come from exact line integrals instead of our own projector. Run it on an
idle machine.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import resource
import time
from dataclasses import dataclass
from pathlib import Path

import torch

from invrender.backends import select
from invrender.backends.cpu.threads import thread_count
from invrender.cameras.rays import camera_rays
from invrender.cameras.volume_rigs import volume_rig
from invrender.evaluate.volume import volume_metrics
from invrender.io.volumes.read import read_volume
from invrender.kernels import Backend
from invrender.methods.transmittance.measurement import exposed, measure, parse_noise
from invrender.methods.transmittance.method import planned, warm_up
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns import Cameras, Volume
from invrender.render.absorption import auto_extinction, optical_depth
from invrender.render.emission import Quality, VolumeStyle, render_volume, step_length
from invrender.render.sampling import sample_rays
from invrender.render.transfer import transfer_function
from invrender.samples.ellipsoids import FOUR, averaged, transmittances
from invrender.shading.density_gradient import Lighting
from invrender.solve.loop import Loop


@dataclass(frozen=True)
class Case:
    """One row: the file's name, views, noise, and the quality (dB) wanted soon, whose time is taken."""

    name: str
    views: int
    noise: str
    early: float | None = None


CASES = (
    Case("cloud.npz", 64, "float", 40.0),
    Case("shepp.npz", 64, "float", 36.0),
    Case("hydrogen.vti", 64, "float", 57.0),
    Case("fuel.vti", 64, "float", 48.5),
    Case("cloud.npz", 16, "float"),
    Case("shepp.npz", 16, "float"),
    Case("cloud.npz", 64, "8bit", 38.5),
    Case("cloud.npz", 64, "poisson:10000", 38.5),
)


def row(case: Case, volume: Volume, kernels: Backend, size: int = 128) -> str:
    """Solve one case and describe it in one line of a table."""
    cameras = volume_rig(volume, "sphere", case.views, (size, size))
    depths = optical_depth(volume, cameras, kernels)
    extinction = auto_extinction(depths)
    return solved(case, volume, extinction, cameras, torch.exp(-extinction * depths), kernels)


def analytic_row(noise: str, kernels: Backend, views: int = 24, size: int = 64, samples: int = 48) -> str:
    """Ellipsoids from exact views, which our projector has not made: off the inverse crime."""
    volume = averaged(FOUR, samples)
    cameras = volume_rig(volume, "orbit", views, (size, size))
    images = transmittances(FOUR, cameras)
    return solved(Case("ellipsoids.npz", views, noise), volume, 1.0, cameras, images, kernels)


def solved(
    case: Case, volume: Volume, extinction: float, cameras: Cameras, images: torch.Tensor, kernels: Backend
) -> str:
    """Solve from exact images, with the case's noise, and describe it."""
    noise = parse_noise(case.noise)
    measurement = measure(cameras, exposed(images, noise, 0), noise)
    truth, early = extinction * volume.values[0], ""
    wall = spent = 0.0
    start, processor = time.perf_counter(), time.process_time()
    plan = planned(measurement, volume.shape, volume.bounds, TransmittanceSettings(Path(case.name)), kernels)
    loop = Loop(plan.following)
    for step in loop:
        wall += time.perf_counter() - start
        spent += (time.process_time() - processor) / thread_count()
        if case.early and not early and step.estimate.shape == truth.shape:
            error = float((step.estimate - truth).double().square().mean())
            reached = error * 10 ** (case.early / 10) <= float(truth.max()) ** 2
            early = f"{case.early:g} dB: {spent:.1f} s" if reached else ""
        start, processor = time.perf_counter(), time.process_time()
    result = plan.result(loop.state.finished)
    wall += time.perf_counter() - start
    spent += (time.process_time() - processor) / thread_count()
    found = Volume(result.density[None] / extinction, volume.bounds)
    m = volume_metrics(found, volume, kernels)
    cells = [
        Path(case.name).stem,
        str(case.views),
        case.noise,
        f"{m.psnr:.2f}",
        f"{m.relative_l2:.4f}",
        f"{m.ssim:.4f}",
    ]
    cells += ["-" if m.heldout_psnr is None else f"{m.heldout_psnr:.1f}", early or "-", f"{wall:.1f}", f"{spent:.1f}"]
    return "| " + " | ".join(cells) + " |"


def kernel_rows(volume: Volume, kernels: Backend) -> list[str]:
    """Nanoseconds per sample of the projectors, beside torch's grid_sample in the same run."""
    cameras = volume_rig(volume, "sphere", 16, (128, 128))
    rays = kernels.joseph_rays(volume.shape, volume.bounds, cameras)
    grid = volume.values[0].contiguous()
    depth = rays.forward(grid)
    ones = torch.ones_like(depth)
    points = torch.rand(1, 1, 1, rays.samples, 3, generator=torch.Generator().manual_seed(0)) * 2 - 1
    sampled = grid[None, None].clone().requires_grad_()

    def peer() -> None:
        torch.nn.functional.grid_sample(sampled, points, align_corners=True).sum().backward()

    with torch.no_grad():
        ours = _nanoseconds(lambda: rays.forward(grid), rays.samples)
        torch_forward = _nanoseconds(
            lambda: torch.nn.functional.grid_sample(sampled, points, align_corners=True), rays.samples
        )
    both = _nanoseconds(lambda: rays.normal(grid, depth / 2, ones), rays.samples)
    torch_both = _nanoseconds(peer, rays.samples)
    one = camera_rays(cameras[[0]])
    exact = _nanoseconds(lambda: kernels.line_integral(grid, volume.bounds, one.origin, one.direction), len(one.origin))
    return [
        f"| Joseph, forward | {ours[0]:.2f} | {ours[1]:.2f} | {torch_forward[1] / ours[1]:.1f} |",
        f"| Joseph, forward + adjoint | {both[0]:.2f} | {both[1]:.2f} | {torch_both[1] / both[1]:.1f} |",
        f"| exact, forward, per ray | {exact[0]:.0f} | {exact[1]:.0f} | - |",
    ]


def drawing_row(volume: Volume, kernels: Backend) -> str:
    """Nanoseconds per sample of a lit picture of 512 x 512 with about 1000 samples a ray, forward and backward."""
    style = VolumeStyle(transfer_function(volume), Lighting(), "sequential", Quality(6.0, 1))
    camera = volume_rig(volume, "sphere", 1, (512, 512))
    steps = sample_rays(camera_rays(camera), volume.bounds, volume.shape, step_length(volume, 6.0), torch.float32)
    values = volume.values.clone().requires_grad_()

    def draw() -> None:
        render_volume(Volume(values, volume.bounds), camera, style, kernels).square().sum().backward()

    wall, spent = _nanoseconds(draw, int(steps.count.sum()))
    most = int(steps.count.max())
    return f"| lit picture, forward + backward (up to {most} samples a ray) | {wall:.1f} | {spent:.1f} | - |"


def _nanoseconds(function: object, samples: int, repeats: int = 3) -> tuple[float, float]:
    """The best of a few: wall and CPU / threads, in ns per sample."""
    assert callable(function)
    function()
    best = [float("inf"), float("inf")]
    for _ in range(repeats):
        start, processor = time.perf_counter(), time.process_time()
        function()
        best[0] = min(best[0], time.perf_counter() - start)
        best[1] = min(best[1], (time.process_time() - processor) / thread_count())
    return best[0] / samples * 1e9, best[1] / samples * 1e9


def main() -> None:
    """Parse the command line, run, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--only", help="only cases whose file begins like this")
    parser.add_argument("--large", type=int, help="also cloud.npz enlarged to this many samples, views of this size")
    parser.add_argument("--skip-kernels", action="store_true")
    options = parser.parse_args()
    kernels = select(needs=("volumes",))
    warm_up(kernels)
    print(f"{kernels.description}\n")
    files = {path.name: path for folder in options.folders for path in folder.iterdir()}
    if "cloud.npz" in files:
        cloud = read_volume(files["cloud.npz"])
        print("| kernel | wall ns/sample | CPU ns/sample/threads | grid_sample / ours |\n|---|---|---|---|")
        rows = [] if options.skip_kernels else kernel_rows(cloud, kernels)
        print("\n".join([drawing_row(cloud, kernels), *rows]), "\n", flush=True)
    print("| volume | views | noise | PSNR | rel. L2 | SSIM | held-out PSNR | soon | wall s | CPU s / threads |")
    print("|" + "---|" * 10)
    for case in CASES:
        if case.name in files and case.name.startswith(options.only or ""):
            print(row(case, read_volume(files[case.name]), kernels), flush=True)
    for noise in ("float", "8bit", "poisson:20000"):
        if "ellipsoids".startswith(options.only or ""):
            print(analytic_row(noise, kernels), flush=True)
    if options.large:
        small = read_volume(files["cloud.npz"])
        values = torch.nn.functional.interpolate(
            small.values[None], [options.large] * 3, mode="trilinear", align_corners=True
        )
        print(
            row(
                Case(f"cloud {options.large}.npz", 64, "float"), Volume(values[0], small.bounds), kernels, options.large
            )
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"\nlargest memory of the process: {peak:.2f} GiB")


if __name__ == "__main__":
    main()
