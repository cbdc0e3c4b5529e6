"""Meshes that scenes choose from, split so that none is in two splits: our samples, or files of a folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, overload

import numpy as np

from invrender.errors import InputError, InvrenderError
from invrender.geometry.connectivity import merge_vertices, orient_outward
from invrender.io.files.paths import entries, is_folder, listing
from invrender.io.meshes.read import MESH_EXTENSIONS, read_mesh
from invrender.io.pairs.meta import SPLITS
from invrender.nouns import Mesh
from invrender.samples import SAMPLES
from invrender.stages.recipe import Recipe, splits
from invrender.stages.solids import Solid
from invrender.stages.voxelise import check_closed

KEPT = 32  # meshes of files in memory


@dataclass(frozen=True)
class Shapes(Sequence[Solid]):
    """Meshes by name, read when they are asked for.

    Attributes:
        names: of files in the folder, or of samples where there is none.
        folder: of the files.
    """

    names: tuple[str, ...]
    folder: Path | None

    def __len__(self) -> int:
        return len(self.names)

    @overload
    def __getitem__(self, index: int) -> Solid: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Solid]: ...
    def __getitem__(self, index: Any) -> Any:
        """Vertices [V,3] float64 and faces [F,3] int64, wound counter-clockwise seen from outside."""
        if isinstance(index, slice):
            return Shapes(self.names[index], self.folder)
        name = self.names[index]
        return _sample(name) if self.folder is None else _read(self.folder / name)

    def __iter__(self) -> Iterator[Solid]:
        return (self[k] for k in range(len(self)))


@cache
def _sample(name: str) -> Solid:
    return _clean(SAMPLES[name]())


@lru_cache(maxsize=KEPT)
def _read(path: Path) -> Solid:
    return _clean(read_mesh(path))


def _clean(mesh: Mesh) -> Solid:
    vertices, faces = merge_vertices(*mesh.numpy())
    vertices = vertices - (vertices.min(0) + vertices.max(0)) / 2
    return vertices / np.linalg.norm(vertices, axis=1).max(), orient_outward(vertices, faces)


def pool_of(recipe: Recipe, folder: Path | None) -> dict[str, Shapes]:
    """The meshes of each split, in an order of the seed's; none for a recipe without meshes.

    Raises:
        UsageError: there are fewer meshes than splits.
    """
    if recipe.kind == "primitives":
        return {}
    names = [name for name, _ in recipe.meshes] if recipe.kind == "meshes" else list(SAMPLES)
    order = np.random.default_rng([recipe.seed, 0x5EED]).permutation(len(names))
    found, first = {}, 0
    for split, count in zip(SPLITS, splits(recipe.shares, len(names), "meshes"), strict=True):
        some = tuple(names[k] for k in order[first : first + count])
        found[split] = Shapes(some, folder if recipe.kind == "meshes" else None)
        first += count
    return found


def usable_meshes(folder: Path, warn: Callable[[str], None]) -> tuple[tuple[str, str], ...]:
    """Name and digest of every closed mesh in a folder, by name; others are said.

    Raises:
        InputError: there is no such folder, or no mesh in it that can be used.
    """
    if not is_folder(folder):
        raise InputError(f"there is no folder {folder}", "name a folder of mesh files with --from")
    names = sorted(name for name in entries(folder) if Path(name).suffix.lower() in MESH_EXTENSIONS and name[:1] != ".")
    found, left = [], []
    for name in names:
        try:
            check_closed(read_mesh(folder / name), name)
        except InvrenderError as error:
            left.append(name)
            warn(f"{name} is left out: {error.cause}")
            continue
        found.append((name, hashlib.sha256((folder / name).read_bytes()).hexdigest()[:16]))
    if not found:
        what = f"none of {listing(left, 3)} can be used" if left else f"there is no mesh file in {folder}"
        raise InputError(what, f"name a folder of closed meshes ({' '.join(sorted(MESH_EXTENSIONS))}) with --from")
    return tuple(found)
