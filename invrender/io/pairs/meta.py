"""What a data set of voxels and pictures holds: `meta.json` in its folder.

    format, version     who reads this
    voxels              shape [C,D,H,W] and dtype of a sample
    pictures            shape [H,W,C] and dtype of a sample; encoding of its values
    stage               camera, ground and light of all of them, or null
    made                how it came about, for people
    shards              split, name and the object of every sample

A shard is two files, NAME.voxels.npy [N,C,D,H,W] and NAME.pictures.npy [N,H,W,C]. Slices of voxels go from the nearest
on, rows from the top, columns from the left; uint8 stands for 0 to 1, float16 for itself.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, cast, get_args

from invrender.errors import InputError
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.json_table import read_json_table
from invrender.io.files.paths import is_file, nearest
from invrender.nouns.stage import Stage

META = "meta.json"
FORMAT = "invrender voxels and pictures"
VERSION = 1
SPLITS = ("train", "validation", "test")
MOST = 4096  # samples along a side, channels, ...

Kind = Literal["uint8", "float16"]
Encoding = Literal["srgb", "linear"]


@dataclass(frozen=True)
class Layout:
    """What every sample is like.

    Attributes:
        voxels: (C, D, H, W); the first channel is occupancy or density, 0 to 1; then, if any, albedo R, G, B.
        pictures: (H, W, C), C of 1 or 3.
        voxel_type, picture_type: on disk.
        encoding: of the pictures' values: as screens take them, or linear radiance.
    """

    voxels: tuple[int, int, int, int]
    pictures: tuple[int, int, int]
    voxel_type: Kind = "uint8"
    picture_type: Kind = "uint8"
    encoding: Encoding = "srgb"


@dataclass(frozen=True)
class Shard:
    """One shard.

    Attributes:
        split: train, validation or test.
        name: of its two files, without what follows the dot.
        objects: a number for each sample; samples of one object are in one split.
    """

    split: str
    name: str
    objects: tuple[int, ...]

    @property
    def voxels(self) -> str:
        """Name of the file."""
        return f"{self.name}.voxels.npy"

    @property
    def pictures(self) -> str:
        """Name of the file."""
        return f"{self.name}.pictures.npy"


@dataclass(frozen=True)
class Meta:
    """All of meta.json."""

    layout: Layout
    shards: tuple[Shard, ...]
    stage: Stage | None = None
    made: Mapping[str, Any] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """Samples by split."""
        found: dict[str, int] = {}
        for shard in self.shards:
            found[shard.split] = found.get(shard.split, 0) + len(shard.objects)
        return found


def is_pairs(path: Path) -> bool:
    """Whether a folder is a data set of voxels and pictures, be it damaged."""
    if not is_file(path / META):
        return False
    try:
        return bool(read_json_table(path / META, "data set", "{...}").get("format") == FORMAT)
    except InputError:
        return False


def write_meta(folder: Path, meta: Meta) -> None:
    """Write meta.json, in one piece.

    Raises:
        UsageError: the place cannot be written to.
    """
    layout = meta.layout
    table = {
        "format": FORMAT,
        "version": VERSION,
        "voxels": {"shape": list(layout.voxels), "dtype": layout.voxel_type},
        "pictures": {"shape": list(layout.pictures), "dtype": layout.picture_type, "encoding": layout.encoding},
        "stage": None if meta.stage is None else stage_table(meta.stage),
        "made": dict(meta.made),
        "shards": [{"split": s.split, "name": s.name, "objects": list(s.objects)} for s in meta.shards],
    }
    atomic_write_text(folder / META, json.dumps(table, indent=1) + "\n")


def read_meta(folder: Path) -> Meta:
    """Read meta.json.

    Raises:
        InputError: it is missing, damaged, or of a later version.
    """
    path = folder / META
    table = read_json_table(path, "data set", "one with `invrender dataset make`")
    if table.get("format") != FORMAT:
        raise InputError(f"{path} describes no voxels and pictures", "name a folder of `invrender dataset make`")
    if isinstance(table.get("version"), int) and table["version"] > VERSION:
        raise InputError(f"{path} is of version {table['version']}, and up to {VERSION} are known", "update invrender")
    try:
        return _meta(table)
    except (KeyError, TypeError, ValueError) as error:
        cause = f"{error} is missing" if isinstance(error, KeyError) else str(error)
        raise InputError(f"{path} cannot be used: {cause}", "make or import the data set again") from error


def _meta(table: Mapping[str, Any]) -> Meta:
    voxels, pictures = table["voxels"], table["pictures"]
    layout = Layout(
        cast(tuple[int, int, int, int], _shape(voxels["shape"], 4)),
        cast(tuple[int, int, int], _shape(pictures["shape"], 3)),
        _one_of(voxels["dtype"], Kind),
        _one_of(pictures["dtype"], Kind),
        _one_of(pictures["encoding"], Encoding),
    )
    if layout.pictures[2] not in (1, 3):
        raise ValueError(f"pictures have {layout.pictures[2]} channels, not 1 or 3")
    shards = tuple(_shard(entry) for entry in table["shards"])
    if len({shard.name for shard in shards}) < len(shards):
        raise ValueError("two shards have one name")
    stage = None if table.get("stage") is None else stage_of(table["stage"])
    return Meta(layout, shards, stage, dict(table.get("made") or {}))


def _shard(entry: Mapping[str, Any]) -> Shard:
    name, split, objects = entry["name"], entry["split"], entry["objects"]
    if not isinstance(name, str) or not name.replace("-", "").replace("_", "").isalnum():
        raise ValueError(f"{name!r} is no name of a shard")
    if split not in SPLITS:
        near = nearest(str(split), SPLITS)
        raise ValueError(f"{split!r} is no split" + (f"; did they mean {near}?" if near else ""))
    if not objects or not all(isinstance(n, int) and not isinstance(n, bool) for n in objects):
        raise ValueError(f"the objects of {name} are no list of numbers")
    return Shard(split, name, tuple(objects))


def stage_table(stage: Stage) -> dict[str, Any]:
    """A stage for JSON."""
    return {**dataclasses.asdict(stage), "light": list(stage.light)}


def stage_of(table: Mapping[str, Any]) -> Stage:
    """A stage from JSON.

    Raises:
        KeyError, TypeError, ValueError: it describes none.
    """
    ground = table["ground"]
    numbers = [table[name] for name in ("fov", "near", "far", "elevation")]
    light = tuple(float(n) for n in table["light"])
    fov, near, far, elevation = (float(n) for n in numbers)
    every = (fov, near, far, elevation, *light, *(() if ground is None else (float(ground),)))
    if not all(math.isfinite(n) for n in every) or len(light) != 3 or not any(light):
        raise ValueError("the stage holds what is no number")
    if not (0 < fov < 180 and 0 < near < far and -90 <= elevation <= 90):
        raise ValueError(f"the stage has a field of view of {fov:g} between depths {near:g} and {far:g}")
    return Stage(fov, near, far, elevation, None if ground is None else float(ground), (light[0], light[1], light[2]))


def _shape(value: Any, length: int) -> tuple[int, ...]:
    found = tuple(value)
    if len(found) != length or not all(isinstance(n, int) and 1 <= n <= MOST for n in found):
        raise ValueError(f"{list(found)!r} is no shape")
    return found


def _one_of(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"{value!r} is none of {', '.join(get_args(kind))}")
    return value
