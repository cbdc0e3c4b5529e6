"""What there is to see in a scene file: mesh files, balls, rectangles and boxes, placed in the world."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.paths import nearest, shown
from invrender.io.meshes.read import MESH_EXTENSIONS, read_meshes
from invrender.io.scenes.names import free, named_apart, names_of
from invrender.io.scenes.shapes import ball, box, rectangle
from invrender.io.scenes.table import Table
from invrender.io.scenes.transforms import KEYS as TRANSFORM
from invrender.io.scenes.transforms import linear, mirrors, placement
from invrender.nouns import Material, Mesh

log = logging.getLogger(__name__)

Array = NDArray[np.float64]

KINDS = ("mesh", "sphere", "plane", "box")
_KEYS = {
    "mesh": ("name", "file", "material", *TRANSFORM),
    "sphere": ("name", "center", "radius", "material", "scale", "rotate"),
    "plane": ("name", "center", "normal", "size", "up", "repeat", "material"),
    "box": ("name", "center", "size", "material", "scale", "rotate"),
}
_WIDE = 10.0  # a plane without a size is so many times as wide as everything else, or as one unit
_ORIGIN = (0.0, 0.0, 0.0)


@dataclass(frozen=True)
class Thing:
    """Where a mesh of a scene comes from.

    Attributes:
        name: of the table, or of the material where a mesh file is a scene by itself.
        kind: one of `KINDS`.
        file: the mesh file, or None.
    """

    name: str
    kind: str
    file: Path | None = None


class Things:
    """The tables of all things of a scene file, and the bodies of its mesh files.

    Attributes:
        bases: by name, the materials of the mesh files.
    """

    def __init__(self, top: Table, needed: bool = True) -> None:
        """Read the mesh files; `needed`: there must be some thing.

        Raises:
            InputError: a key is not known, a mesh file is missing or damaged, or there is nothing to see.
        """
        self._top = top
        self._tables = [(kind, table) for kind in KINDS for table in top.tables(kind)]
        if needed and not self._tables:
            kinds = ", ".join(f"[[{kind}]]" for kind in KINDS)
            raise InputError(f"{shown(top.path)} holds nothing to see", f"add one of {kinds}, [medium]")
        for kind, table in self._tables:
            table.check_keys(_KEYS[kind], ("background",))
        self._names = _names(self._tables)
        files = [_mesh_file(table) if kind == "mesh" else None for kind, table in self._tables]
        read = {path: read_meshes(path) for path in dict.fromkeys(filter(None, files))}
        apart = iter(named_apart([mesh for meshes in read.values() for mesh in meshes]))
        self._bodies = {path: [next(apart) for _ in meshes] for path, meshes in read.items()}
        self._files = files
        self.bases = {mesh.material.name: mesh.material for meshes in self._bodies.values() for mesh in meshes}

    def placed(self, materials: Mapping[str, Material]) -> tuple[list[Mesh], tuple[Thing, ...]]:
        """All meshes in the world, and where each comes from.

        Args:
            materials: by name.

        Raises:
            InputError: a value is not possible, or a material is missing.
        """
        found: list[list[Mesh] | None] = []
        for (kind, table), path in zip(self._tables, self._files, strict=True):
            own = _named(table, materials)
            if kind == "mesh" and path is not None:
                found.append(_mesh(table, self._bodies[path], own, materials))
            elif kind == "plane" and not table.has("size"):
                found.append(None)
            else:
                look = own or materials.get("default", Material())
                found.append([_shape(kind, table, look, self._fineness())])
        wide = _width([mesh for meshes in found if meshes is not None for mesh in meshes])
        meshes: list[Mesh] = []
        things: list[Thing] = []
        for (kind, table), path, name, own_meshes in zip(self._tables, self._files, self._names, found, strict=True):
            look = _named(table, materials) or materials.get("default", Material())
            every = own_meshes or [_plane(table, look, wide)]
            meshes += every
            things += [Thing(name, kind, path)] * len(every)
        _tell_untextured(self._top.path, meshes)
        return meshes, tuple(things)

    def _fineness(self) -> int:
        """How often the triangles of a ball are divided: 20,480 of them, and fewer where there are many balls."""
        count = sum(kind == "sphere" for kind, _ in self._tables)
        return 5 if count <= 50 else 4 if count <= 200 else 3


def _names(tables: Sequence[tuple[str, Table]]) -> list[str]:
    """The name of each thing: its own; else that of its file, or its kind; each once."""
    given = names_of([table for _, table in tables], "")
    taken = {name for (_, table), name in zip(tables, given, strict=True) if table.has("name")}
    result = []
    for (kind, table), name in zip(tables, given, strict=True):
        own = name if table.has("name") else free(_stem(table) if kind == "mesh" else kind, taken)
        taken.add(own)
        result.append(own)
    return result


def _stem(table: Table) -> str:
    value = table.values.get("file")
    return Path(value).stem if isinstance(value, str) else "mesh"


def _mesh_file(table: Table) -> Path:
    if table.has("file") and Path(table.text("file")).suffix.lower() not in MESH_EXTENSIONS:
        raise table.wrong(
            f"names {shown(table.text('file'))}, which is no mesh file", f"use one of {', '.join(MESH_EXTENSIONS)}"
        )
    return table.file("file", "mesh")


def _named(table: Table, materials: Mapping[str, Material]) -> Material | None:
    """The material that a thing names, or None where it names none."""
    if not table.has("material"):
        return None
    name = table.text("material")
    if name not in materials:
        close = nearest(name, materials)
        hint = f"did you mean '{shown(close)}'? " if close else ""
        raise table.wrong(
            f"is made of '{shown(name)}', a material that is not there", f"{hint}add [material.{shown(name)}]"
        )
    return materials[name]


def _mesh(table: Table, bodies: Sequence[Mesh], own: Material | None, materials: Mapping[str, Material]) -> list[Mesh]:
    """The bodies of a mesh file, placed."""
    world = placement(table)
    return [replace(_moved(body, world), material=own or materials[body.material.name]) for body in bodies]


def _moved(mesh: Mesh, world: Array) -> Mesh:
    if np.array_equal(world, np.eye(4)):
        return mesh
    place = torch.from_numpy(world)
    faces = mesh.faces.flip(1) if mirrors(world) else mesh.faces
    return replace(mesh, vertices=mesh.vertices @ place[:3, :3].T + place[:3, 3], faces=faces)


def _shape(kind: str, table: Table, look: Material, fineness: int) -> Mesh:
    if kind == "plane":
        return _plane(table, look, _WIDE)
    centre = np.asarray(table.vector("center", _ORIGIN))
    if kind == "sphere":
        return ball(centre, table.number("radius", 1.0, above=0.0), linear(table), look, fineness)
    return box(centre, _sides(table, "size", 3, 1.0), linear(table), look)


def _plane(table: Table, look: Material, wide: float) -> Mesh:
    normal = np.asarray(table.direction("normal", (0.0, 1.0, 0.0)))
    up = np.asarray(table.direction("up")) if table.has("up") else None
    across = 1.0 if up is None else float(np.linalg.norm(np.cross(_unit(up), _unit(normal))))
    if across < 1e-6:
        raise table.wrong("has an 'up' along its normal", "give another one, or leave it out")
    centre = np.asarray(table.vector("center", _ORIGIN))
    return rectangle(centre, normal, up, _sides(table, "size", 2, wide), _sides(table, "repeat", 2, 1.0), look)


def _sides(table: Table, key: str, count: int, default: float) -> Array:
    """So many lengths above 0; a number stands for all of them."""
    value = table.values.get(key, default)
    if not isinstance(value, list):
        return np.full(count, table.number(key, default, above=0.0))
    lengths = np.asarray(table.numbers(key, count))
    if not (lengths > 0).all():
        raise table.wrong(f"has {key} = {lengths.tolist()}", "use numbers above 0")
    return lengths


def _unit(vector: Array) -> Array:
    return np.asarray(vector / np.linalg.norm(vector))


def _width(meshes: Sequence[Mesh]) -> float:
    """How wide a plane without a size is."""
    if not meshes:
        return _WIDE
    boxes = torch.stack([bounds(mesh) for mesh in meshes])
    return _WIDE * float((boxes[:, 1].amax(0) - boxes[:, 0].amin(0)).max())


def bounds(mesh: Mesh) -> torch.Tensor:
    """[2,3] the corners of the box around what faces use."""
    return torch.stack(torch.aminmax(mesh.vertices[mesh.faces.unique()], dim=0))


def _tell_untextured(path: Path, meshes: Sequence[Mesh]) -> None:
    """Say where a picture cannot be shown."""
    for name in dict.fromkeys(
        mesh.material.name for mesh in meshes if mesh.material.texture is not None and mesh.uv is None
    ):
        log.warning(
            "%s: what is made of '%s' has no texture coordinates: its picture is not shown.", shown(path), shown(name)
        )
