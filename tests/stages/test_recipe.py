"""What recipes refuse, and how scenes and meshes are split."""

from __future__ import annotations

from dataclasses import replace

import pytest

from invrender.errors import MemoryLimitError, UsageError
from invrender.nouns.stage import Stage
from invrender.samples import SAMPLES
from invrender.stages.make import check_memory
from invrender.stages.pool import pool_of
from invrender.stages.recipe import Recipe, check, shards, split_of, splits


def test_shares_become_counts_of_at_least_one():
    assert splits((0.84, 0.04, 0.12), 100, "scenes") == (84, 4, 12)
    assert splits((0.84, 0.04, 0.12), 6, "scenes") == (4, 1, 1)
    assert splits((1.0, 0.0, 0.0), 1, "scenes") == (1, 0, 0)
    assert sum(splits((0.1, 0.45, 0.45), 3, "scenes")) == 3
    with pytest.raises(UsageError, match="2 scenes do not make 3 splits"):
        splits((0.8, 0.1, 0.1), 2, "scenes")
    for shares in [(0.5, 0.1, 0.1), (0.0, 0.5, 0.5), (1.2, -0.1, -0.1)]:
        with pytest.raises(UsageError, match="--split is"):
            splits(shares, 100, "scenes")


def test_every_scene_is_in_one_shard_of_its_split():
    recipe = Recipe(count=203, views=3, resolution=(16, 16, 16), size=(16, 16))
    found = shards(recipe)
    objects = [number for shard in found for number in shard.objects]
    assert objects == [number for number in range(203) for _ in range(3)]
    assert all(split_of(recipe, number) == shard.split for shard in found for number in shard.objects)
    assert len({shard.name for shard in found}) == len(found)


def test_no_mesh_is_in_two_splits():
    found = pool_of(Recipe(kind="samples"), None)
    names = [name for shapes in found.values() for name in shapes.names]
    assert sorted(names) == sorted(SAMPLES)
    assert [len(found[split]) for split in ("train", "validation", "test")] == [4, 1, 1]
    other = pool_of(Recipe(kind="samples", seed=1), None)
    assert [shapes.names for shapes in other.values()] != [shapes.names for shapes in found.values()]
    assert pool_of(Recipe(), None) == {}


@pytest.mark.parametrize(
    ("recipe", "says"),
    [
        (Recipe(resolution=(60, 64, 64)), "--resolution is 60 x 64 x 64"),
        (Recipe(resolution=(520, 520, 520)), "--resolution is"),
        (Recipe(size=(4, 4)), "--size is 4 x 4"),
        (Recipe(size=(64, 128)), "do not lie behind pictures of 128 x 64"),
        (Recipe(stage=Stage(light=(1.0, 0.0, 0.0))), "--light"),
        (Recipe(count=2), "2 scenes do not make 3 splits"),
    ],
)
def test_what_cannot_be_made_is_refused(recipe, says):
    with pytest.raises(UsageError, match=says):
        check(recipe)


def test_jobs_that_do_not_fit_in_memory_are_refused():
    with pytest.raises(MemoryLimitError, match="8 processes take"):
        check_memory(replace(Recipe(), resolution=(512, 512, 512)), 1, 8, available=2**33)
    check_memory(Recipe(), 32, 4, available=2**33)
