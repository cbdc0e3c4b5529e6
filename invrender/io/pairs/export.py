"""Writing a data set of voxels and pictures in the files of other tools, sample by sample.

    npz        volume_samples_000.npz and image_samples_000.npz, ..., as VoxelNeuralRender reads them
    npz-pairs  sample_00000.npz, ..., each with `voxels` and `picture`
    vdb        vdb/sample.00001.vdb and render/sample.00001.png, ...

Where there are several splits, each has a folder of its name. `pairs.json` notes what the files have no place for, so
that `dataset import` brings the same data set back.
"""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from invrender.errors import InputError
from invrender.io.exr import write_exr
from invrender.io.files.atomic import temporary_folder
from invrender.io.pairs.axes import ORIGINAL, from_ours
from invrender.io.pairs.dataset import Pairs, Split, decoded
from invrender.io.pairs.meta import SPLITS, stage_table
from invrender.io.pairs.place import checked_target, put_in_place
from invrender.io.pairs.source import ABOUT, about_text
from invrender.io.pairs.writer import npy_header, place_refused
from invrender.io.volumes.write import write_volume
from invrender.nouns import Volume

Array = NDArray[Any]
Tick = Callable[[], None]

FORMATS = ("npz", "npz-pairs", "vdb")
LEVELS = 256  # by which 8 bits are divided in VoxelNeuralRender's shards


@dataclass(frozen=True)
class Exported:
    """What has been written: samples by split, and the files' number."""

    samples: dict[str, int]
    files: int


def export_pairs(
    pairs: Pairs,
    target: Path,
    to: str,
    *,
    chunk: int = 100,
    axes: str = ORIGINAL,
    only: str | None = None,
    overwrite: bool = False,
    on_sample: Callable[[int, int], None] | None = None,
) -> Exported:
    """Write a data set in other tools' files.

    Args:
        pairs: the data set.
        target: the new folder; it appears when it is whole.
        to: one of `FORMATS`.
        chunk: samples of each shard of `npz`.
        axes: of the arrays that are written, see `axes.checked_axes`.
        only: the one split to write; None: all.
        overwrite: whether an earlier export is replaced.
        on_sample: told how many samples of how many are done.

    Raises:
        InputError: a shard is damaged; there is no such split; .vdb files cannot hold several channels.
        UsageError: the target cannot be written to.
        OutputExistsError: it holds something.
    """
    checked_target(target, pairs.folder, ABOUT if overwrite else None)
    if to == "vdb" and pairs.meta.layout.voxels[0] > 1:
        raise InputError(
            f"the voxels of {pairs.folder} have {pairs.meta.layout.voxels[0]} channels, and a .vdb grid holds one",
            "export it as npz or npz-pairs",
        )
    splits = {name: pairs.split(name) for name in SPLITS if (name == only if only else name in pairs.counts)}
    total, done = sum(map(len, splits.values())), 0

    def tick() -> None:
        nonlocal done
        done += 1
        if on_sample is not None:
            on_sample(done, total)

    with temporary_folder(target) as folder, place_refused(folder, target):
        for name, split in splits.items():
            place = folder / name if len(splits) > 1 else folder
            place.mkdir(exist_ok=True)
            if to == "npz":
                _write_shards(split, place, chunk, axes, tick)
            elif to == "npz-pairs":
                _write_archives(split, place, axes, tick)
            else:
                _write_grids(split, place, axes, tick)
        (folder / ABOUT).write_text(about_text(_about(pairs, splits, axes)), encoding="utf-8")
        files = sum(path.is_file() for path in folder.rglob("*"))
        put_in_place(folder, target)
    return Exported({name: len(split) for name, split in splits.items()}, files)


def _about(pairs: Pairs, splits: dict[str, Split], axes: str) -> dict[str, Any]:
    meta = pairs.meta
    return {
        "axes": axes,
        "encoding": meta.layout.encoding,
        "channels": meta.layout.pictures[2],
        "resolution": list(from_ours(np.broadcast_to(np.uint8(0), meta.layout.voxels), axes).shape[1:]),
        "stage": None if meta.stage is None else stage_table(meta.stage),
        "made": dict(meta.made),
        "splits": {name: list(split.objects) for name, split in splits.items()},
    }


def _samples(split: Split, axes: str) -> Iterator[tuple[Array, Array]]:
    """[C,a,b,c] float32 voxels, and [H,W,C] pictures as they are stored."""
    for batch in split.batches(1):
        yield from_ours(decoded(batch.voxels)[0].numpy(), axes), batch.pictures[0].numpy()


def _floats(picture: Array) -> Array:
    """Pictures as VoxelNeuralRender has them: 8 bits over 256."""
    numbers = picture.astype(np.float32)
    return numbers / np.float32(LEVELS) if picture.dtype == np.uint8 else numbers


def _write_shards(split: Split, folder: Path, chunk: int, axes: str, tick: Tick) -> None:
    samples = _samples(split, axes)
    layout = split.layout
    shape = from_ours(np.broadcast_to(np.uint8(0), layout.voxels), axes).shape
    for number, first in enumerate(range(0, len(split), chunk)):
        count = min(chunk, len(split) - first)
        with ExitStack() as stack:
            volumes = stack.enter_context(_packed(folder / f"volume_samples_{number:03d}.npz", (count, *shape)))
            images = stack.enter_context(_packed(folder / f"image_samples_{number:03d}.npz", (count, *layout.pictures)))
            for _ in range(count):
                voxels, picture = next(samples)
                volumes.write(np.ascontiguousarray(voxels).data)
                images.write(np.ascontiguousarray(_floats(picture)).data)
                tick()


@contextmanager
def _packed(path: Path, shape: tuple[int, ...]) -> Iterator[IO[bytes]]:
    """An .npz of one float32 array, whose values are to be written row by row."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("arr_0.npy", "w", force_zip64=True) as member,
    ):
        npy_header(member, shape, np.dtype(np.float32))
        yield member


def _write_archives(split: Split, folder: Path, axes: str, tick: Tick) -> None:
    for number, (voxels, picture) in enumerate(_samples(split, axes)):
        np.savez_compressed(folder / f"sample_{number:05d}.npz", voxels=voxels, picture=picture)
        tick()


def _write_grids(split: Split, folder: Path, axes: str, tick: Tick) -> None:
    """Grids whose indices are those of the arrays: voxels of size 1 from the origin on."""
    for name in ("vdb", "render"):
        (folder / name).mkdir()
    for number, (voxels, picture) in enumerate(_samples(split, axes), 1):
        corner = torch.tensor(voxels.shape[1:], dtype=torch.float64) - 1
        values = torch.from_numpy(np.ascontiguousarray(voxels.transpose(0, 3, 2, 1)))
        volume = Volume(values=values, bounds=torch.stack([torch.zeros_like(corner), corner]))
        write_volume(folder / "vdb" / f"sample.{number:05d}.vdb", volume)
        _write_picture(folder / "render" / f"sample.{number:05d}", picture)
        tick()


def _write_picture(path: Path, picture: Array) -> None:
    if picture.dtype == np.uint8:
        Image.fromarray(picture[..., 0] if picture.shape[2] == 1 else picture).save(f"{path}.png")
    else:
        write_exr(Path(f"{path}.exr"), np.repeat(picture.astype(np.float32), 3 if picture.shape[2] == 1 else 1, 2))
