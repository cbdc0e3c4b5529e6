"""What measuring a mesh against its reference costs, part by part and in CPU seconds, against the number of faces.

    python benchmarks/measuring.py [--faces 20000 120000 400000 1000000] [--kinds scan unwelded needles] [--rounds 3]

Result and reference both have so many faces: `scan` is a closed surface with relief at all scales, in triangles of one
size; `unwelded` the same with no vertex shared; `needles` long thin triangles that go through each other. Imports and
kernels' loading are left out. The last columns are the whole of `mesh_metrics`, which builds each tree once, and how
much memory the process has held at most. Medians over rounds.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import sys
import time
from collections.abc import Callable

import numpy as np

from invrender.backends import select
from invrender.evaluate.distances import LIFT, Solid, distances
from invrender.evaluate.mesh import evaluation_cameras, evaluation_frame, mesh_metrics, silhouettes
from invrender.geometry.bvh import build_tree
from invrender.geometry.closest import Surface
from invrender.geometry.intersections import self_intersections
from invrender.geometry.surface_facts import areas_and_volume, facts_of, joined
from invrender.geometry.vectors import Floats, Ints
from invrender.geometry.visibility import visible_from_outside
from invrender.kernels import Backend
from invrender.nouns import Mesh

Arrays = tuple[Floats, Ints]
SAMPLES = 30_000
PARTS = ("tree", "areas", "topology", "pierced", "outlines", "closest", "visible", "distances", "whole")


def scan(faces: int, phase: float) -> Arrays:
    """A ball of about so many faces, with bumps large, small and tiny."""
    n = round((faces / 12) ** 0.5)
    u = np.tan(np.linspace(-1, 1, n + 1) * np.pi / 4)
    a, b = (each.ravel() for each in np.meshgrid(u, u, indexing="ij"))
    corner = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    p, q, r, s = (each.ravel() for each in (corner[:-1, :-1], corner[1:, :-1], corner[1:, 1:], corner[:-1, 1:]))
    one = np.concatenate([np.stack([p, q, r], 1), np.stack([p, r, s], 1)])
    sides = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            side = np.empty((len(a), 3))
            side[:, axis], side[:, (axis + 1) % 3], side[:, (axis + 2) % 3] = sign, a, sign * b
            sides.append(side)
    v = np.concatenate(sides)
    f = np.concatenate([one + k * len(a) for k in range(6)])
    _, first, inverse = np.unique(np.round(v * 1e9), axis=0, return_index=True, return_inverse=True)
    v, f = v[np.sort(first)], np.argsort(np.argsort(first))[inverse.ravel()][f]
    v /= np.linalg.norm(v, axis=1, keepdims=True)
    relief = 0.12 * np.sin(5 * v[:, 0] + phase) * np.cos(7 * v[:, 1] + v[:, 2])
    relief += 0.02 * np.sin(23 * v[:, 2]) * np.sin(29 * v[:, 0] + phase)
    relief += 0.002 * np.sin(91 * v[:, 0]) * np.sin(83 * v[:, 1]) * np.sin(87 * v[:, 2])
    return v * (1 + relief)[:, None], f


def unwelded(faces: int, phase: float) -> Arrays:
    """The same, in triangles that share no vertex."""
    v, f = scan(faces, phase)
    return v[f].reshape(-1, 3), np.arange(3 * len(f)).reshape(-1, 3)


def needles(faces: int, phase: float) -> Arrays:
    """Long thin triangles in a cube, the same for all phases but for where they are."""
    random = np.random.default_rng(0)
    middle, along = random.random((faces, 1, 3)), random.standard_normal((faces, 1, 3))
    along *= 2.0 / faces**0.5 / np.linalg.norm(along, axis=2, keepdims=True)
    corners = middle + along * np.array([-1.0, 1, 0.8])[None, :, None]
    corners = corners + random.standard_normal((faces, 3, 3)) * 0.02 / faces**0.5
    return corners.reshape(-1, 3) + 1e-3 * phase, np.arange(3 * faces).reshape(-1, 3)


KINDS: dict[str, Callable[[int, float], Arrays]] = {"scan": scan, "unwelded": unwelded, "needles": needles}


def cost(work: Callable[[], object], rounds: int) -> float:
    """The median CPU seconds of some work."""
    spent = []
    for _ in range(rounds):
        before = time.process_time()
        work()
        spent.append(time.process_time() - before)
    return statistics.median(spent)


def costs(result: Arrays, reference: Arrays, backend: Backend, rounds: int) -> list[float]:
    """CPU seconds of `PARTS`; all but the last three are of one of the meshes."""
    v, f = result
    solid, other = Solid(*result), Solid(*reference)
    centre, scale = evaluation_frame(Mesh.from_numpy(*reference))
    cameras = evaluation_cameras(centre, scale)
    points = v[f[:: max(len(f) // SAMPLES, 1)]].mean(1)[:SAMPLES]
    surface, lift = Surface(*reference, tree=other.tree), LIFT * other.tree.diagonal
    whole = Mesh.from_numpy(*result), Mesh.from_numpy(*reference), backend
    work: list[Callable[[], object]] = [
        lambda: build_tree(v, f).triangles,
        lambda: areas_and_volume(v, f),
        lambda: facts_of(joined(v, f, 1e-8)),
        lambda: self_intersections(v, f, solid.tree),
        lambda: silhouettes((solid,), cameras, backend),
        lambda: surface.closest(points),
        lambda: visible_from_outside(points, solid.tree, lift),
        lambda: distances(Solid(*result), Solid(*reference), SAMPLES, 0, cameras),
        lambda: mesh_metrics(*whole, seen_by=cameras),
    ]
    return [cost(each, rounds) for each in work]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=int, nargs="+", default=[20_000, 120_000, 400_000, 1_000_000])
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    backend = select("cpu", needs=("meshes",))
    costs(scan(2000, 0.0), scan(2000, 0.1), backend, 1)  # kernels are loaded
    print("| kind | faces | " + " | ".join(PARTS) + " | MiB |")
    print("|---|" + "---:|" * (len(PARTS) + 2))
    for kind in chosen.kinds:
        for faces in chosen.faces:
            result, reference = KINDS[kind](faces, 0.0), KINDS[kind](faces, 0.1)
            cells = [f"{each:.3f}" for each in costs(result, reference, backend, chosen.rounds)]
            held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
            print(f"| {kind} | {len(result[1])} | " + " | ".join(cells) + f" | {held:.0f} |", flush=True)


if __name__ == "__main__":
    main()
