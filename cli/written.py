"""Meshes and volumes that a command made, written and told of: what `mesh` and `convert` share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invrender.nouns import Mesh, Volume


@dataclass(frozen=True)
class Meshed:
    """A mesh that is to be written: from where, to where, in which unit, and what is to be said of it."""

    source: Path
    target: Path
    mesh: Mesh
    units: str | None
    said: Sequence[str] = ()


@dataclass(frozen=True)
class Written:
    """What was written: lines for people, and a table for machines."""

    lines: Sequence[str]
    table: dict[str, Any] = field(default_factory=dict)


def check_target(target: Path, overwrite: bool) -> None:
    """Refuse to replace a file unless asked to, and write into no folder that is not there (OutputExistsError)."""
    from invrender.errors import OutputExistsError, UsageError

    if target.is_dir():
        raise UsageError(f"{target} is a folder", f"name a file, such as {target / 'mesh.glb'}")
    if target.exists() and not overwrite:
        raise OutputExistsError(f"{target} is there already", "choose another name, or pass --overwrite")
    target.parent.mkdir(parents=True, exist_ok=True)


def written(made: Meshed, overwrite: bool) -> Written:
    """Write a mesh, and tell what it measures and what its format cannot hold."""
    from invrender.io.meshes.lost import lost
    from invrender.io.meshes.write import check_writable, write_mesh

    check_writable(made.target)
    check_target(made.target, overwrite)
    write_mesh(made.target, made.mesh, made.units)
    notes = lost(made.mesh, made.target, made.units)
    vertices, faces = made.mesh.numpy()
    low, high = vertices[faces].min((0, 1)), vertices[faces].max((0, 1))
    size = [float(side) for side in high - low]
    wide = " x ".join(f"{side:.4g}" for side in size) + (f" {made.units}" if made.units else "")
    first = f"wrote {made.target}: {len(faces)} triangles, {len(vertices)} vertices, {wide}"
    told = [*made.said, *(f"note: {note}" for note in notes)]
    table = {
        "output": made.target, "faces": len(faces), "vertices": len(vertices), "size": size, "units": made.units,
        "said": list(made.said), "lost": notes,
    }  # fmt: skip
    return Written([*told, first], table)


def written_volume(source: Path, target: Path, volume: Volume, overwrite: bool) -> Written:
    """Write a volume, and tell what it measures and what its format cannot hold."""
    from invrender.io.volumes.lost import lost
    from invrender.io.volumes.write import check_writable, write_volume

    check_writable(target)
    check_target(target, overwrite)
    write_volume(target, volume)
    notes = lost(volume, target)
    depth, height, width = volume.shape
    spacing = [float(side) for side in volume.spacing]
    sides = " x ".join(f"{side:.4g}" for side in (volume.bounds[1] - volume.bounds[0]).tolist())
    channels = len(volume.values)
    several = f", {channels} channels" if channels > 1 else ""
    first = f"wrote {target}: {width} x {height} x {depth} samples{several}, {sides}"
    table = {
        "output": target, "samples": [width, height, depth], "channels": channels, "spacing": spacing,
        "bounds": volume.bounds.tolist(), "lost": notes,
    }  # fmt: skip
    return Written([*(f"note: {note}" for note in notes), first], table)
