"""Which samples of a source go to which split and shard."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from invrender.errors import InputError, UsageError
from invrender.io.pairs.meta import SPLITS, Layout, Shard
from invrender.io.pairs.source import ABOUT, Source

Shares = tuple[float, float, float]

SHARES: Shares = (0.84, 0.04, 0.12)
SHARD_BYTES = 1 << 28  # of the voxels of a shard, at most


def shared_out(objects: Sequence[int], shares: Shares, seed: int) -> list[str]:
    """The split of each sample: whole objects, drawn by the seed; a share above 0 gets one where there are enough.

    Raises:
        InputError: there are no objects for training.
    """
    every = sorted(set(objects))
    drawn = np.random.default_rng(seed).permutation(len(every))
    counts = [0, *(round(share * len(every)) for share in shares[1:])]
    for split in (2, 1):
        if shares[split] > 0 and not counts[split] and len(every) - sum(counts) > 1:
            counts[split] = 1
    names = ["validation"] * counts[1] + ["test"] * counts[2]
    if len(names) >= len(every) and shares[0] > 0:
        raise InputError(
            f"{len(every)} objects cannot be shared out as {shares}", "bring more, or give training a larger --split"
        )
    names += ["train"] * (len(every) - len(names))
    of = {every[drawn[at]]: name for at, name in enumerate(names)}
    return [of[number] for number in objects]


@dataclass(frozen=True)
class Plan:
    """Where samples go.

    Attributes:
        shards: all of them.
        shard_of: for each sample, in the order in which they come, the number of its shard.
    """

    shards: tuple[Shard, ...]
    shard_of: tuple[int, ...]


def sharded(splits: Sequence[str], objects: Sequence[int], sample_bytes: int) -> Plan:
    """The samples of each split in the order in which they come, so many a shard that it is of some hundred MB."""
    per_shard = max(1, min(1000, SHARD_BYTES // sample_bytes))
    filled: dict[str, list[list[int]]] = {split: [] for split in SPLITS}
    places = []
    for split, number in zip(splits, objects, strict=True):
        if not filled[split] or len(filled[split][-1]) == per_shard:
            filled[split].append([])
        filled[split][-1].append(number)
        places.append((split, len(filled[split]) - 1))
    names = [(split, number) for split in SPLITS for number in range(len(filled[split]))]
    shards = tuple(Shard(split, f"{split}-{number:04d}", tuple(filled[split][number])) for split, number in names)
    order = {name: at for at, name in enumerate(names)}
    return Plan(shards, tuple(order[place] for place in places))


def planned(source: Source, layout: Layout, shares: Shares, seed: int, views: int) -> Plan:
    """Where the samples of a source go.

    Args:
        source: of samples, whose names or notes may tell their split.
        layout: of the new data set.
        shares: of training, validation and test, and `seed` of who is in which, where nothing tells.
        views: that many consecutive samples are of one object.

    Raises:
        InputError: an object would be in two splits, or none for training.
    """
    noted = source.about.get("splits")
    noted = noted if isinstance(noted, dict) else {}
    alone = next(iter(noted)) if len(noted) == 1 else None
    named = [part.split or alone for part in source.parts for _ in range(part.count)]
    objects = [number // views for number in range(source.count)]
    if not any(named):
        splits = shared_out(objects, shares, seed)
    else:
        splits = [split or "train" for split in named]
        objects = _noted_objects(source, splits, noted) if noted else objects
        _check_objects(source, splits, objects)
    return sharded(splits, objects, int(np.prod(layout.voxels)) * np.dtype(layout.voxel_type).itemsize)


def _noted_objects(source: Source, splits: Sequence[str], noted: dict[str, Any]) -> list[int]:
    """The objects that an export noted for each split."""
    counts = {split: splits.count(split) for split in set(splits)}
    if counts != {split: len(numbers) for split, numbers in noted.items()}:
        raise InputError(
            f"{source.path}: {ABOUT} tells of other samples than are there", f"export it again, or remove {ABOUT}"
        )
    each = {split: iter(numbers) for split, numbers in noted.items()}
    return [int(next(each[split])) for split in splits]


def _check_objects(source: Source, splits: Sequence[str], objects: Sequence[int]) -> None:
    of: dict[int, str] = {}
    for number, split in zip(objects, splits, strict=True):
        if of.setdefault(number, split) != split:
            raise InputError(
                f"{source.path}: views of one object would be in {of[number]} and in {split}",
                "give --objects another number of views, or leave it out",
            )


def parsed_shares(text: str) -> Shares:
    """Shares of training, validation and test as the user spells them: `.84,.04,.12`.

    Raises:
        UsageError: they are none.
    """
    try:
        shares = tuple(float(part) for part in text.split(","))
    except ValueError:
        shares = ()
    if len(shares) != 3 or min(shares) < 0 or not math.isclose(sum(shares), 1, abs_tol=1e-6):
        raise UsageError(f"--split is {text!r}", "give the shares of train, validation, test: .84,.04,.12")
    return shares[0], shares[1], shares[2]
