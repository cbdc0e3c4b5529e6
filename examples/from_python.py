"""Reconstruct a mesh from Python instead of the command line.

python examples/from_python.py data/mug.glb mug.ply
"""

from __future__ import annotations

import sys
from pathlib import Path

from invrender.backends import select
from invrender.cameras.rigs import mesh_frame, rig
from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_ply
from invrender.methods.silhouette import schedule as silhouette
from invrender.render.raster import render_views


def main(source: Path, result: Path) -> None:
    """Render 12 views of a mesh, reconstruct it from their masks, write the result."""
    backend = select("auto")
    asset = read_mesh(source)
    centre, scale = mesh_frame(asset.vertices, asset.faces)
    views = render_views(asset, rig("orbit", 12, centre, scale, size=(192, 192)), backend)

    settings = silhouette.Settings(iterations=240, strength=1.0)
    steps = silhouette.reconstruct(views, settings, backend, silhouette.start(views, settings, backend))
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            write_ply(result, end.value.mesh)
            print(f"IoU with the masks {end.value.iou:.4f}, wrote {result}")
            return
        if step.index % 60 == 0:
            print(f"{step.phase} {step.index}/{step.total}  loss {step.terms['loss']:.4f}  iou {step.terms['iou']:.4f}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
