"""What a data set of made-up scenes is made by: all that its contents depend on."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import Any, Literal

from invrender import __version__
from invrender.errors import UsageError
from invrender.io.pairs.meta import MOST, SPLITS, Layout, Shard, stage_table
from invrender.nouns.stage import Stage

Kind = Literal["primitives", "samples", "mixed", "meshes"]
KINDS: tuple[Kind, ...] = ("primitives", "samples", "mixed", "meshes")
SHARES = (0.84, 0.04, 0.12)
SHARD_BYTES = 2**26
SHARD_SCENES = 32


@dataclass(frozen=True)
class Recipe:
    """A data set of scenes; scene n depends on it and on n alone.

    Attributes:
        kind: what scenes are made of: spheres, boxes, tori, cylinders and cones; meshes of `samples`; either; or
            meshes of files.
        count: scenes.
        resolution: (D, H, W) of the voxels.
        size: (H, W) of the pictures.
        views: pictures of a scene, whose objects turn about the vertical axis in between, by equal steps.
        shares: of train, validation and test.
        voxels: occupancy (the share of a voxel that is covered) or density (the same, blurred).
        bounces: of light between surfaces; 0: light comes from the lamp and the sky alone.
        gloss: 0: matte; up to 1: with highlights and mirroring.
        spp: rays a pixel.
        colours: whether objects have colours, voxels their albedo, and pictures three channels.
        seed: of everything random.
        backend: name of what draws.
        stage: camera, ground and light.
        meshes: name and digest of each mesh of kind `meshes`, in order.
    """

    kind: Kind = "primitives"
    count: int = 640
    resolution: tuple[int, int, int] = (64, 64, 64)
    size: tuple[int, int] = (128, 128)
    views: int = 1
    shares: tuple[float, float, float] = SHARES
    voxels: Literal["occupancy", "density"] = "occupancy"
    bounces: int = 0
    gloss: float = 0.0
    spp: int = 4
    colours: bool = False
    seed: int = 0
    backend: str = "cpu"
    stage: Stage = dataclasses.field(default_factory=Stage)
    meshes: tuple[tuple[str, str], ...] = ()

    @property
    def layout(self) -> Layout:
        """Of its samples."""
        channels = 4 if self.colours else 1
        kind: Literal["uint8", "float16"] = "uint8" if self.voxels == "occupancy" else "float16"
        return Layout((channels, *self.resolution), (*self.size, 3 if self.colours else 1), voxel_type=kind)

    def table(self) -> dict[str, Any]:
        """For JSON, with the version that makes it."""
        found = {**dataclasses.asdict(self), "stage": stage_table(self.stage)}
        found["meshes"] = [list(entry) for entry in self.meshes]
        found = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
        return {"by": f"invrender {__version__}", **found}


def check(recipe: Recipe) -> None:
    """Refuse what cannot be made.

    Raises:
        UsageError: naming the option and what to give instead.
    """
    depth, height, width = recipe.resolution
    if any(n % 8 or not 8 <= n <= 512 for n in recipe.resolution):
        raise UsageError(
            f"--resolution is {depth} x {height} x {width}", "give multiples of 8 from 8 to 512, such as 64"
        )
    rows, columns = recipe.size
    if not (min(recipe.size) >= 8 and max(recipe.size) <= MOST):
        raise UsageError(f"--size is {columns} x {rows}", f"give 8 to {MOST} pixels, such as 128")
    if height * columns != width * rows:
        raise UsageError(
            f"voxels of {width} columns and {height} rows do not lie behind pictures of {columns} x {rows} pixels",
            "give --size and --resolution the same proportions, such as --size 192,128 --resolution 64,64,96",
        )
    stage = recipe.stage
    if not any(stage.light) or stage.light[1] <= 0:
        raise UsageError("--light comes from below the ground", "give it a second number above 0: --light=-0.6,1,0.5")
    splits(recipe.shares, recipe.count, "scenes")


def splits(shares: tuple[float, float, float], count: int, what: str) -> tuple[int, int, int]:
    """How many of `count` go to train, validation and test: by shares, but at least one to each that has a share.

    Raises:
        UsageError: shares are no shares, or there are fewer than splits.
    """
    if any(not 0 <= share <= 1 for share in shares) or abs(sum(shares) - 1) > 1e-6 or not shares[0]:
        given = ",".join(f"{share:g}" for share in shares)
        raise UsageError(f"--split is {given}", "give shares of train, validation and test: --split 0.8,0.1,0.1")
    wanted = [share > 0 for share in shares]
    if count < sum(wanted):
        names = ", ".join(name for name, some in zip(SPLITS, wanted, strict=True) if some)
        raise UsageError(
            f"{count} {what} do not make {sum(wanted)} splits ({names}) with objects of their own",
            f"take at least {sum(wanted)} {what}, or leave a split out: --split 1,0,0",
        )
    rest = [max(1, math.floor(share * count + 0.5)) if share else 0 for share in shares[1:]]
    while sum(rest) >= count:
        rest[rest.index(max(rest))] -= 1
    return count - sum(rest), rest[0], rest[1]


def split_of(recipe: Recipe, scene: int) -> str:
    """The split of a scene."""
    train, validation, _ = splits(recipe.shares, recipe.count, "scenes")
    return SPLITS[(scene >= train) + (scene >= train + validation)]


def shards(recipe: Recipe) -> tuple[Shard, ...]:
    """All shards, each of one split; the object of a sample is the number of its scene."""
    voxels, pictures = math.prod(recipe.layout.voxels), math.prod(recipe.layout.pictures)
    each = recipe.views * (voxels * (2 if recipe.layout.voxel_type == "float16" else 1) + pictures)
    most = max(1, min(SHARD_SCENES, SHARD_BYTES // each))
    found, first = [], 0
    for split, count in zip(SPLITS, splits(recipe.shares, recipe.count, "scenes"), strict=True):
        for number, begin in enumerate(range(first, first + count, most)):
            scenes = range(begin, min(begin + most, first + count))
            objects = tuple(scene for scene in scenes for _ in range(recipe.views))
            found.append(Shard(split, f"{split}-{number:05d}", objects))
        first += count
    return tuple(found)
