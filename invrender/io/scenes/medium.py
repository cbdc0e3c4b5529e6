"""The medium of a scene file: a volume file or the same everywhere, in a box or within a closed mesh."""

from __future__ import annotations

import torch

from invrender.errors import InputError, InvrenderError
from invrender.io.files.paths import shown
from invrender.io.meshes.read import MESH_EXTENSIONS, read_mesh
from invrender.io.scenes.table import Table
from invrender.io.volumes.grid import upright
from invrender.io.volumes.paths import is_volume_path
from invrender.io.volumes.read import read_volume
from invrender.nouns import Mesh, Volume
from invrender.nouns.appearance import BLACK, WHITE, Colour
from invrender.nouns.medium import Medium

KEYS = ("name", "file", "key", "extinction", "box", "albedo", "g", "emission", "inside")
_ORDER = "[1, 1, 1], the corner with the greatest numbers, after the one with the least"


def medium_of(table: Table) -> Medium:
    """The medium of a table.

    Raises:
        InputError: a key or value is not known or not possible, or a file is missing or damaged.
    """
    table.check_keys(KEYS, ("background",))
    name = table.text("name", "medium")
    inside = _mesh(table) if table.has("inside") else None
    box = _box(table)
    extinction = _extinction(table, box, inside)
    return Medium(
        extinction=extinction,
        albedo=_albedo(table, box),
        asymmetry=_asymmetry(table, box),
        emission=_emission(table, box),
        inside=inside,
        name=name,
    )


def _extinction(table: Table, box: torch.Tensor | None, inside: Mesh | None) -> Volume:
    """The values of the file times `extinction`; or that alone, everywhere in the box."""
    factor = table.values.get("extinction", 1.0)
    if not table.has("file"):
        if not table.has("extinction"):
            raise table.wrong("has neither 'file' nor 'extinction'", "name a volume file, or write `extinction = 2.0`")
        bounds = _around(inside) if box is None and inside is not None else box
        if bounds is None:
            raise table.wrong("has no 'box'", "add `box = [[0, 0, 0], [1, 1, 1]]`, or a closed mesh `inside`")
        values = _colour(table, "extinction", factor)
        return Volume(values[:, None, None, None].expand(-1, 2, 2, 2).contiguous(), bounds, "extinction")
    volume = _volume(table, "file", box)
    if len(volume.values) not in (1, 3):
        raise table.wrong(
            f"names {shown(table.text('file'))}, which has {len(volume.values)} channels",
            "an extinction has one, or three for red, green and blue: write the density alone, or choose it by 'key'",
        )
    values = volume.values * _colour(table, "extinction", factor)[:, None, None, None]
    return Volume(values, volume.bounds, volume.name, volume.units)


def _colour(table: Table, key: str, value: object) -> torch.Tensor:
    """[1] of a number, [3] of a colour."""
    colour = table.colour(key, WHITE)
    return torch.tensor(colour if isinstance(value, list) else colour[:1], dtype=torch.float32)


def _box(table: Table) -> torch.Tensor | None:
    if not table.has("box"):
        return None
    corners = table.values["box"]
    if not isinstance(corners, list) or len(corners) != 2:
        raise table.wrong("has a 'box' of another form", "write two corners: box = [[0, 0, 0], [1, 1, 1]]")
    sides = [Table(table.path, table.where, {"box": corner}).numbers("box", 3) for corner in corners]
    box = torch.tensor(sides, dtype=torch.float64)
    if not bool((box[1] > box[0]).all()):
        raise table.wrong(f"has box = {corners}, which has no volume", f"write [[0, 0, 0], {_ORDER}]")
    return box


def _around(mesh: Mesh) -> torch.Tensor:
    return torch.stack(torch.aminmax(mesh.vertices.double(), dim=0))


def _albedo(table: Table, box: torch.Tensor | None) -> float | Colour | Volume:
    value = table.values.get("albedo")
    if isinstance(value, str):
        return _volume(table, "albedo", box)
    colour = table.colour("albedo", WHITE, 1.0)
    return colour if isinstance(value, list) or value is None else colour[0]


def _emission(table: Table, box: torch.Tensor | None) -> Colour | Volume:
    if isinstance(table.values.get("emission"), str):
        return _volume(table, "emission", box)
    return table.colour("emission", BLACK)


def _asymmetry(table: Table, box: torch.Tensor | None) -> float | Volume:
    if isinstance(table.values.get("g"), str):
        return _volume(table, "g", box)
    return table.number("g", 0.0, above=-1.0, below=1.0)


def _volume(table: Table, key: str, box: torch.Tensor | None) -> Volume:
    """The volume of a file, in the box where one is stated."""
    path = table.file(key, "volume")
    if not is_volume_path(path):
        raise table.wrong(f"names {shown(path.name)}, which is no volume file", "use .npz, .vti, .nrrd, .mha or .npy")
    try:
        found = read_volume(path, key=table.text("key")) if key == "file" and table.has("key") else read_volume(path)
        found = upright(found, path)  # among other things of the scene's world
    except InvrenderError as error:
        raise InputError(f"{shown(table.path)}: {table.where}: {error.cause}", error.remedy) from error
    return found if box is None else Volume(found.values, box, found.name, found.units)


def _mesh(table: Table) -> Mesh:
    path = table.file("inside", "mesh")
    if path.suffix.lower() not in MESH_EXTENSIONS:
        raise table.wrong(
            f"names {shown(path.name)}, which is no mesh file", f"use one of {', '.join(MESH_EXTENSIONS)}"
        )
    return read_mesh(path)
