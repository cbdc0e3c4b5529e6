"""What people bring along, as one kind of thing: parts with so many samples each, read one after the other."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from invrender.errors import InputError
from invrender.io.files.json_table import read_json_table
from invrender.io.files.paths import is_file, listing

Array = NDArray[Any]

ABOUT = "pairs.json"
"""Beside what `dataset export` writes: what the files themselves have no place for."""
SPLIT_WORDS = {
    "train": "train", "training": "train", "tr": "train", "validation": "validation", "valid": "validation",
    "val": "validation", "va": "validation", "test": "test", "testing": "test", "te": "test",
}  # fmt: skip
VOXEL_WORDS = {"vol", "vols", "volume", "volumes", "vox", "voxel", "voxels", "density", "densities", "vdb"}
PICTURE_WORDS = {
    "img", "imgs", "image", "images", "pic", "pics", "picture", "pictures", "render", "renders", "rendering",
    "renderings",
}  # fmt: skip


@dataclass(frozen=True)
class Sample:
    """A sample as it was brought along: [C,a,b,c] voxels and an [H,W,C] picture, in any types of numbers."""

    name: str
    voxels: Array
    picture: Array


@dataclass(frozen=True)
class Part:
    """Some samples: what to call them, how many, and which split their names put them in, if any."""

    name: str
    count: int
    split: str | None = None


@dataclass(frozen=True)
class Source:
    """Samples that can be read, again and again.

    Attributes:
        path: where they are.
        what: they are, for people.
        parts: in the order in which `read` goes through them.
        voxels, pictures: shape [C,a,b,c] and [H,W,C] of each sample.
        voxel_type, picture_type: of their numbers.
        read: all samples in order, one in memory at a time; it raises InputError.
        about: what an export noted beside them.
    """

    path: Path
    what: str
    parts: tuple[Part, ...]
    voxels: tuple[int, ...]
    pictures: tuple[int, ...]
    voxel_type: np.dtype[Any]
    picture_type: np.dtype[Any]
    read: Callable[[], Iterator[Sample]]
    about: Mapping[str, Any] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """Of samples."""
        return sum(part.count for part in self.parts)


def words_of(text: str) -> list[str]:
    """Words and numbers of a name, in lower case: `Volume_samples_003` is volume, samples, 003."""
    return re.findall(r"[^\W\d_]+|\d+", text.lower())


def split_of(words: Sequence[str]) -> str | None:
    """The split that a name speaks of."""
    return next((SPLIT_WORDS[word] for word in words if word in SPLIT_WORDS), None)


def in_order(words: Sequence[str]) -> tuple[tuple[int, int, str], ...]:
    """A key to sort names by, numbers in them as numbers."""
    return tuple((0, int(word), "") if word.isdecimal() else (1, 0, word) for word in words)


def matched(voxels: Mapping[Any, Path], pictures: Mapping[Any, Path], root: Path) -> list[Any]:
    """The keys of both, in order.

    Raises:
        InputError: some are in one alone.
    """
    missing = [str(path.relative_to(root)) for key, path in voxels.items() if key not in pictures]
    if missing:
        raise InputError(f"{root}: there is no picture for {listing(missing)}", _BOTH)
    missing = [str(path.relative_to(root)) for key, path in pictures.items() if key not in voxels]
    if missing:
        raise InputError(f"{root}: there are no voxels for {listing(missing)}", _BOTH)
    return sorted(voxels, key=in_order)


_BOTH = "add what is missing under the same number or name, or remove the others"


def files_below(root: Path, extensions: Sequence[str]) -> list[Path]:
    """Files of such extensions in a folder and two levels below, sorted; hidden ones are left out."""
    if is_file(root):
        return [root] if root.suffix.lower() in extensions else []
    found = [path for level in ("*", "*/*", "*/*/*") for path in root.glob(level)]
    seen = [
        path
        for path in found
        if path.suffix.lower() in extensions
        and not any(part.startswith(".") for part in path.relative_to(root).parts)
        and is_file(path)
    ]
    return sorted(seen)


def plain_voxels(shape: Sequence[int], name: object) -> tuple[int, ...]:
    """The shape [C,a,b,c] of one sample that is stored as [a,b,c], [C,a,b,c] or [a,b,c,C].

    Raises:
        InputError: it is none of these.
    """
    found = tuple(shape)
    if len(found) == 3:
        found = (1, *found)
    elif len(found) == 4 and found[0] > 4 >= found[3]:
        found = (found[3], *found[:3])
    if len(found) != 4 or not 1 <= found[0] <= 4 or min(found[1:]) < 2:
        raise InputError(
            f"{name} has voxels of the shape {list(shape)} for each sample",
            "store [N,N,N] for each sample, or [C,N,N,N] with up to 4 channels",
        )
    return found


def plain_picture(shape: Sequence[int], name: object) -> tuple[int, ...]:
    """The shape [H,W,C] of one picture that is stored as [H,W], [H,W,C] or [C,H,W].

    Raises:
        InputError: it is none of these.
    """
    found = tuple(shape)
    if len(found) == 2:
        found = (*found, 1)
    elif len(found) == 3 and found[0] in (1, 3) and found[2] not in (1, 3):
        found = (*found[1:], found[0])
    if len(found) != 3 or found[2] not in (1, 3) or min(found) < 1:
        raise InputError(
            f"{name} has pictures of the shape {list(shape)} for each sample",
            "store [H,W] for each sample, or [H,W,C] with 1 or 3 channels",
        )
    return found


def as_voxels(values: Array, shape: tuple[int, ...]) -> Array:
    """One sample's voxels in the shape that `plain_voxels` found."""
    return np.moveaxis(values, -1, 0) if values.ndim == 4 and values.shape != shape else values.reshape(shape)


def as_picture(values: Array, shape: tuple[int, ...]) -> Array:
    """One picture in the shape that `plain_picture` found."""
    return np.moveaxis(values, 0, -1) if values.ndim == 3 and values.shape != shape else values.reshape(shape)


def read_about(root: Path) -> dict[str, Any]:
    """What an export noted; nothing where it was none.

    Raises:
        InputError: the note is damaged.
    """
    path = root / ABOUT
    return dict(read_json_table(path, "export", "without it")) if is_file(path) else {}


def about_text(table: Mapping[str, Any]) -> str:
    """The note as it is written."""
    return json.dumps(dict(table), indent=1) + "\n"
