"""The objects of a mesh file: what it calls by name, or else its connected parts; and one of them by itself.

Objects are the `o` of .obj files (or their `g`, where there are none), and the nodes of glTF scenes that show a mesh.
Files of other formats, and those with one object alone, are told apart by what is connected, the largest part first.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from invrender.errors import UsageError
from invrender.geometry.connectivity import components
from invrender.io.files.paths import existing_file, listing, nearest
from invrender.io.meshes.parts import join
from invrender.io.meshes.read import merged, read_mesh
from invrender.nouns import Mesh

SHOWN = 8  # names in an error
PART = "part"


@dataclass(frozen=True)
class Named:
    """One of several objects in a file.

    Attributes:
        number: from 1, in the order of the file.
        name: as the file calls it, with a number behind where several are called alike; "part N" where it has none.
        faces: how many polygons.
    """

    number: int
    name: str
    faces: int


def objects(path: str | Path) -> list[Named]:
    """All objects of a mesh file; one alone where it is of one piece.

    Raises:
        InputError: the file is missing or damaged.
    """
    source = existing_file(Path(path), "mesh")
    listed = _listed(source)
    if len(listed) < 2:
        sizes = np.bincount(_parts(read_mesh(source)))
        return [Named(k + 1, f"{PART} {k + 1}", int(size)) for k, size in enumerate(sizes)]
    alike, seen = Counter(name for name, _ in listed), Counter[str]()
    found = []
    for k, (name, faces) in enumerate(listed):
        seen[name] += 1
        behind = f" {seen[name]}" if alike[name] > 1 else ""
        found.append(Named(k + 1, f"{name or PART}{behind or ('' if name else f' {k + 1}')}", faces))
    return found


def read_object(path: str | Path, which: str) -> Mesh:
    """One object of a mesh file, placed as the file places it.

    Args:
        path: of the file.
        which: its name, as `objects` gives it, whatever the case of its letters; or its number from 1.

    Raises:
        UsageError: there is no such object: the nearest name, and all that there are.
        InputError: the file is missing or damaged.
    """
    from invrender.geometry.clean import without_strays
    from invrender.io.meshes.gltf import read_gltf
    from invrender.io.meshes.obj import read_obj

    source = existing_file(Path(path), "mesh")
    every = objects(source)
    chosen = _chosen(source, every, which).number - 1
    if len(_listed(source)) < 2:
        mesh = read_mesh(source)
        return without_strays(replace(mesh, faces=mesh.faces[torch.from_numpy(_parts(mesh) == chosen)]))
    if source.suffix.lower() == ".obj":
        return merged(join(read_obj(source, only=chosen)))
    return join(read_gltf(source, only=chosen))


def read_chosen(path: str | Path, which: str | None) -> Mesh:
    """One object of a mesh file, or all of them where none is named."""
    return read_mesh(path) if which is None else read_object(path, which)


def _listed(path: Path) -> list[tuple[str, int]]:
    """Name and size of what the file calls objects; empty for formats that know none."""
    from invrender.io.meshes.gltf_objects import gltf_objects
    from invrender.io.meshes.obj import obj_objects

    extension = path.suffix.lower()
    if extension == ".obj":
        return obj_objects(path)
    return gltf_objects(path) if extension in (".glb", ".gltf") else []


def _parts(mesh: Mesh) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """[F] the connected part of each face, the largest first; corners at one position are connected."""
    v, f = mesh.numpy()
    _, place = np.unique(v + 0.0, axis=0, return_inverse=True)
    part = components(place.reshape(-1)[f])
    order = np.argsort(-np.bincount(part), kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    return np.asarray(rank[part])


def _chosen(path: Path, every: list[Named], which: str) -> Named:
    wanted = which.strip().lower()
    for each in every:
        if wanted == each.name.lower():
            return each
    if wanted.isdigit() and 1 <= int(wanted) <= len(every):
        return every[int(wanted) - 1]
    near = nearest(which, [each.name for each in every])
    hint = f"did you mean {near}? " if near else ""
    names = listing([f"{each.number}: {each.name}" for each in every], SHOWN)
    raise UsageError(f"{path.name} has no object {which!r}", f"{hint}there are {names}")
