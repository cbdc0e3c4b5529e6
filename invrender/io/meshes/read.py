"""Reading meshes: .obj (with .mtl), .glb, .gltf, .ply and .stl, checked before anything uses them."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from invrender.errors import InputError
from invrender.io.files.paths import check_extension, existing_file, is_folder, shown
from invrender.io.volumes.foreign import VOLUME_EXTENSIONS
from invrender.nouns import Material, Mesh
from invrender.nouns.appearance import WHITE

if TYPE_CHECKING:
    from invrender.io.meshes.parts import Part

MESH_EXTENSIONS = (".obj", ".glb", ".gltf", ".ply", ".stl")
_UNSHARED = (".obj", ".stl")  # whose bodies have a vertex several times


def read_mesh(path: str | Path) -> Mesh:
    """Read a mesh file: all its bodies joined, node transforms applied, in the frame and units of the file.

    Vertices stay in the order and number of the file, but for .obj and .stl, where those that agree in position,
    texture coordinate and colour become one (an .stl knows no shared vertices, and normals split those of an .obj), and
    for a .ply whose faces have texture coordinates or colours of their own: there one stands for each of these.

    Returns:
        Vertices [V,3] float64, faces [F,3] int64 (polygons as triangles); texture coordinates, vertex colours and
        the material as far as one mesh can hold them (several textures in one atlas), colours linear.

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, empty, without faces, or holds coordinates or
            indices that are impossible.
    """
    from invrender.io.meshes.parts import join

    parts = read_parts(path)
    mesh = join(parts)
    return merged(mesh) if Path(path).suffix.lower() in _UNSHARED else mesh


def read_parts(path: str | Path, clear: bool = False) -> list[Part]:
    """The bodies of a mesh file, each with its own material, checked as those of `read_mesh`.

    Args:
        path: of the file.
        clear: whether light goes through what lets it, as scenes have it; else all is opaque, which is said.

    Raises:
        InputError: as for that.
    """
    from invrender.io.meshes.check import check_kind, check_parts
    from invrender.io.meshes.extent import check_extent

    source = Path(path)
    if source.suffix.lower() == ".toml":
        raise InputError(f"{source} is a scene, and here one mesh is needed", "name one of the mesh files in it")
    volumes = f"; of volumes {', '.join(VOLUME_EXTENSIONS)}"
    extension = check_extension(source, MESH_EXTENSIONS, "mesh", volumes) if not is_folder(source) else ""
    existing_file(source, "mesh")
    if source.stat().st_size == 0:
        raise InputError(f"{source} is empty (0 bytes)", "export or download it again")
    check_kind(source, extension)
    parts = _parts(source, extension, clear)
    check_parts(parts, source)
    check_extent(parts, source)
    return parts


def read_meshes(path: str | Path) -> list[Mesh]:
    """The bodies of a mesh file as meshes of their own, each with its own material, through which light may go.

    Vertex colours of a body without a material stand alone, which a white one called 'colours' says.

    Raises:
        InputError: as for `read_mesh`.
    """
    from invrender.io.meshes.parts import join

    painted = Material(WHITE, name="colours")
    parts = [
        replace(part, material=painted) if part.material is None and part.colours is not None else part
        for part in read_parts(path, clear=True)
    ]
    meshes = [join([part]) for part in parts]
    return [merged(mesh) for mesh in meshes] if Path(path).suffix.lower() in _UNSHARED else meshes


def _parts(path: Path, extension: str, clear: bool) -> list[Part]:
    if extension == ".obj":
        from invrender.io.meshes.obj import read_obj

        return read_obj(path, clear)
    if extension == ".ply":
        from invrender.io.meshes.ply import read_ply

        return read_ply(path)
    if extension == ".stl":
        from invrender.io.meshes.stl import read_stl

        return read_stl(path)
    from invrender.io.meshes.gltf import read_gltf

    return read_gltf(path, clear)


def read_units(path: str | Path) -> str | None:
    """What one unit of a mesh file's coordinates is: as the file says it, 'metre' for other glTF, else None.

    Raises:
        InputError: the file is missing, or a glTF file is damaged.
    """
    from invrender.io.meshes.gltf import gltf_units

    source = existing_file(Path(path), "mesh")
    extension = source.suffix.lower()
    if extension in (".glb", ".gltf"):
        return gltf_units(source)
    if extension == ".ply":
        with source.open("rb") as file:
            found = re.search(rb"^comment units (.+?)\r?$", file.read(4096).partition(b"end_header")[0], re.MULTILINE)
        return shown(found.group(1)) if found else None
    return None


def merged(mesh: Mesh) -> Mesh:
    """Make one of the vertices that agree in position and all they carry; the first of each stays."""
    columns = [part.numpy() for part in (mesh.vertices, mesh.uv, mesh.colours, mesh.finish) if part is not None]
    rows = np.concatenate(columns, axis=1) + 0.0  # -0 and 0 are the same position
    order = np.lexsort(rows.T)
    new = np.ones(len(rows), bool)
    new[1:] = (rows[order[1:]] != rows[order[:-1]]).any(axis=1)
    group = np.empty(len(rows), np.int64)
    group[order] = np.cumsum(new) - 1
    first = order[new]  # the sort is stable: the first row of each group
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    keep = torch.from_numpy(np.sort(first))
    faces = torch.from_numpy(rank[group])[mesh.faces]
    uv = None if mesh.uv is None else mesh.uv[keep]
    colours = None if mesh.colours is None else mesh.colours[keep]
    finish = None if mesh.finish is None else mesh.finish[keep]
    return Mesh(mesh.vertices[keep], faces, uv, colours, mesh.material, finish)
