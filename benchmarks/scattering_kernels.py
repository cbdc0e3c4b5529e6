"""Paths through a cloud: time per path vertex, what gradients cost beside pictures, and how well estimators do.

    python benchmarks/scattering_kernels.py [--grids 64 128] [--size 64] [--rounds 5]

One thread; medians of CPU-seconds, of rounds in which all that is compared takes turns. The cloud has an optical depth
of about 17, an albedo of 0.95 and scatters ahead (g = 0.5), under a sun and a smooth sky. Vertices are counted by a
medium that glows by 1 at each collision, which shows the sum of what the path carries there: of a k-th vertex that is
albedo^k, and as many paths get there once roulette ends them by it; before that, all do, as with an albedo of 1.

Variance times cost is of the derivative by the density of a thin shell about the cloud, where nothing is yet: there
the analog estimator and null collisions are wrong besides (their mean is shown).
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

os.environ.update(OMP_NUM_THREADS="1", NUMBA_NUM_THREADS="1")

import numpy as np
import torch

from invrender.backends import select
from invrender.kernels import Backend
from invrender.kernels.radiance import DIRECTIONAL, ENDLESS, FLOOR, SceneArrays, Transport

Tensor = torch.Tensor
Clock = Callable[[int], object]

DENSITY, ALBEDO, ASYMMETRY = 20.0, 0.95, 0.5
SUN, POWER = (0.3, 0.81, -0.5), 3.0
ESTIMATORS = ("differential", "analog", "null", "singular")
THIN = 1e-3  # density of the shell, in units of the cloud's
EARLY = 4  # bounces before roulette
NEEDED = frozenset({"extinction"})


def cloud(count: int) -> Tensor:
    """Densities [n,n,n,1] of a bumpy ball in the unit cube."""
    x = torch.linspace(-0.5, 0.5, count)
    z, y, x = torch.meshgrid(x, x, x, indexing="ij")
    radius = (x * x + y * y + z * z).sqrt()
    bumps = 0.06 * torch.sin(14 * x) * torch.sin(12 * y) * torch.sin(16 * z)
    return (DENSITY * ((0.42 - radius + bumps) * 12).clamp(0, 1))[..., None]


def world(extinction: Tensor, albedo: float = ALBEDO, glow: float = 0.0) -> SceneArrays:
    """A medium in the unit cube; under sun and sky, unless it glows."""
    toward = torch.nn.functional.normalize(torch.tensor(SUN), dim=0).tolist()
    row = torch.tensor([[0, 0, 0, *toward, POWER, POWER, POWER, 1, 0]])
    height = (torch.arange(16) + 0.5) / 16
    sky = (0.25 + 0.5 * (1 - 2 * height).clamp(min=0))[:, None, None].expand(16, 32, 3).contiguous()
    dark = glow > 0
    return SceneArrays(
        vertices=torch.zeros(0, 3), faces=torch.zeros(0, 3, dtype=torch.int64), normals=torch.zeros(0, 3, 3),
        uv=torch.zeros(0, 3, 2), colours=torch.zeros(0, 3, 3), face_material=torch.zeros(0, dtype=torch.int64),
        materials=torch.zeros(0, 20), material_kinds=torch.zeros(0, 3, dtype=torch.int64),
        texels=torch.zeros(0, 3), textures=torch.zeros(0, 3, dtype=torch.int64),
        lights=row[: 0 if dark else 1], light_kinds=torch.full((0 if dark else 1,), DIRECTIONAL),
        environment=torch.zeros(0, 0, 3) if dark else sky, turn=torch.eye(3), ambient=torch.zeros(3),
        backdrop=torch.zeros(3), extinction=extinction, albedo=torch.full((1, 1, 1, 3), albedo),
        asymmetry=torch.full((1, 1, 1, 1), ASYMMETRY),
        emission=torch.full((1, 1, 1, 3), glow) if dark else torch.zeros(0, 0, 0, 3),
        box=torch.tensor([[0.0, 0, 0], [1, 1, 1]]),
    )  # fmt: skip


def rays(size: int, seed: int) -> tuple[Tensor, Tensor]:
    """[size * size,3] each, that all meet the cloud."""
    random = torch.Generator().manual_seed(seed)
    u, v = torch.rand(2, size * size, generator=random) - 0.5
    target = torch.stack([0.5 + 0.45 * u, 0.5 + 0.45 * v, torch.full_like(u, 0.5)], 1)
    origin = torch.tensor([0.5, 0.7, 2.6]).expand_as(target).contiguous()
    return origin, torch.nn.functional.normalize(target - origin, dim=1)


def vertices(backend: Backend, extinction: Tensor, origin: Tensor, direction: Tensor) -> float:
    """Of a path under the sun and the sky, on average."""

    def count(albedo: float, depth: int) -> float:
        transport = Transport(depth, indirect=True, roulette=EARLY)
        return float(backend.radiance(world(extinction, albedo, 1.0), origin, direction, 0, transport)[:, 0].mean())

    return count(1.0, EARLY) + count(ALBEDO, ENDLESS) - count(ALBEDO, EARLY)


def medians(tasks: dict[str, Clock], rounds: int) -> dict[str, float]:
    """CPU-seconds of each task, which take turns; the first turn does not count."""
    spent: dict[str, list[float]] = {name: [] for name in tasks}
    for turn in range(rounds + 1):
        for name, task in tasks.items():
            start = time.process_time()
            task(turn)
            spent[name] += [time.process_time() - start] if turn else []
    return {name: float(np.median(times)) for name, times in spent.items()}


def cost(backend: Backend, count: int, size: int, rounds: int) -> None:
    """Print what a vertex and a gradient cost in a grid of `count` vertices an axis."""
    extinction, (origin, direction) = cloud(count), rays(size, 0)
    scene, grad = world(extinction), torch.ones(size * size, 4)
    plain, free = (Transport(ENDLESS, True, roulette=EARLY, floor=floor) for floor in (0.0, FLOOR))
    shown = backend.radiance(scene, origin, direction, 1, free)
    tasks: dict[str, Clock] = {
        "picture": lambda seed: backend.radiance(scene, origin, direction, seed, plain),
        "with floor": lambda seed: backend.radiance(scene, origin, direction, seed, free),
        "replay": lambda _: backend.radiance_adjoint(grad, scene, origin, direction, 1, free, shown, NEEDED),
    }
    spent, met = medians(tasks, rounds), vertices(backend, extinction, origin, direction)
    path, ratio = spent["picture"] / len(origin), 1 + spent["replay"] / spent["with floor"]
    print(f"{count:4d}^3  {path * 1e6:6.2f} us/path  {met:5.2f} vertices  {path / met * 1e9:5.0f} ns/vertex  "
          f"gradient pass {ratio:.2f} x forward")  # fmt: skip


def precision(backend: Backend, count: int, size: int, rounds: int) -> None:
    """Print variance times cost of the estimators of a derivative by a thin shell's density."""
    inner = cloud(count)
    shell = (inner == 0).float() * (torch.nn.functional.max_pool3d(inner[None, ..., 0], 5, 1, 2)[0, ..., None] > 0)
    scene, (origin, direction) = world(inner + THIN * DENSITY * shell), rays(size, 0)
    grad = torch.ones(size * size, 4) / (3 * size * size)
    for estimator in ESTIMATORS:
        transport = Transport(ENDLESS, indirect=True, floor=FLOOR, estimator=estimator)
        start, found = time.process_time(), []
        for seed in range(8 * rounds):
            shown = backend.radiance(scene, origin, direction, seed, transport)
            part = backend.radiance_adjoint(grad, scene, origin, direction, seed, transport, shown, NEEDED).extinction
            assert part is not None
            found.append(float((part * shell).sum()))
        work = float(np.var(found, ddof=1)) * (time.process_time() - start)
        told = f"{np.mean(found):+.5f} +- {np.std(found, ddof=1) / len(found) ** 0.5:.5f}"
        print(f"  {estimator:12s}  derivative {told}  variance x cost {work:.3e}", flush=True)


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--grids", type=int, nargs="+", default=[64, 128])
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    given = parser.parse_args()
    backend = select("cpu")
    for count in given.grids:
        cost(backend, count, given.size, given.rounds)
    print("derivative by the density of a thin shell, 32^3:")
    precision(backend, 32, given.size // 2, given.rounds)


if __name__ == "__main__":
    main()
