"""A batch in which a job is in every state; the results are those of a real run."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import invrender
from invrender.batch.folder import Batch, Standing, write_batch, write_job
from invrender.batch.jobs import Job
from invrender.io.meshes.write import write_mesh
from invrender.samples import SAMPLES

HOSTILE = '<script>alert("x")</script> & co'
DONE = Standing("done", attempts=1, exit_code=0, engine="local", host="here", seconds=2.5, processor=2.25,
                started="2026-01-01T10:00:00+00:00", ended="2026-01-01T10:00:02+00:00")  # fmt: skip
FAILED = Standing("failed", attempts=2, exit_code=3, cause="there is no file <b>x.glb</b>", remedy="check the path")

AT_WORK = Standing("running", attempts=1, host="elsewhere", pid=1)


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder as a real run leaves it."""
    place = tmp_path_factory.mktemp("real")
    write_mesh(place / "ball.ply", SAMPLES["sphere"]())
    invrender.reconstruct(
        place / "ball.ply", place / "run", method="silhouette", size=24, views=4, iterations=10, smoothness=1.0,
        hull_resolution=24, gif_frames=3,
    )  # fmt: skip
    return place / "run"


@pytest.fixture
def batch(run: Path, tmp_path: Path) -> Path:
    """A batch of a real run, a better one, one that failed, one at work and one that waits."""
    folder = tmp_path / "batch"
    standings = {"four": DONE, "eight": DONE, HOSTILE: FAILED, "busy": AT_WORK, "late": Standing()}
    jobs = tuple(
        Job(name, {"input": "ball.ply", "views": views, "size": 24}, base=str(tmp_path))
        for name, views in zip(standings, (4, 8, 12, 16, 32), strict=True)
    )
    made = Batch(folder, str(tmp_path / "jobs.toml"), jobs, {"on": "local"})
    for job in jobs[:2]:
        shutil.copytree(run, made.place(job))
    change(made.place(jobs[1]) / "metrics.json", iou=0.99, chamfer=0.001)
    for job in jobs[:4]:
        write_job(made.place(job), job, standings[job.name])
    write_batch(made, list(standings.values()))
    return folder


def change(path: Path, **values: Any) -> None:
    path.write_text(json.dumps({**json.loads(path.read_text()), **values}))


def folder_of(batch: Path, name: str) -> Path:
    return next(path for path in batch.iterdir() if path.is_dir() and path.name.startswith(name))
