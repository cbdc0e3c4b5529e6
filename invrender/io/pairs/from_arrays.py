"""Voxels and pictures in .npy and .npz files: stacks in two files, or both arrays of a sample or a stack in one.

Which is which is told by words in the names (volume_samples_000.npz and image_samples_000.npz, voxels.npy and
pictures.npy), and in an archive of two arrays by the names of these, or by their numbers of dimensions.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from invrender.errors import InputError
from invrender.io.files.paths import listing, shown
from invrender.io.pairs.source import (
    PICTURE_WORDS,
    VOXEL_WORDS,
    Part,
    Sample,
    Source,
    as_picture,
    as_voxels,
    files_below,
    in_order,
    matched,
    plain_picture,
    plain_voxels,
    read_about,
    split_of,
    words_of,
)
from invrender.io.pairs.stacks import Stack, stacks_in

log = logging.getLogger(__name__)

EXTENSIONS = (".npz", ".npy")
Words = tuple[str, ...]


@dataclass(frozen=True)
class _Pair:
    """The voxels and pictures of a part.

    Attributes:
        name: for people; `split`: that the name speaks of.
        voxels, pictures: as stored.
        single: whether they are those of one sample, without an axis that counts samples.
    """

    name: str
    split: str | None
    voxels: Stack
    pictures: Stack
    single: bool

    @property
    def count(self) -> int:
        return 1 if self.single else self.voxels.shape[0]

    @property
    def voxel_shape(self) -> tuple[int, ...]:
        return plain_voxels(self.voxels.shape if self.single else self.voxels.shape[1:], self.voxels)

    @property
    def picture_shape(self) -> tuple[int, ...]:
        return plain_picture(self.pictures.shape if self.single else self.pictures.shape[1:], self.pictures)


def kind_of(path: Path, root: Path) -> str:
    """Whether a file's name, or else its folder's, speaks of voxels, of pictures, or of neither ('')."""
    for text in (path.stem, *reversed(_folders(path, root))):
        words = set(words_of(text))
        if words & VOXEL_WORDS:
            return "voxels"
        if words & PICTURE_WORDS:
            return "pictures"
    return ""


def _folders(path: Path, root: Path) -> tuple[str, ...]:
    return () if path == root else path.relative_to(root).parts[:-1]


def arrays_source(root: Path) -> Source:
    """The samples of a folder of .npy and .npz files, or of one .npz.

    Raises:
        InputError: they do not go together, are damaged, or hold none.
    """
    pairs = _pairs(root, files_below(root, EXTENSIONS))
    if not sum(pair.count for pair in pairs):
        raise InputError(f"{root} holds no samples of voxels and pictures", "name a folder with some")
    first = pairs[0]
    for pair in pairs:
        _check(pair, first)
    parts = tuple(Part(pair.name, pair.count, pair.split) for pair in pairs)

    def read() -> Iterator[Sample]:
        for pair in pairs:
            yield from _samples(pair)

    old = all(pair.voxels.path.stem.startswith("volume_samples_") for pair in pairs)
    what = "shards of VoxelNeuralRender" if old else "arrays of voxels and pictures"
    return Source(
        root, what, parts, first.voxel_shape, first.picture_shape, first.voxels.dtype, first.pictures.dtype, read,
        read_about(root),
    )  # fmt: skip


def _pairs(root: Path, files: Sequence[Path]) -> list[_Pair]:
    alone: dict[str, dict[Words, Path]] = {"voxels": {}, "pictures": {}}
    stacks: dict[Path, Stack] = {}
    both: list[tuple[Words, _Pair]] = []
    unknown = []
    for path in files:
        arrays, kind = stacks_in(path), kind_of(path, root)
        words = tuple(words_of("/".join((*_folders(path, root), path.stem))))
        if len(arrays) == 1 and kind:
            key = tuple(word for word in words if word not in VOXEL_WORDS | PICTURE_WORDS)
            _add(alone[kind], key, path)
            stacks[path] = arrays[0]
        elif len(arrays) >= 2 and (pair := _in_one(path, root, arrays, split_of(words))):
            both.append((words, pair))
        else:
            unknown.append(str(path.name))
    if unknown and not (both or stacks):
        raise InputError(
            f"{shown(root)}: {listing(unknown)} are neither voxels nor pictures by name",
            "call them alike but for a word, such as NAME_vol.npy and NAME_img.npy, or voxels.npy and pictures.npy",
        )
    if unknown:
        log.warning("%s: left out, as neither voxels nor pictures by name: %s", shown(root), listing(unknown))
    for key in matched(alone["voxels"], alone["pictures"], root):
        voxels, pictures = stacks[alone["voxels"][key]], stacks[alone["pictures"][key]]
        name = str(voxels.path.relative_to(root)) if voxels.path != root else voxels.path.name
        both.append((key, _Pair(name, split_of(key), voxels, pictures, _is_single(voxels, pictures))))
    return [pair for _, pair in sorted(both, key=lambda item: in_order(item[0]))]


def _add(files: dict[Words, Path], key: Words, path: Path) -> None:
    if key in files:
        raise InputError(f"{shown(files[key])} and {shown(path)} have one name but for a word", "rename one of them")
    files[key] = path


def _in_one(path: Path, root: Path, arrays: Sequence[Stack], split: str | None) -> _Pair | None:
    """The two arrays of an archive, told by their names or else by their dimensions."""
    voxels = [a for a in arrays if set(words_of(a.name)) & VOXEL_WORDS]
    pictures = [a for a in arrays if set(words_of(a.name)) & PICTURE_WORDS]
    if not (voxels and pictures) and len(arrays) == 2:
        fewer, more = sorted(arrays, key=lambda a: len(a.shape))
        if len(fewer.shape) < len(more.shape):
            voxels, pictures = [more], [fewer]
    if len(voxels) != 1 or len(pictures) != 1:
        return None
    name = path.name if path == root else str(path.relative_to(root))
    return _Pair(name, split, voxels[0], pictures[0], _is_single(voxels[0], pictures[0]))


def _is_single(voxels: Stack, pictures: Stack) -> bool:
    """Whether two arrays are one sample: [a,b,c] with [H,W] or [H,W,C], or [C,a,b,c] with these."""
    v, p = voxels.shape, pictures.shape
    return len(v) == 3 or (len(v) == 4 and (len(p) == 2 or (len(p) == 3 and v[0] <= 4 and v[0] != p[0])))


def _check(pair: _Pair, first: _Pair) -> None:
    if not pair.single and pair.voxels.shape[0] != pair.pictures.shape[0]:
        raise InputError(
            f"{pair.voxels} holds {pair.voxels.shape[0]} samples, and {pair.pictures} {pair.pictures.shape[0]}",
            "export both again, with as many voxels as pictures",
        )
    for mine, other, stack, known in (
        (pair.voxel_shape, first.voxel_shape, pair.voxels, first.voxels),
        (pair.picture_shape, first.picture_shape, pair.pictures, first.pictures),
    ):
        if mine != other or stack.dtype != known.dtype:
            raise InputError(
                f"{stack} holds samples {stack.dtype} {list(mine)}, and {known} {known.dtype} {list(other)}",
                "bring all to one shape and type, or import them apart",
            )


def _samples(pair: _Pair) -> Iterator[Sample]:
    if pair.single:
        yield Sample(
            pair.name,
            as_voxels(pair.voxels.whole(), pair.voxel_shape),
            as_picture(pair.pictures.whole(), pair.picture_shape),
        )
        return
    rows = zip(pair.voxels.rows(), pair.pictures.rows(), strict=True)
    for number, (voxels, picture) in enumerate(rows):
        name = f"{pair.name}, sample {number}"
        yield Sample(name, as_voxels(voxels, pair.voxel_shape), as_picture(picture, pair.picture_shape))
