"""What is in a data set of voxels and pictures: counts from its meta.json, ranges from some samples of each split."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from invrender.io.pairs.dataset import Pairs, decoded
from invrender.nouns.stage import Stage

Tensor = torch.Tensor

VOXELS = 1 << 27  # of a split that are looked at: a matter of seconds
FILLED = 0.5 / 255  # values above it count as filled: what 8 bits can tell from 0


@dataclass(frozen=True)
class Range:
    """Least, greatest and mean value."""

    least: float
    greatest: float
    mean: float


@dataclass(frozen=True)
class PairsFacts:
    """What is in a data set.

    Attributes:
        samples, objects: by split.
        voxels: [C,D,H,W] and `pictures`: [H,W,C] of each sample, with their types; `encoding` of the pictures.
        looked_at: samples that the ranges are of.
        voxel_range: of each channel; `picture_range`: of all.
        filled: share of the voxels whose first channel is not 0; `least_filled`, `most_filled`: of a sample.
        bytes: on disk.
        stage: camera, ground and light, if they are known.
        made: how it came about.
    """

    samples: Mapping[str, int]
    objects: Mapping[str, int]
    voxels: tuple[int, ...]
    voxel_type: str
    pictures: tuple[int, ...]
    picture_type: str
    encoding: str
    looked_at: int
    voxel_range: tuple[Range, ...]
    picture_range: Range
    filled: float
    least_filled: float
    most_filled: float
    bytes: int
    stage: Stage | None
    made: Mapping[str, Any]


def pairs_facts(pairs: Pairs, most: int = 64) -> PairsFacts:
    """Look at up to `most` samples of each split, or fewer large ones, evenly spread; one is in memory at a time.

    Raises:
        InputError: a file has gone or holds NaN.
    """
    layout, splits = pairs.meta.layout, {name: pairs.split(name) for name in pairs.counts}
    most = max(4, min(most, VOXELS // math.prod(layout.voxels)))
    voxels, pictures, filled = [], [], []
    for split in splits.values():
        for sample in spread(len(split), most):
            batch = split.read([sample])
            values = decoded(batch.voxels)[0]
            voxels.append([_range(channel) for channel in values])
            pictures.append(_range(decoded(batch.pictures)))
            filled.append(float((values[0] > FILLED).float().mean()))
    files = [pairs.folder / name for shard in pairs.meta.shards for name in (shard.voxels, shard.pictures)]
    return PairsFacts(
        pairs.counts, {name: len(set(split.objects)) for name, split in splits.items()}, layout.voxels,
        layout.voxel_type, layout.pictures, layout.picture_type, layout.encoding, len(filled),
        tuple(_joined(channel) for channel in zip(*voxels, strict=True)), _joined(pictures), float(np.mean(filled)),
        min(filled), max(filled), sum(path.stat().st_size for path in files), pairs.meta.stage, pairs.meta.made,
    )  # fmt: skip


def spread(count: int, most: int) -> list[int]:
    """Up to `most` of `count` numbers, from the first to the last in even steps."""
    return sorted({int(n) for n in np.linspace(0, count - 1, min(count, most))})


def _range(values: Tensor) -> Range:
    return Range(float(values.min()), float(values.max()), float(values.mean()))


def _joined(ranges: Any) -> Range:
    return Range(
        min(r.least for r in ranges), max(r.greatest for r in ranges), float(np.mean([r.mean for r in ranges]))
    )
