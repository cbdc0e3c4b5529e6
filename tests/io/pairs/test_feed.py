"""Which samples a batch has depends on seed and number alone, whoever reads it."""

from __future__ import annotations

import multiprocessing
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from invrender.errors import InputError
from invrender.io.pairs.dataset import Batch, read_pairs
from invrender.io.pairs.feed import Feed, Order
from invrender.io.pairs.meta import Layout, Meta, Shard, write_meta
from invrender.io.pairs.shards import write_shard
from tests.conftest import cli_environment


def numbered(folder: Path, count: int = 10, size: int = 4, per_shard: int = 4) -> Path:
    """A data set of training samples whose values are all their number."""
    layout = Layout((1, size, size, size), (size, size, 1))
    folder.mkdir()
    shards = []
    for first in range(0, count, per_shard):
        numbers = tuple(range(first, min(first + per_shard, count)))
        shards.append(Shard("train", f"train-{len(shards):04d}", numbers))
        values = (np.array(numbers) % 256).astype(np.uint8)[:, None, None, None]
        voxels = np.broadcast_to(values[:, None], (len(numbers), *layout.voxels))
        write_shard(folder, shards[-1], layout, voxels, np.broadcast_to(values, (len(numbers), *layout.pictures)))
    write_meta(folder, Meta(layout, tuple(shards)))
    return folder


def numbers(batch: Batch) -> list[int]:
    assert (batch.voxels.flatten(1) == batch.voxels.flatten(1)[:, :1]).all()
    assert batch.voxels.flatten(1)[:, 0].tolist() == batch.pictures.flatten(1)[:, 0].tolist()
    return [int(n) for n in batch.voxels.flatten(1)[:, 0]]


def test_an_epoch_has_every_sample_once_and_the_next_another_order() -> None:
    order = Order(12, 4, 7)
    epochs = [[i for n in range(3 * e, 3 * e + 3) for i in order.indices(n)] for e in range(3)]
    assert [sorted(epoch) for epoch in epochs] == [list(range(12))] * 3
    assert epochs[0] != epochs[1] != epochs[2]


def test_what_is_left_of_an_epoch_is_dropped_and_small_sets_are_one_batch() -> None:
    order = Order(11, 4, 0)
    assert [len(order.indices(n)) for n in range(6)] == [4] * 6
    assert len(set(order.indices(0) + order.indices(1))) == 8
    assert [sorted(Order(3, 8, 0).indices(n)) for n in range(2)] == [[0, 1, 2]] * 2


def test_an_order_is_a_function_of_seed_and_number() -> None:
    late = Order(100, 8, 3).indices(1000)
    for n in range(20):  # what was asked before has no part in it
        Order(100, 8, 3).indices(n)
    assert Order(100, 8, 3).indices(1000) == late != Order(100, 8, 4).indices(1000)


def test_processes_that_read_ahead_give_the_same_batches(tmp_path: Path) -> None:
    split = read_pairs(numbered(tmp_path / "set")).split("train")
    order = Order(len(split), 3, 5)
    plain = Feed(split, order)
    with Feed(split, order, workers=1) as ahead:
        for n in (0, 1, 2, 40):
            assert numbers(plain.batch(n)) == numbers(ahead.batch(n)) == order.indices(n)
    assert multiprocessing.active_children() == []


def test_a_shard_that_has_gone_is_the_same_error_from_both(tmp_path: Path) -> None:
    split = read_pairs(numbered(tmp_path / "set")).split("train")
    (tmp_path / "set" / "train-0001.voxels.npy").unlink()
    causes = []
    for workers in (0, 1):
        with Feed(split, Order(10, 10, 0), workers) as feed, pytest.raises(InputError) as caught:
            feed.batch(0)
        causes.append((caught.value.cause, caught.value.remedy))
    assert causes[0] == causes[1]
    assert "train-0001.voxels.npy" in causes[0][0]


EPOCH = """
import resource, sys
from pathlib import Path
from invrender.io.pairs.dataset import read_pairs
from invrender.io.pairs.feed import Feed, Order
split = read_pairs(Path(sys.argv[1])).split("train")
def resident(): return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
order = Order(len(split), 8, 0)
with Feed(split, order) as feed:
    for n in range(2): feed.batch(n)
    before = most = resident()
    for n in range(order.per_epoch):
        feed.batch(n)
        most = max(most, resident())
print(most - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
def test_memory_stays_flat_over_an_epoch(tmp_path: Path) -> None:
    size, count = 32, 512
    folder = numbered(tmp_path / "set", count, size, 128)
    call = [sys.executable, "-c", EPOCH, str(folder)]
    done = subprocess.run(call, env=cli_environment(), capture_output=True, text=True, check=True)
    assert int(done.stdout) < count * size**3 / 4  # bytes: a shard of four
