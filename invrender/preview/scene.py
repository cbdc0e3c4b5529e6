"""How a preview looks: panels side by side, one camera, the colours of `invrender render`, text in strips of its own.

The first renderer fills the window and holds the text; the panels lie on it and leave strips free at the top and at the
bottom, so that no text ever lies over an object.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.cameras.projection import vertical_fov
from invrender.cameras.viewpoint import Viewpoint
from invrender.geometry.isosurface import surface_of
from invrender.nouns import Mesh, Volume
from invrender.nouns.transfer import TransferFunction
from invrender.preview.surfaces import SURFACE, surface_data, used
from invrender.preview.volumes import Cloud, add_cloud, shown_points

if TYPE_CHECKING:
    import pyvista

WHITE, BLACK = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
DARK_INK, LIGHT_INK = (0.25, 0.27, 0.30), (0.78, 0.80, 0.84)
VIEW = np.array([0.55, 0.32, 1.0])  # from the object towards the camera; +Y is up
LAMPS = (((-0.75, 0.8, 0.9), 0.58), ((1.0, 0.1, 0.35), 0.18))  # directions in camera axes, intensities: key and fill
FROM_ABOVE = 0.12
EDITOR = 320  # pixels of the column in which a transfer function is edited

Colour = tuple[float, ...]


@dataclass(frozen=True)
class Panel:
    """One picture of the row: a title and the mesh or volume under it, the volume as a cloud or as its isosurface."""

    title: str
    subject: Mesh | Volume
    isosurface: bool = False

    @property
    def cloud(self) -> Volume | None:
        """The volume, where it is shown as a cloud."""
        return self.subject if isinstance(self.subject, Volume) and not self.isosurface else None

    @property
    def corners(self) -> NDArray[np.float64]:
        """Points [K,3] whose box holds what is shown."""
        if isinstance(self.subject, Mesh):
            return used(self.subject).numpy()[0]
        return shown_points(self.subject)


@dataclass
class Stage:
    """What was built.

    Attributes:
        plotter: with the strips' renderer first and the panels' after it.
        panels: what they show.
        clouds: of the panels that have one, by the panel's number.
        ink: colour of text.
        size: (H, W) of a panel in pixels.
        editor: the renderer of the column at the right, where there is one.
    """

    plotter: pyvista.Plotter
    panels: Sequence[Panel]
    clouds: dict[int, Cloud]
    ink: Colour
    size: tuple[int, int]
    editor: pyvista.Renderer | None = None


def build(
    panels: Sequence[Panel],
    notes: Sequence[str],
    size: tuple[int, int],
    off_screen: bool,
    background: Colour | None = None,
    transfer: TransferFunction | None = None,
    editor: bool | None = None,
) -> Stage:
    """A plotter that shows the panels side by side from one common camera.

    Args:
        panels, notes: what is shown, and lines of text under it.
        size: (H, W) of all in pixels.
        off_screen: whether there is no window.
        background: sRGB in [0, 1]; None: black where there are clouds, else white.
        transfer: of clouds; None: that of look auto.
        editor: whether there is a column for editing the transfer function; None: in a window with one cloud alone.
    """
    import pyvista
    import vtk

    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    clouds = [panel for panel in panels if panel.cloud is not None]
    editor = (len(panels) == 1 == len(clouds) and not off_screen) if editor is None else editor
    behind = background or (BLACK if clouds else WHITE)
    ink = DARK_INK if sum(behind) > 1.4 else LIGHT_INK
    plotter = pyvista.Plotter(
        shape=(1, 1 + len(panels) + editor),
        off_screen=off_screen,
        window_size=[size[1] + EDITOR * (editor and not off_screen), size[0]],
        border=False,
        lighting=None,
    )
    for renderer in plotter.renderers:
        renderer.set_background(behind)
    for place, intensity in LAMPS:
        _add_light(plotter, place, intensity, "camera light")
    _add_light(plotter, (0.0, 1.0, 0.0), FROM_ABOVE, "scene light")
    boxes = _boxes(len(panels), bool(editor), bool(notes), any(panel.title for panel in panels), plotter.window_size)
    stage = Stage(plotter, panels, {}, ink, (0, 0))
    for number, (panel, box) in enumerate(zip(panels, boxes, strict=False)):
        plotter.subplot(0, 1 + number)
        plotter.renderer.viewport = box
        cloud = _add_panel(plotter, panel, transfer)
        if cloud is not None:
            stage.clouds[number] = cloud
    width, height = plotter.window_size
    left, bottom, right, top = boxes[0]
    stage.size = (round((top - bottom) * height), round((right - left) * width))
    _letter(stage, notes, boxes)
    if editor:
        stage.editor = plotter.renderers[-1]
        stage.editor.viewport = boxes[-1]
        stage.editor.InteractiveOff()
    plotter.link_views(list(range(1, 1 + len(panels))))
    plotter.subplot(0, 1)
    _aim(stage)
    return stage


def turntable(stage: Stage, frames: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures [H,W,3] of one full turn around +Y."""
    plotter = stage.plotter
    for _ in range(frames):
        yield np.asarray(plotter.screenshot(return_img=True), np.uint8)[..., :3]
        plotter.camera.Azimuth(360.0 / frames)  # the panels share it
        plotter.render()  # a screenshot alone would take the picture before


def look_from(stage: Stage, view: Viewpoint) -> None:
    """Place the common camera."""
    camera = stage.plotter.renderers[1].camera
    camera.position, camera.focal_point, camera.up = view.eye, view.target, view.up
    camera.parallel_projection = view.extent is not None
    camera.view_angle = vertical_fov(view.fov, stage.size)
    if view.extent is not None:
        height, width = stage.size
        camera.parallel_scale = view.extent / 2 * max(1.0, height / width)  # half of the height
    for renderer in stage.plotter.renderers[1:]:
        renderer.reset_camera_clipping_range()


def viewpoint(stage: Stage) -> Viewpoint:
    """Where the common camera stands."""
    camera = stage.plotter.renderers[1].camera
    height, width = stage.size
    where = tuple(camera.position), tuple(camera.focal_point), tuple(camera.up)
    if camera.parallel_projection:
        return Viewpoint(*where, extent=float(2 * camera.parallel_scale * min(1.0, width / height)))
    half = np.tan(np.radians(camera.view_angle) / 2) * min(1.0, width / height)
    fov = float(np.degrees(2 * np.arctan(half)))
    return Viewpoint(*where, round(fov, 6))


def driver_name(plotter: pyvista.Plotter) -> str:
    """Which kind of OpenGL window VTK chose, such as EGL or X."""
    window: Any = plotter.render_window
    name = str(window.GetClassName())
    return name.removeprefix("vtk").removesuffix("RenderWindow").removesuffix("OpenGL") or name


def example_mesh() -> Mesh:
    """A tetrahedron, to see whether anything can be drawn at all."""
    vertices = torch.tensor([[1.0, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]], dtype=torch.float64)
    return Mesh(vertices, torch.tensor([[0, 2, 1], [0, 3, 2], [0, 1, 3], [1, 2, 3]]))


def font_size(height: int) -> int:
    """Of all text, in points, for a picture of that height in pixels."""
    return min(max(6, height // 65), 12)


def line_height(height: int) -> int:
    """Of a line of text in pixels, for a picture of that height."""
    return round(2.6 * font_size(height))


def _boxes(
    count: int, editor: bool, notes: bool, titles: bool, size: Sequence[int]
) -> list[tuple[float, float, float, float]]:
    """Left, bottom, right and top of panels, and of the editor after them, as shares of the window."""
    width, height = size
    line = line_height(height) / height
    bottom, top = line * notes, 1 - line * titles
    if notes or titles:
        bottom, top = max(bottom, 0.01), min(top, 0.99)
    right = 1 - (min(EDITOR / width, 0.45) if editor else 0)
    edges = np.linspace(0, right, count + 1)
    boxes = [(float(a), bottom, float(b), top) for a, b in itertools.pairwise(edges)]
    return [*boxes, (right, 0.0, 1.0, 1.0)] if editor else boxes


def _letter(stage: Stage, notes: Sequence[str], boxes: Sequence[tuple[float, float, float, float]]) -> None:
    """Titles above the panels and the notes, as one line, under them."""
    plotter = stage.plotter
    width, height = plotter.window_size
    plotter.subplot(0, 0)
    plotter.renderer.viewport = (0.0, 0.0, 1.0, 1.0)
    plotter.renderer.InteractiveOff()
    size, margin = font_size(height), max(3, font_size(height) // 2)
    for panel, (left, _, _, top) in zip(stage.panels, boxes, strict=False):
        if panel.title:
            at = (round(left * width) + margin, round(top * height) + margin // 2)
            plotter.add_text(panel.title, position=at, font_size=size, color=stage.ink)
    if notes:
        plotter.add_text(
            _fitted(notes, width, size), position=(margin, margin), font_size=size, color=stage.ink, name="notes"
        )


def _fitted(notes: Sequence[str], width: int, size: int) -> str:
    """As many notes as have room in one line."""
    text = notes[0]
    for note in notes[1:]:
        longer = f"{text}   {note}"
        if 1.15 * size * len(longer) > width:
            break
        text = longer
    return text


def _add_panel(plotter: pyvista.Plotter, panel: Panel, transfer: TransferFunction | None) -> Cloud | None:
    plotter.enable_anti_aliasing("ssaa", all_renderers=False)
    if panel.cloud is not None:
        return add_cloud(plotter, panel.cloud, transfer)
    mesh = panel.subject if isinstance(panel.subject, Mesh) else surface_of(panel.subject)[0]
    surface, colouring = surface_data(mesh)
    plotter.add_mesh(surface, smooth_shading=False, show_scalar_bar=False, **SURFACE, **colouring)
    return None


def _add_light(plotter: pyvista.Plotter, place: tuple[float, float, float], intensity: float, kind: str) -> None:
    """Of all renderers."""
    import pyvista

    light: Any = pyvista.Light(light_type=kind, intensity=intensity)
    light.position, light.focal_point, light.positional = place, (0.0, 0.0, 0.0), False
    plotter.add_light(light)


def _aim(stage: Stage) -> None:
    """Place the common camera so that the first panel's object stays in the picture on a turntable about +Y."""
    vertices = stage.panels[0].corners
    low, high = vertices.min(0), vertices.max(0)
    centre = (low + high) / 2
    radius = max(float(np.linalg.norm(vertices - centre, axis=1).max()), 1e-12)
    eye = centre + VIEW / np.linalg.norm(VIEW) * radius * 4
    fov = 2.15 * float(np.degrees(np.arcsin(1 / 4)))
    look_from(stage, Viewpoint(tuple(eye.tolist()), tuple(centre.tolist()), (0.0, 1.0, 0.0), fov))
