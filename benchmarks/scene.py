"""Values of a scene recovered from one picture, how sure they are, and the derivatives that find them, as a table.

    python benchmarks/scene.py [--tree raytracer_tree.obj] [--only light pose ...]

The tree is one of our own, or RayTracer.jl's by its path. Times are CPU seconds of one thread, kernels compiled before;
those of cameras and materials include everything from the scene to the answer. Evaluations count pictures, with or
without derivatives, also those by which starts are judged.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
import platform
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from scene_certainty import coverage, posterior
from scene_gradients import gradients
from scene_recovery import light, materials, pose
from scene_world import tree

from invrender.backends import select
from invrender.kernels import Backend
from invrender.nouns import Mesh

Row = tuple[str, str, str, str]

HEAD = "| experiment | found | bar | CPU s |\n|---|---|---|---|"


def experiments(
    meshes: Sequence[Mesh], backend: Backend, chosen: argparse.Namespace
) -> dict[str, Callable[[], list[Row]]]:
    """What is measured, by name."""
    return {
        "light": lambda: light(meshes, backend),
        "materials": lambda: materials(backend),
        "posterior": lambda: posterior(meshes, backend),
        "coverage": lambda: coverage(meshes, backend, chosen.sets),
        "pose": lambda: pose(meshes, backend, chosen.starts, chosen.off),
        "gradients": lambda: gradients(backend),
    }


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tree", type=Path, help="an .obj with materials; ours if left out")
    parser.add_argument("--only", nargs="+", help="light, materials, posterior, coverage, pose, gradients")
    parser.add_argument("--starts", type=int, default=40, help="of the camera")
    parser.add_argument("--off", type=float, nargs="+", default=[5.0, 10.0], help="degrees by which it is off")
    parser.add_argument("--sets", type=int, default=200, help="of noise, by which coverage is counted")
    chosen = parser.parse_args()
    torch.set_num_threads(1)
    backend = select("cpu")
    print(f"{platform.processor() or platform.machine()}, {backend.description}, torch {torch.__version__}\n")
    found = experiments(tree(chosen.tree), backend, chosen)
    light(tree(None), backend, 32)  # compiles the kernels
    print(HEAD)
    for name in chosen.only or found:
        began = time.process_time()
        for row in found[name]():
            print(f"| {' | '.join(row)} |", flush=True)
        print(f"<!-- {name}: {time.process_time() - began:.0f} CPU-s in all -->", flush=True)


if __name__ == "__main__":
    main()
