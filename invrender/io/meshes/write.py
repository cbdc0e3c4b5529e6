"""Writing meshes as .glb, .gltf, .ply, .obj and .stl, in the frame and units that they have."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.colour import linear_to_srgb
from invrender.errors import UsageError
from invrender.io.files.atomic import atomic_write_bytes
from invrender.io.files.paths import nearest
from invrender.io.meshes.generator import GENERATOR
from invrender.io.meshes.gltf_write import write_glb
from invrender.io.meshes.obj_write import row, write_obj
from invrender.io.meshes.single import origin
from invrender.nouns import Mesh
from invrender.shading.texture import albedo

__all__ = ["WRITE_EXTENSIONS", "check_writable", "write_glb", "write_mesh", "write_obj", "write_ply", "write_stl"]

WRITE_EXTENSIONS = (".glb", ".gltf", ".ply", ".obj", ".stl")


def write_mesh(path: str | Path, mesh: Mesh, units: str | None = None) -> None:
    """Write a mesh in the format that the extension names.

    .glb and .gltf keep all that a mesh holds but highlights and mirrors; .obj all but textured gloss, with material
    and picture in files beside it; .ply positions and the colours at the vertices; .stl positions only.

    Args:
        path: ends in .glb, .gltf, .ply, .obj or .stl; the file appears in one piece.
        mesh: any mesh with faces.
        units: what one unit of the coordinates is ('metre', ...); only .glb, .gltf and .ply have a place for it.

    Raises:
        UsageError: the extension is another one, or the place cannot be written to.
    """
    check_writable(path)
    extension = Path(path).suffix.lower()
    if extension in (".glb", ".gltf"):
        write_glb(path, mesh, units)
    elif extension == ".ply":
        write_ply(path, mesh, units)
    elif extension == ".obj":
        write_obj(path, mesh)
    else:
        write_stl(path, mesh)


def check_writable(path: str | Path) -> None:
    """Refuse a name whose extension is none that meshes are written in.

    Raises:
        UsageError: naming those that are.
    """
    extension = Path(path).suffix.lower()
    if extension not in WRITE_EXTENSIONS:
        close = nearest(extension, WRITE_EXTENSIONS)
        hint = f"did you mean {Path(path).with_suffix(close)}? " if close else ""
        raise UsageError(
            f"a mesh cannot be written as '{Path(path).name}'",
            f"{hint}known extensions: {', '.join(WRITE_EXTENSIONS)}",
        )


def write_ply(path: str | Path, mesh: Mesh, units: str | None = None) -> None:
    """Write binary PLY with positions and colours; positions as float32 where that loses nothing, else float64.

    Of a texture the colours at the vertices are written, since programs disagree on textures of this format.

    Args:
        path: where to; the file appears in one piece.
        mesh: vertices in world units.
        units: goes into a comment line.

    Raises:
        UsageError: the place cannot be written to.
    """
    vertices, faces = mesh.numpy()
    exact = bool((vertices == vertices.astype(np.float32)).all())
    number, name = ("<f4", "float") if exact else ("<f8", "double")
    fields: list[tuple[str, str]] = [(axis, number) for axis in "xyz"]
    colours = _vertex_colours(mesh)
    if colours is not None:
        fields += [(channel, "u1") for channel in ("red", "green", "blue")]
    table = np.zeros(len(vertices), dtype=fields)
    for k, axis in enumerate("xyz"):
        table[axis] = vertices[:, k]
    if colours is not None:
        for k, channel in enumerate(("red", "green", "blue")):
            table[channel] = _bytes_srgb(colours)[:, k]
    polygons = np.zeros(len(faces), dtype=[("count", "u1"), ("indices", "<i4", 3)])
    polygons["count"], polygons["indices"] = 3, faces
    header = ["ply", "format binary_little_endian 1.0", f"comment generator {GENERATOR}"]
    header += [f"comment units {units}"] if units else []
    header += [f"element vertex {len(vertices)}", *(f"property {name} {axis}" for axis in "xyz")]
    header += [f"property uchar {channel}" for channel, _ in fields[3:]]
    header += [f"element face {len(faces)}", "property list uchar int vertex_indices", "end_header", ""]
    atomic_write_bytes(path, "\n".join(header).encode() + table.tobytes() + polygons.tobytes())


def _vertex_colours(mesh: Mesh) -> torch.Tensor | None:
    """[V,3] linear RGB: the mesh's own, with its texture at the vertices; None where it has neither."""
    if mesh.material.texture is None or mesh.uv is None:
        return mesh.colours
    return albedo(mesh.material, mesh.uv.double(), None if mesh.colours is None else mesh.colours.double())


def _bytes_srgb(colours: torch.Tensor) -> NDArray[np.uint8]:
    return np.round(linear_to_srgb(colours.detach().cpu().double().numpy()) * 255).astype(np.uint8)


def write_stl(path: str | Path, mesh: Mesh) -> None:
    """Write .stl: binary where float32 holds the positions to a millionth of the extent, else text with all digits.

    Raises:
        UsageError: the place cannot be written to.
    """
    vertices, faces = mesh.numpy()
    corners = vertices[faces]
    across = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = across / np.maximum(np.linalg.norm(across, axis=1, keepdims=True), 1e-300)
    if origin(vertices).any():
        lines = ["solid invrender"]
        for normal, triangle in zip(normals.tolist(), corners.tolist(), strict=True):
            lines += [row("facet normal", normal), "outer loop", *(row("vertex", v) for v in triangle)]
            lines += ["endloop", "endfacet"]
        atomic_write_bytes(path, "\n".join([*lines, "endsolid invrender", ""]).encode())
        return
    table = np.zeros(len(faces), dtype=[("normal", "<f4", 3), ("corners", "<f4", (3, 3)), ("attribute", "<u2")])
    table["normal"], table["corners"] = normals, corners
    header = GENERATOR.encode().ljust(80, b" ")
    atomic_write_bytes(path, header + len(faces).to_bytes(4, "little") + table.tobytes())
