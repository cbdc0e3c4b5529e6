"""Reconstruct a mesh step by step, where `invrender.reconstruct` hides too much: own views, own loop, no run folder.

python examples/from_python.py data/mug.glb mug.ply
"""

from __future__ import annotations

import sys
from pathlib import Path

from invrender.backends import select
from invrender.cameras.rigs import mesh_frame, rig
from invrender.io.meshes.read import read_mesh
from invrender.io.meshes.write import write_ply
from invrender.methods.silhouette.schedule import Plan
from invrender.methods.silhouette.settings import SilhouetteSettings
from invrender.methods.silhouette.start import first_shape
from invrender.render.raster import render_views
from invrender.solve.loop import Loop


def main(source: Path, result: Path) -> None:
    """Render 12 views of a mesh, reconstruct it from their masks, write the result."""
    backend = select("auto")
    asset = read_mesh(source)
    centre, scale = mesh_frame(asset.vertices, asset.faces)
    views = render_views(asset, rig("orbit", 12, centre, scale, size=(192, 192)), backend)

    settings = SilhouetteSettings(source, iterations=240, smoothness=1.0)
    plan = Plan(views, settings, backend, first_shape(views, settings, backend))
    loop = Loop(plan.following)
    for step in loop:
        if step.index % 60 == 0:
            loss, iou = step.terms["loss"], step.terms["iou"]
            print(f"{step.phase.title} {step.index}/{step.total}  loss {loss:.4f}  iou {iou:.4f}")
    found = plan.result(loop.state.finished)
    write_ply(result, found.mesh)
    print(f"IoU with the masks {found.iou:.4f}, wrote {result}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
