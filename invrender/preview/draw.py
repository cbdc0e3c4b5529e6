"""One job of the preview, drawn with pyvista in the process that calls this."""

from __future__ import annotations

from pathlib import Path

from invrender.io.cameras_file import read_viewpoint
from invrender.io.files.atomic import atomic_path
from invrender.io.gif import write_gif
from invrender.io.meshes.read import read_mesh
from invrender.io.volumes.paths import is_volume_path
from invrender.io.volumes.read import read_volume
from invrender.preview.guard import Job
from invrender.preview.scene import Panel, build, driver_name, example_mesh, look_from, turntable
from invrender.preview.window import open_window
from invrender.render.transfer_file import read_transfer


def draw(job: Job) -> str:
    """Draw the job's window or picture and return the driver's name."""
    panels = [_panel(title, path, i in job.isosurfaces) for i, (title, path) in enumerate(job.panels)]
    panels = panels or [Panel("", example_mesh())]
    height = 64 if job.kind == "probe" else job.size
    size = (height, job.width or height * len(panels))
    transfer = read_transfer(Path(job.transfer)) if job.transfer else None
    stage = build(panels, job.notes, size, job.kind != "window", tuple(job.background) or None, transfer)
    if job.camera:
        look_from(stage, read_viewpoint(job.camera))
    driver = driver_name(stage.plotter)  # cannot be asked for after the window is closed
    if job.kind == "window":
        open_window(stage, Path(job.folder))
    elif job.kind == "turntable":
        write_gif(job.output, list(turntable(stage, job.frames)), job.fps)
    elif job.kind == "screenshot":
        with atomic_path(Path(job.output)) as temporary:
            stage.plotter.screenshot(temporary)
    else:
        stage.plotter.screenshot(return_img=True)
    stage.plotter.close()
    return driver


def _panel(title: str, path: str, isosurface: bool) -> Panel:
    return Panel(title, read_volume(path) if is_volume_path(path) else read_mesh(path), isosurface)
