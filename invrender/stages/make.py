"""Data sets of made-up scenes: voxels of objects on a stage beside what its camera sees of them."""

from __future__ import annotations

import math
from contextlib import closing
from pathlib import Path

from invrender.errors import MemoryLimitError
from invrender.io.files.memory import SPARE, available_memory
from invrender.io.pairs.meta import SPLITS, Meta, write_meta
from invrender.io.pairs.shards import write_shard
from invrender.run.cores import cores
from invrender.stages.place import begin, finish, missing
from invrender.stages.pool import pool_of
from invrender.stages.recipe import Recipe, check, shards
from invrender.stages.work import Job, LoadBackend, Watch, made

PROGRAM = 600 * 2**20  # bytes of a process before it makes anything
PER_VOXEL, PER_PIXEL = 60, 400  # bytes at work on a scene


def make(
    recipe: Recipe,
    folder: Path,
    load: LoadBackend,
    *,
    source: Path | None = None,
    processes: int | None = None,
    overwrite: bool = False,
    watch: Watch | None = None,
) -> Meta:
    """Make a data set, or go on with one that was begun by the same recipe.

    Scene n depends on the recipe and on n alone: files are equal byte by byte, however many processes made them, and
    however often that was interrupted.

    Args:
        recipe: what to make.
        folder: where to.
        load: gives the backend that draws; other processes import it by name.
        source: folder of the meshes of kind "meshes".
        processes: how many work at once; None: one for each core.
        overwrite: whether an earlier data set is replaced.
        watch: is told how far the work is, and may end it.

    Raises:
        UsageError: the recipe makes no sense, or the folder cannot be written to, or is full.
        OutputExistsError: the folder holds something else; see `place.check_place`.
        InputError: a mesh cannot be read any more.
        MemoryLimitError: the job does not fit in memory.
        BaseException: what `watch.check` raises; the shards that are written stay.
    """
    check(recipe)
    every, layout = shards(recipe), recipe.layout
    count = min(processes or cores(), len(every))
    check_memory(recipe, max(len(shard.objects) for shard in every), count)
    pool = pool_of(recipe, source)
    begin(folder, recipe.table(), overwrite)
    left = missing(folder, every, layout)
    number = recipe.count - sum(len(shard.objects) for shard in left) // recipe.views
    watch = watch or Watch()
    watch.start(recipe.count, number)

    def done(scenes: int) -> None:
        nonlocal number
        number += scenes
        watch.step(number)

    with closing(made(Job(recipe, pool, load), left, count, done, watch.check)) as finished:  # ends processes at once
        for shard, voxels, pictures in finished:
            write_shard(folder, shard, layout, voxels, pictures)
    watch.check()
    chosen = {split: list(pool[split].names) for split in SPLITS if split in pool}
    meta = Meta(layout, every, recipe.stage, {**recipe.table(), **({"meshes_by_split": chosen} if chosen else {})})
    write_meta(folder, meta)
    finish(folder)
    return meta


def check_memory(recipe: Recipe, samples: int, processes: int, available: int | None = None) -> None:
    """Refuse a job that needs more than this machine has free.

    Args:
        recipe: what is made.
        samples: of the largest shard.
        processes: that work at once.
        available: bytes; measured if None.

    Raises:
        MemoryLimitError: naming what helps.
    """
    room = available_memory() if available is None else available
    if room is None:
        return
    voxels, pixels = math.prod(recipe.layout.voxels), math.prod(recipe.layout.pictures)
    shard = 3 * samples * (2 * voxels + pixels)
    scene = PER_VOXEL * math.prod(recipe.resolution) + PER_PIXEL * math.prod(recipe.size)
    needed = processes * (PROGRAM * (processes > 1) + shard + scene)
    if needed > SPARE * room:
        raise MemoryLimitError(
            f"{processes} processes take {needed / 2**30:.1f} GiB of memory, and {room / 2**30:.1f} are free",
            "give fewer --processes, a smaller --resolution or a smaller --size",
        )
