"""Meshes in the preview: their colours as `invrender render` has them, smooth shading with creases."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.nouns import Mesh

if TYPE_CHECKING:
    import pyvista

CREASE = 30.0  # degrees between two faces from which on their common edge is drawn sharp
CLAY = (0.86, 0.80, 0.73)
SURFACE: dict[str, Any] = {"ambient": 0.4, "diffuse": 0.7, "specular": 0.1, "specular_power": 20}


def surface_data(mesh: Mesh) -> tuple[pyvista.PolyData, dict[str, Any]]:
    """The mesh with one normal per corner of a crease, and how `add_mesh` shall colour it."""
    import pyvista

    mesh = used(mesh)
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


def used(mesh: Mesh) -> Mesh:
    """The mesh without vertices that no face uses: one far away would stretch the depth range over the object."""
    kept, faces = mesh.faces.unique(return_inverse=True)
    uv, colours = (None if values is None else values[kept] for values in (mesh.uv, mesh.colours))
    return Mesh(mesh.vertices[kept], faces, uv, colours, mesh.material)


def _encode(colours: torch.Tensor) -> NDArray[np.uint8]:
    encoded: NDArray[np.floating] = linear_to_srgb(colours.numpy())
    rounded: NDArray[np.uint8] = np.round(np.clip(encoded, 0, 1) * 255).astype(np.uint8)
    return rounded
