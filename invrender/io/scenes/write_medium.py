"""A medium as a table of a scene file, with its grids and its closed mesh in files beside it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from invrender.io.meshes.obj_write import write_obj
from invrender.io.scenes.pictures import same_picture
from invrender.io.scenes.write_tables import floats, number
from invrender.io.volumes.write import write_volume
from invrender.nouns import Material, Mesh, Volume
from invrender.nouns.medium import Medium


def medium_table(medium: Medium, target: Path, written: list[Path]) -> dict[str, Any]:
    """The table of a medium whose files are written beside the scene file `target`, and added to `written`."""

    def kept(volume: Volume, name: str) -> str:
        file = target.with_name(f"{target.stem}-{name}.npz")
        write_volume(file, replace(volume, values=volume.values.detach()))
        written.append(file)
        return file.name

    table: dict[str, Any] = {"name": medium.name}
    uniform = _uniform(medium.extinction)
    if uniform is None:
        table["file"] = kept(medium.extinction, "extinction")
    else:
        table |= {"extinction": uniform, "box": medium.extinction.bounds.detach().tolist()}
    for key, value in (("albedo", medium.albedo), ("g", medium.asymmetry), ("emission", medium.emission)):
        table[key] = kept(value, key) if isinstance(value, Volume) else _numbers(value)
    if medium.inside is not None:
        file = target.with_name(f"{target.stem}-inside.obj")
        write_obj(file, replace(medium.inside, uv=None, colours=None, material=Material(), finish=None))
        written.append(file)
        table["inside"] = file.name
    return table


def _uniform(extinction: Volume) -> Any:
    """The value, or three, of an extinction that is the same at the eight corners of its box alone; None of others."""
    values = extinction.values.detach().double().cpu()
    if extinction.shape != (2, 2, 2) or not bool((values == values[:, :1, :1, :1]).all()):
        return None
    first: list[float] = values[:, 0, 0, 0].tolist()
    return first if len(first) > 1 else first[0]


def _numbers(value: Any) -> Any:
    several = value.numel() > 1 if isinstance(value, torch.Tensor) else isinstance(value, tuple | list)
    return floats(value) if several else number(value)


def same_medium(one: Medium, other: Medium) -> bool:
    """Whether two media are the same, to the last bit."""
    if one.name != other.name or not _same_mesh(one.inside, other.inside):
        return False
    pairs = (
        (one.extinction, other.extinction),
        (one.albedo, other.albedo),
        (one.asymmetry, other.asymmetry),
        (one.emission, other.emission),
    )
    return all(_same(first, second) for first, second in pairs)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, Volume) and isinstance(other, Volume):
        return same_picture(one.values, other.values) and same_picture(one.bounds, other.bounds)
    if isinstance(one, Volume) or isinstance(other, Volume):
        return False
    return bool(torch.equal(*(torch.as_tensor(each).detach().double().cpu().reshape(-1) for each in (one, other))))


def _same_mesh(one: Mesh | None, other: Mesh | None) -> bool:
    if one is None or other is None:
        return one is other
    return same_picture(one.vertices, other.vertices) and same_picture(one.faces, other.faces)
