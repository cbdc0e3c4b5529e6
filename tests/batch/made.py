"""Tiny batches: jobs that take seconds, and ways to look at them while others are at work."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import trimesh

from invrender.batch.folder import Batch, Standing, read_job, standing_of, write_batch, write_job
from invrender.batch.jobs import Job
from invrender.run.place import LOSSES, RECORD

TINY = {"views": 4, "size": 24, "gif_frames": 0, "backend": "cpu", "save_every": 0.2}


def made_batch(folder: Path, names: Sequence[str], iterations: int = 10) -> Batch:
    """A batch whose jobs wait, on the disk as the runner leaves it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    ball = folder.parent / "ball.ply"
    trimesh.creation.icosphere(subdivisions=2).export(ball)
    jobs = tuple(
        Job(name, {"input": str(ball), "iterations": iterations, "seed": seed, **TINY}, base=str(folder.parent))
        for seed, name in enumerate(names)
    )
    batch = Batch(folder.resolve(), str(folder.parent / "jobs.jsonl"), jobs, {"retries": 2})
    for job in jobs:
        batch.place(job).mkdir(parents=True)
        write_job(batch.place(job), job, Standing())
    write_batch(batch, [Standing()] * len(jobs))
    return batch


def until(true: Callable[[], Any], seconds: float = 600) -> Any:
    """Wait for something to become true, and return it."""
    end = time.monotonic() + seconds
    while not (found := true()):
        assert time.monotonic() < end, "that did not happen"
        time.sleep(0.02)
    return found


def in_loop(folder: Path, steps: int = 5) -> int:
    """The process that is at work on a job and some steps into its loop; 0: none is."""
    entry = read_job(folder)
    return entry.standing.pid if entry and entry.standing.state == "running" and rows(folder) > steps else 0


def rows(folder: Path) -> int:
    """Steps in losses.csv."""
    try:
        return len((folder / LOSSES).read_text().splitlines()) - 1
    except OSError:
        return 0


def check_done_once(folder: Path, iterations: int, resumed: int) -> Standing:
    """A job is done, every step of it was counted once, and it went on so often from a checkpoint."""
    standing = standing_of(folder)
    assert standing.state == "done", standing
    record = json.loads((folder / RECORD).read_text())
    assert record["status"] == "finished"
    assert len(record["resumed"]) == resumed
    steps = [int(line.split(",")[0]) for line in (folder / LOSSES).read_text().splitlines()[1:]]
    assert steps == list(range(iterations))
    return standing
