"""Rays through meshes: every backend that works here beside Embree, the same rays, in one interleaved run.

    python benchmarks/rays.py [--faces 1280 20480 81920] [--rays 262144] [--rounds 5]

Rays are those of a camera (neighbours go together) and rays from everywhere to everywhere. A row gives the median over
rounds of wall and CPU time; "first" is the first call on a mesh, which builds what the engine searches in. Hits are
compared with the cpu backend's: rays of which one hits and the other misses, and rays that meet other faces.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from invrender.backends import select
from invrender.backends.torch.trace import trace as trace_with
from invrender.errors import BackendError

Tensor = torch.Tensor
Trace = Callable[[Tensor, Tensor, Tensor, Tensor], tuple[Tensor, ...]]


@dataclass
class Row:
    """Times of one engine in seconds, and the faces that it found."""

    first: tuple[float, float] = (0.0, 0.0)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    face: Tensor = field(default_factory=lambda: torch.empty(0))


def engines() -> dict[str, Trace]:
    """Everything here that finds faces along rays, with the name of what it runs on."""
    found: dict[str, Trace] = {"embree": lambda *given: trace_with(*given, engine="embree")}
    for name in ("cpu", "cuda", "vulkan"):
        try:
            backend = select(name, needs=("meshes",))
        except BackendError as error:
            print(f"{name}: left out: {error.cause}")
            continue
        print(f"{name}: {backend.description}")
        found[name] = carried(backend.trace, backend.device)
    return found


def carried(trace: Trace, device: torch.device) -> Trace:
    """The same on tensors that are moved there beforehand, which is what a renderer has."""
    if device.type == "cpu":
        return trace

    def call(*given: Tensor) -> tuple[Tensor, ...]:
        hits = trace(*(part.to(device) for part in given))
        torch.cuda.synchronize()
        return tuple(part.cpu() for part in hits)

    return call


def ball(faces: int) -> tuple[Tensor, Tensor]:
    """A bumpy ball of at least so many faces: vertices [V,3], faces [F,3]."""
    import trimesh

    level = next(level for level in range(11) if 20 * 4**level >= faces)
    mesh = trimesh.creation.icosphere(level)
    points = torch.tensor(mesh.vertices)
    bumps = 1 + 0.15 * torch.sin(5 * points[:, :1]) * torch.cos(7 * points[:, 1:2] + points[:, 2:])
    return points * bumps, torch.tensor(mesh.faces, dtype=torch.int64)


def camera_rays(count: int) -> tuple[Tensor, Tensor]:
    """Rays of a square picture before the ball: origin and direction [R,3]."""
    side = int(count**0.5)
    across = (torch.arange(side, dtype=torch.float64) + 0.5) / side * 2 - 1
    x, y = torch.meshgrid(across, -across, indexing="xy")
    direction = torch.stack([0.42 * x, 0.42 * y, -torch.ones_like(x)], -1).reshape(-1, 3)
    return torch.tensor([[0.0, 0.0, 3.2]], dtype=torch.float64).expand(len(direction), 3).contiguous(), direction


def scattered_rays(count: int) -> tuple[Tensor, Tensor]:
    """Rays from points around the ball to points in it."""
    generator = torch.Generator().manual_seed(0)
    origin = torch.nn.functional.normalize(torch.randn(count, 3, generator=generator, dtype=torch.float64), dim=1) * 3
    return origin, torch.rand(count, 3, generator=generator, dtype=torch.float64) * 2 - 1 - origin


def measure(found: dict[str, Trace], given: tuple[Tensor, ...], rounds: int) -> dict[str, Row]:
    """All engines, one after the other in every round."""
    rows = {name: Row() for name in found}
    for number in range(rounds + 1):
        for name, trace in found.items():
            wall, cpu = time.perf_counter(), time.process_time()
            face = trace(*given)[0]
            spent = time.perf_counter() - wall, time.process_time() - cpu
            if number == 0:
                rows[name].first, rows[name].face = spent, face
            else:
                rows[name].wall.append(spent[0])
                rows[name].cpu.append(spent[1])
    return rows


def show(title: str, rows: dict[str, Row], rays: int) -> None:
    """One table."""
    print(f"\n{title}, {rays} rays")
    print(
        f"{'engine':>8} {'first ms':>9} {'then ms':>8} {'Mrays/s':>8} {'CPU-ms':>7} {'hit/miss':>8} {'other face':>10}"
    )
    expected = rows["cpu"].face
    for name, row in rows.items():
        wall, cpu = statistics.median(row.wall), statistics.median(row.cpu)
        missed = int(((row.face < 0) != (expected < 0)).sum())
        other = int((row.face != expected).sum()) - missed
        speed = rays / wall / 1e6
        print(
            f"{name:>8} {1e3 * row.first[0]:9.1f} {1e3 * wall:8.1f} {speed:8.2f} {1e3 * cpu:7.1f} {missed:8} {other:10}"
        )


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, nargs="+", default=[1280, 20480, 81920])
    parser.add_argument("--rays", type=int, default=2**18)
    parser.add_argument("--rounds", type=int, default=5)
    chosen = parser.parse_args()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, torch {torch.__version__}")
    found = engines()
    for faces in chosen.faces:
        mesh = ball(faces)
        for kind, rays in (("camera", camera_rays(chosen.rays)), ("scattered", scattered_rays(chosen.rays))):
            rows = measure(found, (*mesh, *rays), chosen.rounds)
            show(f"{len(mesh[1])} faces, {kind} rays", rows, len(rays[0]))


if __name__ == "__main__":
    main()
