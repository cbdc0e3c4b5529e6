"""Names in scenes: each material, light, camera and thing has its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from invrender.io.scenes.materials import alike
from invrender.io.scenes.table import Table
from invrender.nouns import Material, Mesh


def named_apart(meshes: Sequence[Mesh]) -> list[Mesh]:
    """Meshes whose materials have one name each: those alike become one, others of a name are called NAME_2 and on."""
    known: dict[str, Material] = {}
    placed: dict[int, Material] = {}
    result = []
    for mesh in meshes:
        material = mesh.material
        if id(material) not in placed:
            placed[id(material)] = _among(known, material)
        result.append(replace(mesh, material=placed[id(material)]))
    return result


def _among(known: dict[str, Material], material: Material) -> Material:
    """The material of that look that is known, or a new one, which is then known."""
    name, number = material.name, 1
    while name in known:
        if alike(known[name], material):
            return known[name]
        number += 1
        name = f"{material.name}_{number}"
    known[name] = material if name == material.name else replace(material, name=name)
    return known[name]


def names_of(tables: Sequence[Table], default: str) -> list[str]:
    """The name of each table: its `name`, or the default with a number from the second on.

    Raises:
        InputError: two have the same one.
    """
    given: dict[str, Table] = {}
    for table in tables:
        if table.has("name"):
            name = table.text("name")
            if name in given:
                raise table.wrong("has a name that another one has as well", "give each its own name")
            given[name] = table
    names, taken = [], set(given)
    for table in tables:
        name = table.text("name") if table.has("name") else free(default, taken)
        taken.add(name)
        names.append(name)
    return names


def free(name: str, taken: set[str]) -> str:
    """The name, with a number from 2 on where it is taken."""
    number, result = 1, name
    while result in taken:
        number += 1
        result = f"{name}{number}"
    return result
