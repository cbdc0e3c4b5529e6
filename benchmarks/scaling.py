"""How the cost of silhouettes grows with triangles, pixels and views, as a table and a plot; and the memory it takes.

    python benchmarks/scaling.py [--rounds 5] [--plot docs/scaling.png]

A bumpy sphere before an orbit of cameras: silhouettes compared with masks, with the gradient for every vertex, as
`invrender reconstruct` does it (`fused`), and depth alone (`rasterize`); one thread, medians, CPU time. The last line
is the peak memory of a process that compares 400k triangles with 100 masks of 1024 x 1024, everything included. Run it
on an idle machine.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import torch
from trimesh.creation import icosphere, uv_sphere

from invrender.backends import select
from invrender.cameras.rigs import rig
from invrender.nouns.topology import topology

TRIANGLES = (3, 4, 5, 6, 7, 8)  # subdivisions of an icosahedron: 1.3k to 1.3M
SIZES = (128, 256, 512, 1024, 2048)
VIEWS = (4, 12, 25, 50, 100)
KERNELS = ("fused", "rasterize")
Bumpy = tuple[torch.Tensor, torch.Tensor]


def bumpy(vertices: np.ndarray, faces: np.ndarray) -> Bumpy:
    """A sphere with bumps: vertices float64 and faces int64."""
    unit = torch.tensor(np.asarray(vertices))
    x, y, z = (unit * unit.new_tensor([5.0, 7.0, 6.0])).unbind(-1)
    bumps = 1 + 0.05 * torch.sin(x + 1) * torch.sin(y) * torch.cos(z)
    return unit * bumps[:, None], torch.tensor(np.asarray(faces), dtype=torch.int64)


def works(mesh: Bumpy, views: int, size: int) -> dict[str, Callable[[], object]]:
    """What is timed, by name."""
    vertices, faces = mesh
    cameras, backend = rig("orbit", views, torch.zeros(3), 1.1, (size, size)), select("cpu", needs=("meshes",))
    matrix = cameras.projection.double() @ cameras.world_to_camera.double()
    clip = (torch.einsum("nij,vj->nvi", matrix[:, :, :3], vertices) + matrix[:, None, :, 3]).float()
    edges = topology(faces)
    masks = backend.silhouette(clip * clip.new_tensor([1.02, 0.99, 1, 1]), faces, edges, (size, size))
    compare = backend.silhouette_misfit(faces, edges, len(vertices), masks, torch.ones(views))
    return {
        "fused": lambda: compare(vertices, matrix),
        "rasterize": lambda: backend.rasterize(clip, faces, (size, size)),
    }


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Median CPU time after a warm-up."""
    work()
    found = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        found.append(time.process_time() - start)
    return 1e3 * statistics.median(found)


def sweep(rounds: int) -> dict[str, tuple[list[float], dict[str, list[float]]]]:
    """By what grows: its values, and milliseconds by kernel. Prints the table on the way."""
    ball = bumpy(*_parts(icosphere(5)))
    axes: dict[str, Sequence[tuple[float, Bumpy, int, int]]] = {
        "triangles": [(20 * 4**n, bumpy(*_parts(icosphere(n))), 12, 256) for n in TRIANGLES],
        "pixels of an image": [(size**2, ball, 12, size) for size in SIZES],
        "views": [(count, ball, count, 256) for count in VIEWS],
    }
    results = {}
    for name, cases in axes.items():
        print(f"| {name} | " + " | ".join(f"{kernel}, ms" for kernel in KERNELS) + " |\n|" + "---|" * 3)
        times: dict[str, list[float]] = {kernel: [] for kernel in KERNELS}
        for value, mesh, views, size in cases:
            for kernel, work in works(mesh, views, size).items():
                times[kernel].append(milliseconds(work, rounds))
            print(f"| {value} | " + " | ".join(f"{times[kernel][-1]:.1f}" for kernel in KERNELS) + " |", flush=True)
        print()
        results[name] = ([case[0] for case in cases], times)
    return results


def plot(results: dict[str, tuple[list[float], dict[str, list[float]]]], path: Path) -> None:
    """One panel for each axis, with a line of slope 1."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(11, 3.4), layout="constrained")
    panels = figure.subplots(1, len(results), sharey=True)
    for panel, (name, (values, times)) in zip(panels, results.items(), strict=True):
        for kernel, marker in zip(KERNELS, "os", strict=True):
            panel.loglog(values, times[kernel], marker=marker, label=kernel)
        last = max(times[kernel][-1] for kernel in KERNELS)
        panel.loglog(values, [last * value / values[-1] for value in values], ":", color="0.6", label="slope 1")
        panel.set_xlabel(name)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("CPU milliseconds")
    panels[0].legend(frameon=False)
    figure.savefig(path, dpi=110)


def peak_memory() -> None:
    """Print the peak memory of this process after a comparison of 400k triangles with 100 masks of 1024 x 1024."""
    vertices, faces = bumpy(*_parts(uv_sphere(count=[317, 317])))
    cameras, backend = rig("orbit", 100, torch.zeros(3), 1.1, (1024, 1024)), select("cpu", needs=("meshes",))
    matrix = cameras.projection.double() @ cameras.world_to_camera.double()
    edges = topology(faces)
    masks = torch.zeros(100, 1024, 1024, dtype=torch.uint8)
    masks[:, 200:800, 300:700] = 255
    _, gradient, iou = backend.silhouette_misfit(faces, edges, len(vertices), masks, torch.ones(100))(vertices, matrix)
    print(f"{len(faces)} triangles, 100 masks of 1024 x 1024: peak memory {_peak() / 2**30:.2f} GiB", end="")
    print(f" (of them {masks.nbytes / 2**30:.2f} the masks; IoU {float(iou.mean()):.2f})")
    assert bool(gradient.isfinite().all())


def _peak() -> int:
    """Bytes. Linux counts the parent's memory in getrusage, if it was larger when it started this process."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def _parts(mesh: object) -> tuple[np.ndarray, np.ndarray]:
    return mesh.vertices, mesh.faces  # type: ignore[attr-defined]


def main() -> None:
    """Measure, print and plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", type=Path)
    parser.add_argument("--memory", action="store_true", help="only measure this process's peak memory")
    given = parser.parse_args()
    os.environ["OMP_NUM_THREADS"] = "1"
    torch.set_num_threads(1)
    if given.memory:
        peak_memory()
        return
    results = sweep(given.rounds)
    if given.plot:
        plot(results, given.plot)
    subprocess.run([sys.executable, __file__, "--memory"], check=True)


if __name__ == "__main__":
    main()
