"""How a preview looks: panels side by side, one camera, soft background and lights, smooth shading with creases."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.geometry.isosurface import surface_of
from invrender.nouns import Mesh, Volume
from invrender.preview.volumes import add_cloud, occupied

if TYPE_CHECKING:
    import pyvista

CREASE = 30.0  # degrees between two faces from which on their common edge is drawn sharp
CLAY = (0.86, 0.80, 0.73)
INK = (0.25, 0.27, 0.30)
BACKGROUND = ((0.86, 0.88, 0.91), (0.99, 0.99, 1.0))  # sRGB at the bottom and at the top
SURFACE: dict[str, Any] = {"ambient": 0.12, "diffuse": 0.95, "specular": 0.12, "specular_power": 20}
VIEW = np.array([0.55, 0.32, 1.0])  # from the object towards the camera; +Y is up


@dataclass(frozen=True)
class Panel:
    """One picture of the row: a title and the mesh or volume under it, the volume as a cloud or as its isosurface."""

    title: str
    subject: Mesh | Volume
    isosurface: bool = False

    @property
    def corners(self) -> NDArray[np.float64]:
        """Points [K,3] whose box holds what is shown."""
        if isinstance(self.subject, Mesh):
            return _used(self.subject).numpy()[0]
        x, y, z = np.meshgrid(*occupied(self.subject).T)
        return np.stack([x, y, z], -1).reshape(-1, 3)


def build(panels: Sequence[Panel], notes: Sequence[str], size: int, off_screen: bool) -> pyvista.Plotter:
    """A plotter that shows the panels side by side, each `size` pixels square, from one common camera."""
    import pyvista
    import vtk

    vtk.vtkLogger.SetStderrVerbosity(vtk.vtkLogger.VERBOSITY_OFF)
    plotter = pyvista.Plotter(
        shape=(1, len(panels)),
        off_screen=off_screen,
        window_size=[size * len(panels), size],
        border=False,
        lighting="light kit",
    )
    for column, panel in enumerate(panels):
        plotter.subplot(0, column)
        _add_panel(plotter, panel, size)
    if notes:
        plotter.subplot(0, 0)
        _write(plotter, "\n".join(notes), (size // 60, size // 60), size)
    plotter.link_views()
    _aim(plotter, panels)
    return plotter


def turntable(plotter: pyvista.Plotter, frames: int) -> Iterator[NDArray[np.uint8]]:
    """Pictures [H,W,3] of one full turn around +Y."""
    for _ in range(frames):
        yield np.asarray(plotter.screenshot(return_img=True), np.uint8)[..., :3]
        plotter.camera.Azimuth(360.0 / frames)  # the panels share it
        plotter.render()  # a screenshot alone would take the picture before


def driver_name(plotter: pyvista.Plotter) -> str:
    """Which kind of OpenGL window VTK chose, such as EGL or X."""
    window: Any = plotter.render_window
    name = str(window.GetClassName())
    return name.removeprefix("vtk").removesuffix("RenderWindow").removesuffix("OpenGL") or name


def example_mesh() -> Mesh:
    """A tetrahedron, to see whether anything can be drawn at all."""
    vertices = torch.tensor([[1.0, 1, 1], [-1, -1, 1], [-1, 1, -1], [1, -1, -1]], dtype=torch.float64)
    return Mesh(vertices, torch.tensor([[0, 2, 1], [0, 3, 2], [0, 1, 3], [1, 2, 3]]))


def _add_panel(plotter: pyvista.Plotter, panel: Panel, size: int) -> None:
    plotter.renderer.set_background(BACKGROUND[0], top=BACKGROUND[1])
    if isinstance(panel.subject, Volume) and not panel.isosurface:
        add_cloud(plotter, panel.subject)
    else:
        mesh = panel.subject if isinstance(panel.subject, Mesh) else surface_of(panel.subject)[0]
        surface, colouring = _surface(mesh)
        plotter.add_mesh(surface, smooth_shading=False, show_scalar_bar=False, **SURFACE, **colouring)
    plotter.enable_anti_aliasing("ssaa", multi_samples=4, all_renderers=False)
    if panel.title:
        _write(plotter, panel.title, (size // 60, size - size // 20), size)


def _surface(mesh: Mesh) -> tuple[pyvista.PolyData, dict[str, Any]]:
    """The mesh with one normal per corner of a crease, and how `add_mesh` shall colour it."""
    import pyvista

    mesh = _used(mesh)
    vertices, faces = mesh.numpy()
    kind: Any = pyvista.PolyData  # its annotations are narrower than what it takes
    surface = kind.from_regular_faces(vertices, faces)
    textured = mesh.material.texture is not None and mesh.uv is not None
    plain = mesh.material.is_default and not textured
    albedo = torch.tensor((1.0, 1.0, 1.0) if plain else mesh.material.rgb)
    colouring: dict[str, Any] = {"color": CLAY if plain else tuple(linear_to_srgb(albedo.numpy()).tolist())}
    if mesh.colours is not None:  # times the material's colour, and times its texture, as in `shading.texture.albedo`
        surface.point_data["colours"] = _encode(mesh.colours * albedo)
        colouring = {"scalars": "colours", "rgb": True}
    if mesh.material.texture is not None and mesh.uv is not None:
        surface.active_texture_coordinates = mesh.uv.numpy().astype(np.float32)
        colouring["texture"] = pyvista.Texture(_encode(mesh.material.texture))
    if mesh.material.unlit:
        colouring["lighting"] = False
    smooth = surface.compute_normals(
        cell_normals=False, split_vertices=True, feature_angle=CREASE, consistent_normals=False
    )
    return smooth, colouring


def _used(mesh: Mesh) -> Mesh:
    """The mesh without vertices that no face uses: one far away would stretch the depth range over the object."""
    kept, faces = mesh.faces.unique(return_inverse=True)
    uv, colours = (None if values is None else values[kept] for values in (mesh.uv, mesh.colours))
    return Mesh(mesh.vertices[kept], faces, uv, colours, mesh.material)


def _encode(colours: torch.Tensor) -> NDArray[np.uint8]:
    encoded: NDArray[np.floating] = linear_to_srgb(colours.numpy())
    rounded: NDArray[np.uint8] = np.round(np.clip(encoded, 0, 1) * 255).astype(np.uint8)
    return rounded


def _aim(plotter: pyvista.Plotter, panels: Sequence[Panel]) -> None:
    """Place the common camera so that the first panel's object stays in the picture on a turntable about +Y."""
    vertices = panels[0].corners
    low, high = vertices.min(0), vertices.max(0)
    centre = (low + high) / 2
    radius = max(float(np.linalg.norm(vertices - centre, axis=1).max()), 1e-12)
    camera = plotter.renderers[0].camera
    camera.position = centre + VIEW / np.linalg.norm(VIEW) * radius * 4
    camera.focal_point = centre
    camera.up = (0.0, 1.0, 0.0)
    camera.view_angle = 2.15 * np.degrees(np.arcsin(1 / 4))
    for renderer in plotter.renderers:
        renderer.reset_camera_clipping_range()


def _write(plotter: pyvista.Plotter, text: str, position: tuple[int, int], size: int) -> None:
    plotter.add_text(text, position=position, font_size=max(6, size // 60), color=INK)
