"""How fast samples of voxels and pictures come from disk, and what memory that takes.

    python benchmarks/pairs.py --samples 2000 --size 64

writes a data set of random samples to a temporary folder, reads two epochs of it in batches, by this process and by two
that read ahead, and prints samples per second of the second epoch with the growth of this process' memory over it. The
files are in the system's cache by then, as they are in training where memory is large enough; `--cold` asks the system
to forget them before.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import time
from pathlib import Path

import numpy as np

from invrender.io.pairs.dataset import Split, read_pairs
from invrender.io.pairs.feed import Feed, Order
from invrender.io.pairs.meta import Layout, Meta, Shard, write_meta
from invrender.io.pairs.shards import write_shard

PER_SHARD = 200


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--size", type=int, default=64, help="voxels and pixels along a side")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--cold", action="store_true", help="let the system forget the files before (Linux)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        split = made(Path(folder) / "set", given.samples, given.size)
        print(f"{given.samples} samples of {given.size}^3 uint8, batches of {given.batch}")
        print("workers  samples/s  growth of memory, MB")
        for workers in (0, 2):
            speed, growth = measured(split, Order(len(split), given.batch, 0), workers, given.cold)
            print(f"{workers:7d}  {speed:9.0f}  {growth / 1e6:20.1f}")


def made(folder: Path, count: int, size: int) -> Split:
    """Random samples, training alone."""
    random = np.random.default_rng(0)
    layout = Layout((1, size, size, size), (size, size, 1))
    folder.mkdir()
    shards = []
    for first in range(0, count, PER_SHARD):
        numbers = tuple(range(first, min(first + PER_SHARD, count)))
        shards.append(Shard("train", f"train-{len(shards):04d}", numbers))
        voxels = random.integers(0, 256, (len(numbers), *layout.voxels), np.uint8)
        pictures = random.integers(0, 256, (len(numbers), *layout.pictures), np.uint8)
        write_shard(folder, shards[-1], layout, voxels, pictures)
    write_meta(folder, Meta(layout, tuple(shards)))
    return read_pairs(folder).split("train")


def measured(split: Split, order: Order, workers: int, cold: bool) -> tuple[float, int]:
    """Samples per second over the second epoch, and bytes by which this process grew in it at most."""
    epoch = order.per_epoch
    with Feed(split, order, workers) as feed:
        for n in range(epoch):
            feed.batch(n)
        if cold:
            forget(split.folder)
        before = most = resident()
        start = time.perf_counter()
        for n in range(epoch, 2 * epoch):
            feed.batch(n)
            most = max(most, resident())
        return epoch * min(order.size, order.count) / (time.perf_counter() - start), most - before


def resident() -> int:
    """Bytes of this process in memory; where the system does not say, the most there have been."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * resource.getpagesize()
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def forget(folder: Path) -> None:
    """Let the system's cache give up a folder's files."""
    for path in folder.glob("*.npy"):
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


if __name__ == "__main__":
    main()
