"""The README's picture: silhouettes in, mesh out.

python examples/overview.py outputs/knot data/torus_knot.glb overview.png
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from invrender.backends import select
from invrender.cameras.rigs import mesh_frame, rig
from invrender.io.images import write_png
from invrender.io.meshes.read import read_mesh
from invrender.kernels import Backend
from invrender.methods.silhouette import film as turning
from invrender.methods.silhouette.refine import Shape
from invrender.nouns import Mesh
from invrender.parameters.frame import Frame

SMALL, LARGE, GAP = 128, 272, 16


def shape_in(frame: Frame, mesh: Mesh) -> Shape:
    """A mesh in the normalised frame."""
    vertices, faces = mesh.numpy()
    return Shape(frame.normalise(vertices), faces)


def main(run: Path, asset: Path, picture: Path, backend: Backend) -> None:
    """Eight of the asset's silhouettes on the left, the run's mesh from two sides on the right."""
    target = read_mesh(asset)
    centre, scale = mesh_frame(target.vertices, target.faces)
    frame = Frame(centre.numpy(), scale)
    small = rig("sphere", 8, [0.0, 0.0, 0.0], 1.0, (SMALL, SMALL), distance=2.6)
    large = rig("sphere", 5, [0.0, 0.0, 0.0], 1.0, (2 * LARGE, 2 * LARGE), distance=2.9)[[1, 2]]
    masks = turning.silhouettes(shape_in(frame, target), small, backend)
    result = turning.shaded(shape_in(frame, read_mesh(run / "mesh.ply")), large, backend)
    result = result.reshape(2, LARGE, 2, LARGE, 2, 3).mean((2, 4))
    canvas = torch.tensor(turning.PAPER).expand(LARGE, 4 * (SMALL + GAP) + 2 * LARGE, 3).clone()
    for k, mask in enumerate(masks):
        top, left = (k // 4) * (SMALL + GAP), (k % 4) * (SMALL + GAP)
        canvas[top : top + SMALL, left : left + SMALL] = mask
    for k, view in enumerate(result):
        left = 4 * (SMALL + GAP) + k * LARGE
        canvas[:, left : left + LARGE] = view
    write_png(picture, canvas)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), Path(sys.argv[3]), select("auto"))
