"""Reading meshes: .obj (with .mtl), .glb, .gltf, .ply and .stl through trimesh, checked before anything uses them."""

from __future__ import annotations

import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import check_extension, existing_file
from invrender.io.meshes.check import check_file
from invrender.io.meshes.gltf import gltf_units, read_gltf
from invrender.io.meshes.parts import join
from invrender.io.meshes.visual import Appearance, appearance_of, join_appearances
from invrender.nouns import Material, Mesh

MESH_EXTENSIONS = (".obj", ".glb", ".gltf", ".ply", ".stl")

# what trimesh is known to raise on files that are damaged or of another kind
_PARSE_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError),
    *(OSError, RuntimeError, TypeError, ValueError, struct.error),
)


def read_mesh(path: str | Path) -> Mesh:
    """Read a mesh file: all its bodies joined, node transforms applied, in the frame and units of the file.

    Vertices stay in the order and number that the file gives, but for .obj and .stl, where those that agree in position
    and texture coordinate become one (an .stl knows no shared vertices, and normals split those of an .obj).

    Returns:
        Vertices [V,3] float64, faces [F,3] int64 (polygons as triangles); texture coordinates, vertex colours and
        the material as far as one mesh can hold them, colours linear.

    Raises:
        InputError: the file is missing, of an unknown kind, damaged, empty, without faces, or holds coordinates or
            indices that are impossible.
    """
    source = Path(path)
    extension = check_extension(source, MESH_EXTENSIONS, "mesh") if not source.is_dir() else ""
    existing_file(source, "mesh")
    if source.stat().st_size == 0:
        raise InputError(f"{source} is empty (0 bytes)", "export or download it again")
    if extension in (".glb", ".gltf"):
        check_file(source)
        mesh = join(read_gltf(source))
        _check(mesh.vertices.numpy(), mesh.faces.numpy(), source)
        return mesh
    materials_found = check_file(source)
    bodies = _bodies(_load(source), source)
    vertices = np.concatenate([body[0] for body in bodies])
    starts = np.cumsum([0] + [len(body[0]) for body in bodies])
    faces = np.concatenate([body[1] + start for body, start in zip(bodies, starts, strict=False)])
    _check(vertices, faces, source)
    appearances = [appearance_of(body[2], extension in (".glb", ".gltf"), materials_found) for body in bodies]
    appearance = join_appearances(appearances, [len(body[0]) for body in bodies])
    if extension in (".obj", ".stl"):
        vertices, faces, appearance = _merge(vertices, faces, appearance)
    return _mesh(vertices, faces, appearance)


def read_units(path: str | Path) -> str | None:
    """What one unit of a mesh file's coordinates is: as the file says it, 'metre' for other glTF, else None.

    Raises:
        InputError: the file is missing, or a glTF file is damaged.
    """
    source = existing_file(Path(path), "mesh")
    extension = source.suffix.lower()
    if extension in (".glb", ".gltf"):
        return gltf_units(source)
    if extension == ".ply":
        with source.open("rb") as file:
            found = re.search(rb"^comment units (.+?)\r?$", file.read(4096).partition(b"end_header")[0], re.MULTILINE)
        return found.group(1).decode(errors="replace") if found else None
    return None


def _mesh(vertices: NDArray[np.float64], faces: NDArray[np.int64], appearance: Appearance) -> Mesh:
    return Mesh(
        torch.from_numpy(np.ascontiguousarray(vertices)),
        torch.from_numpy(np.ascontiguousarray(faces)),
        None if appearance.uv is None else torch.from_numpy(appearance.uv),
        None if appearance.colours is None else torch.from_numpy(appearance.colours),
        appearance.material or Material(),
    )


def _load(path: Path) -> Any:
    """The file as a trimesh.Scene."""
    import trimesh

    try:
        return trimesh.load_scene(str(path), process=False)
    except _PARSE_ERRORS as error:
        kind = path.suffix.lower()
        reason = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise InputError(
            f"{path} cannot be read as {kind}: {reason}",
            "the file is damaged or of another kind: export it again, or convert it to .glb",
        ) from error


def _bodies(scene: Any, path: Path) -> list[tuple[NDArray[np.float64], NDArray[np.int64], Any]]:
    """(vertices in the world, faces, trimesh geometry) of each body that has faces, as often as the scene shows it."""
    import trimesh

    if not scene.geometry:
        raise InputError(f"{path} holds no geometry: the scene is empty", "export the objects along with the scene")
    bodies, others = [], []
    for node in scene.graph.nodes_geometry:
        transform, name = scene.graph[node]
        geometry = scene.geometry[name]
        if not isinstance(geometry, trimesh.Trimesh) or not len(geometry.faces):
            others.append(type(geometry).__name__)
            continue
        vertices, faces = np.asarray(geometry.vertices, np.float64), np.asarray(geometry.faces, np.int64)
        bodies.append((*_transformed(vertices, faces, np.asarray(transform, np.float64)), geometry))
    if not bodies:
        what = {"PointCloud": "points", "Path3D": "lines"}.get(others[0] if others else "", "no surface")
        only = "" if what == "no surface" else f" (only {what})"
        raise InputError(f"{path} has no faces{only}", "use a triangle mesh; a point cloud must be meshed first")
    return bodies


def _transformed(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], transform: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A body placed by its node's [4,4] matrix; mirroring ones reverse the winding, so that outside stays outside."""
    linear, shift = transform[:3, :3], transform[:3, 3]
    if not np.array_equal(linear, np.eye(3)):
        vertices = vertices @ linear.T
        if np.linalg.det(linear) < 0:
            faces = faces[:, ::-1]
    return (vertices + shift if shift.any() else vertices), faces


def _check(vertices: NDArray[np.float64], faces: NDArray[np.int64], path: Path) -> None:
    if faces.min() < 0 or faces.max() >= len(vertices):
        bad = int(((faces < 0) | (faces >= len(vertices))).any(axis=1).sum())
        raise InputError(
            f"{path}: {bad} of {len(faces)} faces point at vertices that do not exist (there are {len(vertices)})",
            "the file is damaged: export it again",
        )
    wrong = ~np.isfinite(vertices).all(axis=1)
    if wrong.any():
        raise InputError(
            f"{path}: {int(wrong.sum())} of {len(vertices)} vertices are NaN or infinite"
            f" (the first is vertex {int(wrong.argmax())})",
            "repair the mesh in the program that made it, or remove those vertices",
        )


def _merge(
    vertices: NDArray[np.float64], faces: NDArray[np.int64], appearance: Appearance
) -> tuple[NDArray[np.float64], NDArray[np.int64], Appearance]:
    """Make one of the vertices that agree in position, uv and colour; the first of each keeps its row."""
    columns = [vertices, *(part for part in (appearance.uv, appearance.colours) if part is not None)]
    keys = np.concatenate(columns, axis=1) + 0.0  # -0 and 0 are the same position
    _, first, inverse = np.unique(keys, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    rank = np.empty_like(order)
    rank[order] = np.arange(len(order))
    keep = first[order]
    uv = None if appearance.uv is None else appearance.uv[keep]
    colours = None if appearance.colours is None else appearance.colours[keep]
    return vertices[keep], rank[inverse.reshape(-1)[faces]], Appearance(uv, colours, appearance.material)
