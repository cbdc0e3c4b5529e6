"""The README's picture: silhouettes in, mesh out.

python examples/overview.py outputs/knot data/torus_knot.glb overview.png
"""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import torch

import invrender
from invrender.cameras.rigs import mesh_frame, rig
from invrender.io.images import write_png

SMALL, LARGE, GAP = 128, 272, 16
PAPER = (0.93, 0.94, 0.96)  # linear RGB of the background
INK = (0.035, 0.05, 0.09)  # of the silhouettes
CLAY = invrender.Material((0.46, 0.5, 0.57), name="clay")
LIGHT = invrender.Lights(intensity=0.85, ambient=0.22)


def main(run: Path, asset: Path, picture: Path) -> None:
    """Eight of the asset's silhouettes on the left, the run's mesh from two sides on the right."""
    target, result = invrender.read(asset), invrender.read(run)
    assert isinstance(target, invrender.Mesh) and isinstance(result, invrender.Mesh)
    centre, scale = mesh_frame(target.vertices, target.faces)
    small = rig("sphere", 8, centre, scale, (SMALL, SMALL), distance=2.6)
    large = rig("sphere", 5, centre, scale, (LARGE, LARGE), distance=2.9)[[1, 2]]
    clay = invrender.Scene(replace(result, colours=None, material=CLAY), LIGHT, PAPER)
    coverage = invrender.render(target, small, "silhouette").cpu().clamp(0, 1)
    masks = coverage * torch.tensor(INK) + (1 - coverage) * torch.tensor(PAPER)
    views = invrender.render(clay, large, supersample=2).cpu()
    canvas = torch.tensor(PAPER).expand(LARGE, 4 * (SMALL + GAP) + 2 * LARGE, 3).clone()
    for k, mask in enumerate(masks):
        top, left = (k // 4) * (SMALL + GAP), (k % 4) * (SMALL + GAP)
        canvas[top : top + SMALL, left : left + SMALL] = mask
    for k, view in enumerate(views):
        left = 4 * (SMALL + GAP) + k * LARGE
        canvas[:, left : left + LARGE] = view
    write_png(picture, canvas)


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:4]))
