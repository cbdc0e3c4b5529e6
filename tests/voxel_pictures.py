"""A data set of voxels and pictures by formula: soft balls, and how near they are."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from invrender.io.pairs.meta import Layout, Meta, Shard, write_meta
from invrender.io.pairs.shards import encode, write_shard
from invrender.nouns.stage import Stage

COUNTS = {"train": 24, "validation": 6, "test": 6}


def balls(count: int, shape: tuple[int, int, int], seed: int = 0) -> np.ndarray:
    """[count,D,H,W]: two balls each."""
    random = np.random.default_rng(seed)
    axes = [(np.arange(n) + 0.5) / n for n in shape]
    z, y, x = np.meshgrid(*axes, indexing="ij")
    found = np.zeros((count, *shape), np.float32)
    for k in range(count):
        for _ in range(2):
            centre, radius = random.uniform(0.25, 0.75, 3), random.uniform(0.1, 0.25)
            distance = np.sqrt((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2)
            found[k] = np.maximum(found[k], (0.5 + (radius - distance) * max(shape)).clip(0, 1))
    return found


def nearness(voxels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """[count,H,W,1]: 1 where a ball is at the front, less behind, 0.1 where there is none."""
    through = np.exp(-10 * np.cumsum(voxels, 1))
    picture = 0.1 + 0.9 * (1 - through.mean(1))
    rows = (np.arange(size[0]) * picture.shape[1]) // size[0]
    columns = (np.arange(size[1]) * picture.shape[2]) // size[1]
    return picture[:, rows][:, :, columns][..., None].astype(np.float32)


def write_balls(
    folder: Path,
    shape: tuple[int, int, int] = (16, 16, 16),
    size: tuple[int, int] = (16, 16),
    counts: dict[str, int] = COUNTS,
    stage: Stage | None = None,
    channels: int = 1,
) -> Path:
    """A data set in a folder."""
    layout = Layout((channels, *shape), (*size, 1))
    shards, first = [], 0
    folder.mkdir(parents=True, exist_ok=True)
    for split, count in counts.items():
        shard = Shard(split, f"{split}-0000", tuple(range(first, first + count)))
        voxels = balls(count, shape, first)
        pictures = encode(nearness(voxels, size), "uint8")
        every = np.repeat(encode(voxels, "uint8")[:, None], channels, 1)
        write_shard(folder, shard, layout, every, pictures)
        shards.append(shard)
        first += count
    write_meta(folder, Meta(layout, tuple(shards), stage))
    return folder
