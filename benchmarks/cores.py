"""What a second core gains: kernels by the clock on one thread and on two, interleaved, the fastest of many rounds.

    python benchmarks/cores.py [--seconds 4]

Silhouettes compared with masks, with the gradient for every vertex; depth; rays; projections of a volume, there and
back. Short calls say what it costs to wake a thread. Run it on an idle machine: the fastest round is reported because
whatever else runs takes one of two cores away.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import os
import time
from collections.abc import Callable

import torch
from scaling import bumpy
from trimesh.creation import uv_sphere

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.kernels import Backend
from invrender.nouns.topology import topology

COMPARED = ((6, 12, 256), (12, 12, 256), (25, 12, 256), (12, 24, 256), (12, 12, 1024))  # thousand triangles, views, px
GRID, VIEWS, PIXELS, RAYS = 128, 32, 128, 300_000

Work = Callable[[], object]


def silhouettes(backend: Backend, thousands: int, views: int, size: int) -> tuple[Work, Work]:
    """A bumpy sphere compared with masks in bytes, as `reconstruct` does it; and its depth."""
    count = round((250 * thousands) ** 0.5) + 1
    ball = uv_sphere(count=[count, count])
    vertices, faces = bumpy(ball.vertices, ball.faces)
    cameras = rig("orbit", views, torch.zeros(3), 1.1, (size, size))
    matrix = cameras.projection.double() @ cameras.world_to_camera.double()
    clip = (torch.einsum("nij,vj->nvi", matrix[:, :, :3], vertices) + matrix[:, None, :, 3]).float()
    edges = topology(faces)
    masks = backend.silhouette(clip * clip.new_tensor([1.02, 0.99, 1, 1]), faces, edges, (size, size))
    in_bytes = (masks * 255).round().to(torch.uint8)
    compare = backend.silhouette_misfit(faces, edges, len(vertices), in_bytes, torch.ones(views))
    return lambda: compare(vertices, matrix), lambda: backend.rasterize(clip, faces, (size, size))


def others(backend: Backend) -> dict[str, Work]:
    """Rays through triangles, and a volume's projections."""
    random = torch.Generator().manual_seed(0)
    ball = uv_sphere(count=[80, 80])
    vertices, faces = bumpy(ball.vertices, ball.faces)
    origin = 3 * torch.nn.functional.normalize(torch.randn(RAYS, 3, generator=random).double(), dim=1)
    direction = 0.8 * torch.rand(origin.shape, generator=random).double() - 0.4 - origin
    bounds = torch.tensor([[-0.5] * 3, [0.5] * 3], dtype=torch.float64)
    cameras = rig("sphere", VIEWS, torch.zeros(3), 0.9, (PIXELS, PIXELS))
    grid = torch.rand(GRID, GRID, GRID, generator=random)
    pixels = torch.ones(VIEWS, PIXELS, PIXELS, dtype=torch.bool)
    bundle = backend.joseph_rays(grid.shape, bounds, cameras, pixels, grid > -1)
    depths = bundle.forward(grid)
    return {
        f"rays, {len(faces)} triangles": lambda: backend.trace(vertices, faces, origin, direction),
        f"{GRID}^3 projected, {VIEWS} views": lambda: bundle.forward(grid),
        "its adjoint": lambda: bundle.adjoint(depths),
    }


def row(name: str, work: Work, seconds: float) -> None:
    """Print milliseconds on one thread and on two, and their ratio."""
    work()
    best, end = {1: float("inf"), 2: float("inf")}, time.perf_counter() + seconds
    while time.perf_counter() < end:
        for threads in (1, 2):
            os.environ["OMP_NUM_THREADS"] = str(threads)
            start = time.perf_counter()
            work()
            best[threads] = min(best[threads], time.perf_counter() - start)
    one, two = 1e3 * best[1], 1e3 * best[2]
    print(f"| {name} | {one:.3g} | {two:.3g} | {one / two:.2f} |", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=4.0, help="of each row")
    seconds = parser.parse_args().seconds
    torch.set_num_threads(1)
    backend = select("cpu", needs=("meshes", "volumes"))
    print("| kernel | one thread, ms | two | gain |\n|---|---|---|---|")
    for case in COMPARED:
        compare, draw = silhouettes(backend, *case)
        name = "{}k triangles, {} views of {}^2".format(*case)
        row(f"compared: {name}", compare, seconds)
        if case[0] == COMPARED[-1][0]:
            row(f"depth: {name}", draw, seconds)
    for name, work in others(backend).items():
        row(name, work, seconds)


if __name__ == "__main__":
    main()
