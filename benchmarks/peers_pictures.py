"""What other programs draw of the same assets when nothing is said, beside ours: a picture for docs/gallery.md.

python benchmarks/peers_pictures.py data/mug.glb data/torus_knot.glb cloud.npz -o docs/gallery/peers.png

Takes pyvista, and Open3D and Mitsuba 3 where they are installed (`pip install open3d mitsuba`): each draws a mesh with
what its shortest example does, from about the same side, in a process of its own. A program that cannot be imported or
that has no graphics here leaves its panel out, which is said.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from invrender.report.lettering import Panel, framed

PYVISTA = """
import sys, pyvista
source, target, size = sys.argv[1:]
plotter = pyvista.Plotter(off_screen=True, window_size=[int(size)] * 2)
if source.endswith(".vti"):
    plotter.add_volume(pyvista.read(source), show_scalar_bar=False)
else:
    plotter.add_mesh(pyvista.read(source))
plotter.view_xy()
plotter.camera.elevation = 10
plotter.screenshot(target)
"""

OPEN3D = """
import sys, numpy, open3d
source, target, size = sys.argv[1:]
mesh = open3d.io.read_triangle_mesh(source)
mesh.compute_vertex_normals()
draw = open3d.visualization.rendering.OffscreenRenderer(int(size), int(size))
material = open3d.visualization.rendering.MaterialRecord()
material.shader = "defaultLit"
draw.scene.add_geometry("mesh", mesh, material)
box = mesh.get_axis_aligned_bounding_box()
middle, reach = box.get_center(), max(box.get_extent())
draw.setup_camera(45.0, middle, middle + reach * numpy.array([0, 0.3, 1.7]), [0, 1, 0])
open3d.io.write_image(target, draw.render_to_image())
"""

MITSUBA = """
import sys, numpy, mitsuba
source, target, size = sys.argv[1:]
mitsuba.set_variant("scalar_rgb")
from mitsuba import ScalarTransform4f as T
mesh = mitsuba.load_dict({"type": "ply", "filename": source})
box = mesh.bbox()
middle, reach = numpy.array(box.center()), float(max(box.extents()))
colour = {"type": "mesh_attribute", "name": "vertex_color"} if mesh.has_attribute("vertex_color") else 0.5
scene = mitsuba.load_dict({
    "type": "scene", "integrator": {"type": "path"}, "light": {"type": "constant"},
    "mesh": {"type": "ply", "filename": source, "bsdf": {"type": "twosided", "inner": {"type": "diffuse"}}},
    "sensor": {"type": "perspective", "fov": 45,
               "to_world": T().look_at(origin=list(middle + reach * numpy.array([0, 0.3, 1.7])),
                                       target=list(middle), up=[0, 1, 0]),
               "film": {"type": "hdrfilm", "width": int(size), "height": int(size)}},
})
mitsuba.util.write_bitmap(target, mitsuba.render(scene, spp=64))
"""

OURS = """
import sys
from invrender.cli.app import run
source, target, size = sys.argv[1:]
sys.exit(run(["render", source, "-o", target, "--size", size, "-q"]))
"""

OLD, NEW = "invrender, before", "invrender"
PROGRAMS = {"pyvista": PYVISTA, "Open3D": OPEN3D, "Mitsuba 3": MITSUBA, OLD: OURS, NEW: OURS}


def main(assets: list[Path], picture: Path, size: int, python: str, before: Path | None) -> None:
    """One row for each asset, one column for each program."""
    import invrender

    rows = []
    with tempfile.TemporaryDirectory() as scratch:
        for asset in assets:
            read = invrender.read(asset)
            volume = isinstance(read, invrender.Volume)
            source = Path(scratch) / f"{asset.stem}{'.vti' if volume else '.ply'}"
            invrender.write(source, read)
            panels = []
            for name in PROGRAMS:
                if (volume and name in ("Open3D", "Mitsuba 3")) or (name == OLD and before is None):
                    continue
                drawn = picture_by(name, asset if name in (OLD, NEW) else source, size, python, before)
                if drawn is not None:
                    panels.append(Panel(drawn, name))
            rows.append(framed(panels))
    widest = max(row.shape[1] for row in rows)
    sheet = [np.pad(row, ((0, 8), (0, widest - row.shape[1]), (0, 0)), constant_values=255) for row in rows]
    Image.fromarray(np.concatenate(sheet)).save(picture, optimize=True)
    print(picture)


def picture_by(name: str, source: Path, size: int, python: str, before: Path | None) -> np.ndarray | None:
    """What a program draws of a file, [H,W,3] uint8; None where it draws nothing, which is said."""
    with tempfile.TemporaryDirectory() as scratch:
        target = Path(scratch) / "drawn.png"
        own = sys.executable if name in (OLD, NEW) else python
        environment = {**os.environ, "PYTHONPATH": str(before if name == OLD else Path(__file__).parents[1])}
        told = subprocess.run(
            [own, "-c", PROGRAMS[name], str(source.resolve()), str(target), str(size)],
            capture_output=True, text=True, check=False, env=environment,
        )  # fmt: skip
        if not target.is_file():
            print(f"{name} drew nothing of {source.name}: {told.stderr.strip().splitlines()[-1:]}")
            return None
        return np.asarray(Image.open(target).convert("RGB"))


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("assets", type=Path, nargs="+")
    parser.add_argument("-o", dest="picture", type=Path, required=True)
    parser.add_argument("--size", type=int, default=280)
    parser.add_argument("--python", default=sys.executable, help="that has the other programs")
    parser.add_argument("--before", type=Path, help="a checkout of an older version of this program")
    given = parser.parse_args()
    main(given.assets, given.picture, given.size, given.python, given.before)
