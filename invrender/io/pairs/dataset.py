"""Reading data sets of voxels and pictures: no more of them is in memory than was asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import torch

from invrender.errors import InputError
from invrender.io.files.paths import is_folder
from invrender.io.pairs.meta import META, Layout, Meta, Shard, read_meta
from invrender.io.pairs.shards import check_shard, read_rows

Tensor = torch.Tensor


@dataclass(frozen=True)
class Batch:
    """Some samples as they are stored: [B,C,D,H,W] voxels and [B,H,W,C] pictures, uint8 or float16; see `decoded`."""

    voxels: Tensor
    pictures: Tensor


@dataclass(frozen=True)
class Split:
    """The samples of a split, numbered through all its shards; a map-style data set for `torch.utils.data`.

    Attributes:
        folder: of the data set.
        layout: of each sample.
        shards: whose samples they are.
    """

    folder: Path
    layout: Layout
    shards: tuple[Shard, ...]

    @cached_property
    def _first(self) -> np.ndarray:
        """The number of each shard's first sample, and the count of all."""
        return np.cumsum([0, *(len(shard.objects) for shard in self.shards)])

    def __len__(self) -> int:
        return int(self._first[-1])

    @property
    def objects(self) -> tuple[int, ...]:
        """The object of every sample."""
        return tuple(number for shard in self.shards for number in shard.objects)

    def read(self, samples: Sequence[int]) -> Batch:
        """Some samples, in the order asked for.

        Raises:
            InputError: a file has gone or holds NaN.
            IndexError: there is no such sample.
        """
        wanted = np.asarray(samples, dtype=np.int64)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(self)):
            raise IndexError(f"sample {wanted.min()} to {wanted.max()} of {len(self)}")
        voxels = np.empty((len(wanted), *self.layout.voxels), self.layout.voxel_type)
        pictures = np.empty((len(wanted), *self.layout.pictures), self.layout.picture_type)
        of = np.searchsorted(self._first, wanted, side="right") - 1
        for number in np.unique(of):
            at, shard = np.flatnonzero(of == number), self.shards[number]
            rows = (wanted[at] - self._first[number]).tolist()
            for name, every in ((shard.voxels, voxels), (shard.pictures, pictures)):
                into = every if len(at) == len(wanted) else np.empty((len(at), *every.shape[1:]), every.dtype)
                read_rows(self.folder / name, rows, into)
                if into is not every:
                    every[at] = into
        return Batch(torch.from_numpy(voxels), torch.from_numpy(pictures))

    def __getitem__(self, sample: int) -> Batch:
        """One sample, as a batch of one."""
        return self.read([sample])

    def __getitems__(self, samples: list[int]) -> Batch:
        """Several at once, as loaders of torch ask for them."""
        return self.read(samples)

    def batches(self, size: int) -> Iterator[Batch]:
        """All samples in their order, `size` at a time."""
        for first in range(0, len(self), size):
            yield self.read(range(first, min(first + size, len(self))))


@dataclass(frozen=True)
class Pairs:
    """A data set of voxels and pictures; its samples stay on disk until they are asked for."""

    folder: Path
    meta: Meta

    def split(self, name: str) -> Split:
        """The train, validation or test samples.

        Raises:
            InputError: there are none.
        """
        shards = tuple(shard for shard in self.meta.shards if shard.split == name)
        if not shards:
            raise InputError(
                f"{self.folder} has no {name} samples", "make or import it again with more objects, or other shares"
            )
        return Split(self.folder, self.meta.layout, shards)

    @property
    def counts(self) -> dict[str, int]:
        """Samples by split."""
        return self.meta.counts


def read_pairs(folder: Path) -> Pairs:
    """Open a data set; every shard's header and size are checked, and no values are read.

    Raises:
        InputError: it is none, a shard is missing, cut short or unlike the others, or an object is in two splits.
    """
    if not is_folder(folder):
        raise InputError(f"there is no folder {folder}", "name a data set of voxels and pictures")
    if not (folder / META).is_file():
        raise InputError(
            f"{folder} has no {META}",
            "make a data set with `invrender dataset make`, or bring one in with `invrender dataset import`",
        )
    meta = read_meta(folder)
    if not meta.shards:
        raise InputError(f"{folder} is empty", "make or import it again")
    for shard in meta.shards:
        check_shard(folder, shard, meta.layout)
    _check_objects(folder, meta)
    return Pairs(folder, meta)


def _check_objects(folder: Path, meta: Meta) -> None:
    where: dict[int, str] = {}
    for shard in meta.shards:
        for number in shard.objects:
            if where.setdefault(number, shard.split) != shard.split:
                raise InputError(
                    f"{folder}: object {number} is in {where[number]} and in {shard.split}, which spoils the test",
                    "split by object: make or import it again",
                )


def decoded(stored: Tensor) -> Tensor:
    """Stored values as float32: uint8 to 0 to 1."""
    return stored.float() / 255 if stored.dtype == torch.uint8 else stored.float()
