"""How right colour pictures and their gradients are where contours cross pixels, as a table.

    python benchmarks/colour_gradients.py [--backend torch] [--directions 16] [--size PIXELS] [--only TEXT]

Every case is a mesh before two cameras, with a loss that compares its antialiased picture with a smooth one. The truth
is the same picture drawn 8 times as large and averaged: over blocks of pixels, so that each pixel is the average over
its area. In float64:

- `PSNR`: of the picture against the supersampled one, in dB, in pixels that a contour may touch: those within one pixel
  of another surface or of nothing. `none`: the same without antialiasing.
- `own`: error of the adjoint against central differences of the same picture over a tiny step (1e-7).
- `true`: error of the adjoint against central differences of the supersampled loss over a step of 1e-4.

Errors are root mean squares over directions relative to that of the differences, for directions that are smooth over
the surface and for ones that are random in every vertex. The truth itself is known to about half a percent, more where
the mesh is finer than its pixels.
"""

from __future__ import annotations

import invrender  # noqa: F401  isort: skip - before torch, whose threads then wait without spinning

import argparse
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import torch
from trimesh.creation import icosphere

from invrender import ops
from invrender.backends import select
from invrender.cameras.projection import perspective
from invrender.cameras.rigs import rig
from invrender.kernels import Backend
from invrender.nouns import Cameras
from invrender.nouns.topology import Topology, topology

Tensor = torch.Tensor
Loss = Callable[[Tensor, Tensor], Tensor]

VIEWS, FINER, TINY, STEP = 2, 8, 1e-7, 1e-4


@dataclass(frozen=True)
class Case:
    """A coloured mesh and how large its pictures are.

    Attributes:
        vertices: [V,3] float64.
        faces: [F,3] int64.
        edges: of `faces`.
        colours: [V,3] float64.
        size: pixels on a side.
        near: distance of the near plane; the cameras stand at about 3.3.
    """

    vertices: Tensor
    faces: Tensor
    edges: Topology
    colours: Tensor
    size: int
    near: float = 0.2


def case(vertices: np.ndarray, faces: np.ndarray, size: int = 64, one_colour: bool = False, near: float = 0.2) -> Case:
    """A case whose colours vary smoothly, or not at all."""
    points, corners = torch.from_numpy(np.asarray(vertices)), torch.from_numpy(np.asarray(faces)).long()
    colours = 0.5 + 0.4 * torch.sin(3 * points * (not one_colour) + torch.arange(3.0).double())
    return Case(points, corners, topology(corners), colours, size, near)


def sphere(subdivisions: int, radius: float, noise: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    """An icosphere whose radii are random within `noise`."""
    ball = icosphere(subdivisions)
    count = len(ball.vertices)
    radii = radius * (1 + noise * np.random.default_rng(0).normal(size=(count, 1)))
    return np.asarray(ball.vertices) * radii, np.asarray(ball.faces)


def bumpy(subdivisions: int, radius: float, amount: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    """A sphere with waves: inner contours even where triangles are tiny."""
    points, faces = sphere(subdivisions, 1.0)
    x, y, z = (points * [7.0, 9.0, 8.0]).T
    return points * radius * (1 + amount * np.sin(x + 1) * np.sin(y) * np.cos(z))[:, None], faces


def wires(size: float = 0.012) -> tuple[np.ndarray, np.ndarray]:
    """Long thin needles across each other before a sphere."""
    ball, faces = sphere(3, 0.3)
    parts, corners = [ball], [faces]
    rng = np.random.default_rng(3)
    for _ in range(12):
        way = rng.normal(size=3)
        way /= np.linalg.norm(way)
        points, faces = sphere(2, 1.0)
        along = points @ way
        parts.append(points * size + np.outer(along, way) * 0.7 + rng.normal(size=3) * 0.1)
        corners.append(faces + sum(len(part) for part in parts[:-1]))
    return np.concatenate(parts), np.concatenate(corners)


def opened(subdivisions: int, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A sphere with a cap cut off: borders, and its inside seen through the hole."""
    points, faces = sphere(subdivisions, radius)
    middle = points[faces].mean(1)
    return points, faces[(middle @ [0.48, 0.6, 0.64]) < 0.5 * radius]


def soup(count: int = 40) -> tuple[np.ndarray, np.ndarray]:
    """Triangles without neighbours that reach through each other."""
    rng = np.random.default_rng(5)
    corners = rng.normal(size=(count, 1, 3)) * 0.3 + rng.normal(size=(count, 3, 3)) * 0.25
    return corners.reshape(-1, 3), np.arange(3 * count).reshape(-1, 3)


CASES: dict[str, Callable[[], Case]] = {
    "interior only (mesh fills the picture)": lambda: case(*sphere(2, 1.7, 0.02)),
    "smooth sphere, one colour": lambda: case(*sphere(3, 0.6), one_colour=True),
    "smooth sphere, coloured": lambda: case(*sphere(3, 0.6)),
    "bumpy sphere (inner contours)": lambda: case(*sphere(2, 0.6, 0.06)),
    "very bumpy sphere": lambda: case(*sphere(3, 0.6, 0.08)),
    "waves, 20k triangles, 128^2": lambda: case(*bumpy(5, 0.7), size=128),
    "waves, 80k triangles, 256^2": lambda: case(*bumpy(6, 0.7), size=256),
    "waves, 80k triangles, 64^2": lambda: case(*bumpy(6, 0.7), size=64),
    "thin needles before a sphere": lambda: case(*wires()),
    "open sphere": lambda: case(*opened(3, 0.7)),
    "cut by the picture's border": lambda: case(*sphere(3, 1.3)),
    "cut by the near plane": lambda: case(*sphere(3, 0.8), near=2.9),
    "triangle soup": lambda: case(*soup()),
}


def cameras(size: int, near: float) -> Cameras:
    """Two views all around."""
    poses = rig("sphere", VIEWS, [0.0, 0.0, 0.0], 1.0, (size, size)).world_to_camera
    return Cameras(poses, perspective(45.0, (size, size), near, 10.0).repeat(VIEWS, 1, 1), (size, size))


def draw(backend: Backend, c: Case, vertices: Tensor, colours: Tensor, finer: int = 1, blend: bool = True) -> Tensor:
    """Pictures [N,H,W,4] of colours and coverage, averaged over blocks of finer^2 pixels."""
    size = c.size * finer
    matrix = cameras(c.size, c.near).clip_from_world.double()
    points = torch.cat([vertices, torch.ones_like(vertices[:, :1])], 1)
    clip = points @ matrix.transpose(1, 2)
    face_id, depth = ops.rasterize(backend, clip, c.faces, (size, size))
    attributes = torch.cat([colours, torch.ones_like(colours[:, :1])], 1)
    image = ops.interpolate(backend, attributes, c.faces, face_id, clip)
    if blend:
        image = ops.antialias(backend, image, face_id, depth, clip, c.faces, c.edges)
    return image.reshape(VIEWS, c.size, finer, c.size, finer, 4).mean((2, 4))


def target(size: int) -> Tensor:
    """A smooth picture [1,H,W,3] that has nothing to do with the mesh."""
    y, x = torch.meshgrid(*[(torch.arange(size).double() + 0.5) / size] * 2, indexing="ij")
    waves = (torch.sin(7 * x + 3 * y), torch.cos(6 * y), torch.sin(5 * x * y))
    return torch.stack([0.5 + 0.3 * waves[0], 0.4 + 0.3 * waves[1], 0.3 + 0.2 * waves[2]], -1)[None]


def loss(backend: Backend, c: Case, finer: int) -> Loss:
    """Mean squared difference from `target`, as a function of vertices and colours."""
    wanted = target(c.size)
    return lambda v, colours: (draw(backend, c, v, colours, finer)[..., :3] - wanted).square().sum() / c.size**2


def directions(c: Case, kind: str, count: int) -> list[Tensor]:
    """Motions [V,3] of the vertices."""
    found = []
    for seed in range(count):
        rng = np.random.default_rng(seed)
        phase, waves, noise = rng.normal(size=3), rng.normal(size=(3, 3)), rng.normal(size=tuple(c.vertices.shape))
        smooth = torch.sin(2 * c.vertices @ torch.from_numpy(waves) + torch.from_numpy(phase))
        found.append(smooth if kind == "smooth" else torch.from_numpy(noise))
    return found


def errors(backend: Backend, c: Case, kind: str, count: int) -> tuple[float, float]:
    """Relative errors of the adjoint against its own picture and against the truth."""
    plain, fine = loss(backend, c, 1), loss(backend, c, FINER)
    vertices = c.vertices.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(plain(vertices, c.colours), vertices)

    def slope(which: Loss, way: Tensor, step: float) -> float:
        with torch.no_grad():
            ends = [float(which(c.vertices + sign * step * way, c.colours)) for sign in (1, -1)]
        return (ends[0] - ends[1]) / (2 * step)

    ways = directions(c, kind, count)
    adjoint = np.array([float((gradient * way).sum()) for way in ways])
    found = (np.array([slope(plain, way, TINY) for way in ways]), np.array([slope(fine, way, STEP) for way in ways]))
    own, true = (float(np.linalg.norm(adjoint - x) / np.linalg.norm(x)) for x in found)
    return own, true


def quality(backend: Backend, c: Case) -> tuple[float, float]:
    """PSNR of the picture with and without antialiasing against the supersampled one, where contours may be."""
    with torch.no_grad():
        true = draw(backend, c, c.vertices, c.colours, FINER)
        found = [draw(backend, c, c.vertices, c.colours, 1, blend) for blend in (True, False)]
    near = (found[1] - true).abs().amax(-1) > 1e-2
    scores = [-10 * np.log10(float((picture - true)[near].square().mean()) + 1e-12) for picture in found]
    return scores[0], scores[1]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="torch")
    parser.add_argument("--directions", type=int, default=16)
    parser.add_argument("--size", type=int, help="of all pictures, instead of each case's own")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    given = parser.parse_args()
    torch.set_num_threads(1)
    backend = select(given.backend, needs=("meshes",))
    print("| case | PSNR (none) | smooth: own | true | random: own | true |\n|" + "---|" * 6)
    for name, make in CASES.items():
        if given.only not in name:
            continue
        c = make()
        if given.size:
            c = replace(c, size=given.size)
        psnr = "{:.1f} ({:.1f})".format(*quality(backend, c))
        cells = [f"{x:.2e}" for kind in ("smooth", "random") for x in errors(backend, c, kind, given.directions)]
        print("| " + " | ".join([name, psnr, *cells]) + " |", flush=True)


if __name__ == "__main__":
    main()
