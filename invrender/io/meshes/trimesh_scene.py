"""Reading glTF through trimesh: the parts of its scene."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.meshes.gltf_check import check_gltf
from invrender.io.meshes.parts import Part
from invrender.io.meshes.visual import appearance_of

# what trimesh is known to raise on files that are damaged or of another kind
_PARSE_ERRORS = (
    *(ArithmeticError, AssertionError, AttributeError, ImportError, LookupError),
    *(OSError, RuntimeError, TypeError, ValueError, struct.error),
)


def read_scene(path: Path) -> list[Part]:
    """Read a .glb or .gltf.

    Raises:
        InputError: it is damaged, or has no faces.
    """
    check_gltf(path)
    bodies = _bodies(_load(path), path)
    looks = [appearance_of(body[2], True, True) for body in bodies]
    return [
        Part(body[0], body[1], look.uv, look.colours, look.material) for body, look in zip(bodies, looks, strict=True)
    ]


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
