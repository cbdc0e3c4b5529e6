"""Tomography beside the field's classics: a head from few noisy views, an analytic phantom, and the projectors.

    python benchmarks/tomography.py [head|ellipsoids|projectors ...] [--views 75 50 25] [--solvers fista fdk ...]

head: the MNI152 template at 2 mm, which the wheel of nilearn ships, as a head's attenuation in 1/mm. It is projected
at double resolution: cubic splines through its samples, taken every 1 mm and linear in between, are integrated exactly
in a cone beam on a circle, 2 x 2 rays a pixel averaged as light; the grid that is solved for has the 2 mm samples. So
neither its samples nor its projector are those of the reconstruction. `--source 1mm` takes the template's own samples
every 1 mm instead, whose detail no grid of 2 mm can hold: it bounds everybody's score at about 34 dB. Noise is
what the literature of sparse-view CT adds (TIGRE, NAF, R2-Gaussian): counted photons, 1e5 without an object, and
electronic noise of 10 counts.

ellipsoids: exact line integrals of ellipsoids, cone and parallel beams, no noise.

projectors: nanoseconds per sample of Joseph's projector and of it with its transpose, beside ASTRA's projectors for
CPUs, which work in slices, where `astra-toolbox` is installed. Samples are counted alike: planes that a ray crosses.

Every part runs alone. Scores are PSNR (peak: the truth's greatest value) and SSIM in 3-D.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import math
import time
import typing
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from scipy.ndimage import zoom

from invrender.backends import select
from invrender.cameras.rays import pixel_rays
from invrender.cameras.scan import scan_cameras, scan_geometry
from invrender.evaluate.volume import decibel, ssim
from invrender.kernels import Backend
from invrender.methods.transmittance.measurement import measure, parse_noise
from invrender.methods.transmittance.method import planned, warm_up
from invrender.methods.transmittance.settings import TransmittanceSettings
from invrender.nouns import Cameras
from invrender.nouns.scan import ScanSetup
from invrender.samples.ellipsoids import FOUR, averaged, transmittances
from invrender.solve.loop import Loop

Tensor = torch.Tensor

WATER = 0.02  # 1/mm at the energies of CT
PHOTONS, ELECTRONIC = 1e5, 10.0
SOLVERS = ("fista", "fdk", "os-sart", "asd-pocs")
SCANNER = (500.0, 700.0)  # mm from the source to the axis, and to the detector


@dataclass(frozen=True)
class Case:
    """Views [N,H,W] of a density [D,H,W] within bounds [2,3]."""

    name: str
    cameras: Cameras
    images: Tensor
    truth: Tensor
    bounds: Tensor
    noise: str


def circle(beam: str, views: int, size: tuple[int, int], pixel: float, scanner: tuple[float, float]) -> Cameras:
    """Views on a circle, or a half of it in a parallel beam; `pixel` is the pitch of pixels at the axis."""
    parallel = beam == "parallel"
    angles = torch.arange(views, dtype=torch.float64) * ((180 if parallel else 360) / views)
    pitch = pixel if parallel else pixel * scanner[1] / scanner[0]
    setup = ScanSetup("parallel" if parallel else "cone", angles, size, (pitch, pitch), *scanner)
    return scan_cameras(scan_geometry(setup))


def projected(fine: Tensor, bounds: Tensor, cameras: Cameras, kernels: Backend, across: int = 2) -> Tensor:
    """[N,H,W] float32: transmittances of a grid that is linear between its samples, exact along each ray."""
    height, width = cameras.size
    images = torch.zeros(len(cameras), height, width, dtype=torch.float64)
    offsets = (torch.arange(across).double() + 0.5) / across
    for n in range(len(cameras)):
        origin, direction = (matrix[0].T for matrix in pixel_rays(cameras[[n]]))
        for shift in torch.cartesian_prod(offsets, offsets):
            row, column = torch.meshgrid(torch.arange(height) + shift[0], torch.arange(width) + shift[1], indexing="ij")
            pixels = torch.stack([column, row, torch.ones_like(row)], -1).reshape(-1, 3)
            ahead = torch.nn.functional.normalize(pixels @ direction, dim=1)
            depth = kernels.line_integral(fine, bounds, (pixels @ origin).contiguous(), ahead)
            images[n] += torch.exp(-depth.double()).reshape(height, width) / across**2
    return images.float()


def scanned(images: Tensor, photons: float = PHOTONS, electronic: float = ELECTRONIC, seed: int = 0) -> Tensor:
    """Transmittances as a detector counts them."""
    random = np.random.default_rng(seed)
    counts = random.poisson(images.double().numpy() * photons) + random.normal(0, electronic, images.shape)
    return torch.from_numpy((counts.clip(0) / photons).astype(np.float32))


def head(views: int, kernels: Backend, step: int = 2, source: str = "2mm") -> Case:
    """The MNI152 template with samples every `step` mm, from twice as many a side."""
    from nilearn.datasets import load_mni152_template

    own = source == "1mm"
    fine = load_mni152_template(resolution=step // 2 if own else step).get_fdata().transpose(2, 1, 0)  # to z, y, x
    if own:
        fine = fine[tuple(slice(0, n - (n + 1) % 2) for n in fine.shape)]
    else:
        fine = zoom(fine, [(2 * n - 1) / n for n in fine.shape], order=3, mode="nearest")
    density = torch.from_numpy(np.ascontiguousarray(WATER * fine.clip(0), np.float32))
    half = torch.tensor([(n - 1) * step / 4 for n in fine.shape[::-1]], dtype=torch.float64)
    bounds = torch.stack([-half, half])
    height, width = (2 * math.ceil(extent / step) for extent in (1.25 * half[2], 1.06 * half[:2].norm()))
    cameras = circle("cone", views, (height, width), step, SCANNER)
    images = scanned(projected(density, bounds, cameras, kernels))
    truth = density[::2, ::2, ::2].contiguous()
    return Case(f"head, {views} views", cameras, images, truth, bounds, f"poisson:{PHOTONS:.0f}")


def ellipsoids(beam: str, views: int, size: int = 64, samples: int = 48) -> Case:
    """The analytic phantom."""
    volume = averaged(FOUR, samples)
    cameras = circle(beam, views, (size, size), 2.7 / size, (6.0, 9.0))
    images = transmittances(FOUR, cameras)
    return Case(f"ellipsoids, {beam}, {views} views", cameras, images, volume.values[0], volume.bounds, "float")


def solved(case: Case, solver: str, kernels: Backend) -> str:
    """A row of the table."""
    settings = TransmittanceSettings(Path(), solver=solver)  # type: ignore[arg-type]
    start, processor = time.perf_counter(), time.process_time()
    measurement = measure(case.cameras, case.images, parse_noise(case.noise))
    plan = planned(measurement, tuple(case.truth.shape), case.bounds, settings, kernels)  # type: ignore[arg-type]
    loop = Loop(plan.following)
    for _ in loop:
        pass
    found = plan.result(loop.state.finished).density.cpu().double()
    wall, spent = time.perf_counter() - start, time.process_time() - processor
    truth = case.truth.double()
    peak = float(truth.max())
    psnr = decibel(peak, float((found - truth).square().mean()))
    similar = ssim(found.numpy(), truth.numpy(), peak)
    return f"| {case.name} | {solver} | {psnr:.2f} | {similar:.4f} | {wall:.1f} | {spent:.1f} |"


def table(cases: list[Callable[[], Case]], solvers: list[str], kernels: Backend) -> None:
    """Print a row for each case and solver."""
    print("| case | solver | PSNR | SSIM | wall s | CPU s |\n|---|---|---|---|---|---|")
    for make in cases:
        case = make()
        for solver in solvers:
            print(solved(case, solver, kernels), flush=True)


def nanoseconds(function: Callable[[], object], samples: int, repeats: int = 3) -> float:
    """The best of a few."""
    function()
    best = math.inf
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        best = min(best, time.perf_counter() - start)
    return best / samples * 1e9


def our_projectors(beam: str, kernels: Backend, samples: int = 128, views: int = 16) -> str:
    """Joseph's projector on views of a cube."""
    bounds = torch.tensor([[-1.0] * 3, [1.0] * 3], dtype=torch.float64)
    cameras = circle(beam, views, (samples, samples), 2.8 / samples, (6.0, 9.0))
    grid = torch.rand(samples, samples, samples, generator=torch.Generator().manual_seed(0)).to(kernels.device)
    rays = kernels.joseph_rays((samples,) * 3, bounds, cameras)
    depth = rays.forward(grid)
    ones = torch.ones_like(depth)
    forward = nanoseconds(lambda: rays.forward(grid), rays.samples)
    both = nanoseconds(lambda: rays.normal(grid, depth / 2, ones), rays.samples)
    return f"| invrender, {beam}, {samples}^3 | {forward:.2f} | {both:.2f} |"


def astra_projectors(beam: str, samples: int = 512, views: int = 180) -> str:
    """ASTRA's linear projector for CPUs, which is Joseph's, on a slice."""
    import astra

    angles = np.arange(views) * (math.pi if beam == "parallel" else 2 * math.pi) / views
    columns = round(1.4 * samples)
    grid = astra.create_vol_geom(samples, samples)
    if beam == "parallel":
        rays, name = astra.create_proj_geom("parallel", 1.0, columns, angles), "linear"
    else:
        rays = astra.create_proj_geom("fanflat", 1.5, columns, angles, 3.0 * samples, 1.5 * samples)
        name = "line_fanflat"
    projector = astra.create_projector(name, rays, grid)
    matrix = astra.OpTomo(projector)
    image = np.random.default_rng(0).random((samples, samples), np.float32)
    sinogram = matrix.FP(image)
    crossed = planes(angles, columns, samples, None if beam == "parallel" else (3.0 * samples, 4.5 * samples))
    forward = nanoseconds(lambda: matrix.FP(image), crossed)
    both = nanoseconds(lambda: matrix.BP(matrix.FP(image) - sinogram), crossed)
    astra.projector.delete(projector)
    return f"| ASTRA, CPU, {beam}, a slice of {samples}^2, {name} | {forward:.2f} | {both:.2f} |"


def planes(angles: np.ndarray, columns: int, samples: int, source: tuple[float, float] | None) -> int:
    """How many of a square's lines of samples the rays of a slice cross, along the main axis of each."""
    total = 0
    at = np.arange(columns) + 0.5 - columns / 2
    middle = (np.arange(samples) + 0.5 - samples / 2)[:, None]
    for angle in angles:
        right = np.array([math.cos(angle), math.sin(angle)])
        ahead = np.array([-right[1], right[0]])
        if source is None:
            origin, direction = at[:, None] * right, np.broadcast_to(ahead, (columns, 2))
        else:
            origin = np.broadcast_to(-source[0] * ahead, (columns, 2))
            direction = source[1] * ahead + 1.5 * at[:, None] * right
        main = np.abs(direction).argmax(1)[:, None]
        along = np.take_along_axis(direction, main, 1)[:, 0]
        slope = np.take_along_axis(direction, 1 - main, 1)[:, 0] / along
        start = np.take_along_axis(origin, main, 1)[:, 0]
        across = np.take_along_axis(origin, 1 - main, 1)[:, 0] + (middle - start) * slope
        total += int((np.abs(across) <= samples / 2).sum())
    return total


def projectors(kernels: Backend) -> None:
    """Print the table of projectors."""
    print("| projector | forward ns/sample | forward + adjoint |\n|---|---|---|")
    for beam in ("cone", "parallel"):
        print(our_projectors(beam, kernels), flush=True)
    try:
        for beam in ("fan", "parallel"):
            print(astra_projectors(beam), flush=True)
    except ImportError:
        print("astra-toolbox is not installed: its projectors are left out")


def main() -> None:
    """Parse the command line, run, print."""
    parts = ("head", "ellipsoids", "projectors")
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(parts)}; all by default")
    parser.add_argument("--views", nargs="+", type=int, help="of the head (75 50 25) and the ellipsoids (24 64)")
    parser.add_argument("--step", type=int, default=2, help="mm between samples of the head: 2 or 4")
    parser.add_argument("--source", choices=("2mm", "1mm"), default="2mm", help="what of the head is projected")
    parser.add_argument("--solvers", nargs="+", default=SOLVERS, help=" ".join(SOLVERS))
    parser.add_argument("--size", type=int, default=64, help="pixels across the views of the ellipsoids")
    options = parser.parse_args()
    if not set(options.parts) <= set(parts):
        parser.error(f"parts are {', '.join(parts)}")
    kernels = select(needs=("volumes",))
    warm_up(kernels)
    print(f"{kernels.description}\n")
    known = typing.get_args(typing.get_type_hints(TransmittanceSettings)["solver"])
    solvers = [solver for solver in options.solvers if solver in known]
    chosen = options.parts or parts
    if "head" in chosen:
        counts = options.views or (75, 50, 25)
        table([lambda n=n: head(n, kernels, options.step, options.source) for n in counts], solvers, kernels)
    if "ellipsoids" in chosen:
        beams = [(beam, n) for beam in ("cone", "parallel") for n in options.views or (24, 64)]
        table([lambda b=b, n=n: ellipsoids(b, n, options.size) for b, n in beams], solvers, kernels)
    if "projectors" in chosen:
        projectors(kernels)


if __name__ == "__main__":
    main()
