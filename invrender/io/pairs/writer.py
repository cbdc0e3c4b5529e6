"""Writing a data set sample by sample: where each goes is planned first, and no more than one is in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from invrender.io.files.atomic import FULL, cannot_write
from invrender.io.pairs.meta import Layout
from invrender.io.pairs.plan import Plan

Array = NDArray[Any]


def npy_header(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """Begin an .npy whose values follow, row by row."""
    described = {"descr": np.lib.format.dtype_to_descr(dtype), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, described)


@dataclass
class _Open:
    """A shard that is being filled."""

    voxels: IO[bytes]
    pictures: IO[bytes]
    left: int


@dataclass
class Writer:
    """Shards that are filled sample by sample, in the order of a plan."""

    folder: Path
    layout: Layout
    plan: Plan
    _open: dict[int, _Open] = field(default_factory=dict)
    _next: int = 0

    def add(self, voxels: Array, picture: Array) -> None:
        """The next sample.

        Args:
            voxels: [C,D,H,W]; `picture`: [H,W,C], both in the layout's types.
        """
        number = self.plan.shard_of[self._next]
        files = self._open.get(number) or self._begin(number)
        files.voxels.write(np.ascontiguousarray(voxels).data)
        files.pictures.write(np.ascontiguousarray(picture).data)
        self._next += 1
        files.left -= 1
        if not files.left:
            del self._open[number]
            for file in (files.voxels, files.pictures):
                file.close()

    def _begin(self, number: int) -> _Open:
        shard, count = self.plan.shards[number], len(self.plan.shards[number].objects)
        files = _Open((self.folder / shard.voxels).open("wb"), (self.folder / shard.pictures).open("wb"), count)
        self._open[number] = files
        npy_header(files.voxels, (count, *self.layout.voxels), np.dtype(self.layout.voxel_type))
        npy_header(files.pictures, (count, *self.layout.pictures), np.dtype(self.layout.picture_type))
        return files

    def close(self) -> None:
        """Close what is open: after a failure, some shards are not full."""
        with ExitStack() as stack:
            for files in self._open.values():
                stack.callback(files.voxels.close)
                stack.callback(files.pictures.close)
        self._open.clear()


@contextmanager
def writer(folder: Path, layout: Layout, plan: Plan, target: Path) -> Iterator[Writer]:
    """A writer into a folder that will become `target`; its files are closed after the block.

    Raises:
        UsageError: there is no room, or the place cannot be written to.
    """
    made = Writer(folder, layout, plan)
    with place_refused(folder, target):
        try:
            yield made
        finally:
            made.close()


@contextmanager
def place_refused(folder: Path, target: Path) -> Iterator[None]:
    """Turn what the system refuses of a temporary folder into the error that users see of `target` (UsageError)."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL or error.filename is None or str(error.filename).startswith(str(folder)):
            raise cannot_write(target, error) from error
        raise


def sample_sizes(layout: Layout) -> Mapping[str, int]:
    """Bytes of the voxels and of the picture of a sample."""
    return {
        "voxels": int(np.prod(layout.voxels)) * np.dtype(layout.voxel_type).itemsize,
        "pictures": int(np.prod(layout.pictures)) * np.dtype(layout.picture_type).itemsize,
    }
