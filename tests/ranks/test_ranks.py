"""One run over two processes: what it gives, and what becomes of it when one of them dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import trimesh

from tests.ranks.jobs import JOBS, run

HERE = Path(__file__).parent
WITHIN = 1e-5  # of the greatest density, or of the size of the object
SECONDS = 30.0  # in which all have ended


def start(arguments: Sequence[str | Path], count: int = 2) -> list[subprocess.Popen[str]]:
    """The ranks of a run, without torchrun: any launcher that sets these variables will do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    there = {"WORLD_SIZE": str(count), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    return [
        subprocess.Popen(
            [sys.executable, *map(str, arguments)], env={**os.environ, **there, "RANK": str(rank)},
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for rank in range(count)
    ]  # fmt: skip


def ended(ranks: Sequence[subprocess.Popen[str]], seconds: float = 600) -> list[tuple[int, str]]:
    """Exit codes and what was said."""
    limit = time.monotonic() + seconds
    try:
        said = [rank.communicate(timeout=limit - time.monotonic())[0] for rank in ranks]
    finally:
        for rank in ranks:
            rank.kill()
    return [(rank.returncode, text) for rank, text in zip(ranks, said, strict=True)]


def blob(folder: Path) -> None:
    """A volume of odd sizes, which no number of processes divides."""
    z, y, x = np.meshgrid(*(np.linspace(-1, 1, n) for n in (13, 14, 15)), indexing="ij")
    values = np.clip(1.2 - 1.6 * np.sqrt(x**2 + (1.2 * y) ** 2 + (z - 0.1) ** 2), 0, None) * (1 + 0.5 * np.sin(5 * x))
    np.savez(folder / "blob.npz", density=values.astype(np.float32))


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of all jobs, done by two processes."""
    folder = tmp_path_factory.mktemp("two")
    blob(folder)
    for code, said in ended(start([HERE / "jobs.py", folder, *JOBS])):
        assert code == 0, said
    return folder


def command(folder: Path) -> list[str | Path]:
    """The job `long`, as a command."""
    given = JOBS["long"]
    return [
        "-m", "invrender", "reconstruct", folder / given["input"], "-o", folder / "long", "--backend", "cpu",
        *(f"--{name}={given[name]}" for name in ("method", "views", "size", "iterations")), "--set", "gif_frames=0",
    ]  # fmt: skip


def under_way(folder: Path) -> list[subprocess.Popen[str]]:
    """The job `long`, after some steps."""
    blob(folder)
    ranks = start(command(folder))
    losses = folder / "long" / "losses.csv"
    while not losses.exists() or losses.read_text().count("\n") < 20:
        assert all(rank.poll() is None for rank in ranks), ended(ranks)
        time.sleep(0.01)
    return ranks


@pytest.mark.parametrize("name", [name for name in JOBS if name != "long"])
def test_two_processes_find_what_one_does(name: str, two: Path, tmp_path: Path) -> None:
    blob(tmp_path)
    run(name, tmp_path)
    if (tmp_path / name / "mesh.ply").exists():
        one, other = (trimesh.load(folder / name / "mesh.ply", process=False) for folder in (tmp_path, two))
        assert np.array_equal(one.faces, other.faces)
        assert np.abs(one.vertices - other.vertices).max() <= WITHIN * np.ptp(one.vertices, 0).max()
    else:
        values, found = (np.load(folder / name / "volume.npz")["density"] for folder in (tmp_path, two))
        assert np.abs(values - found).max() <= WITHIN * np.abs(values).max()
        assert values.max() > 0


def test_a_run_of_which_a_process_is_killed_goes_on(two: Path, tmp_path: Path) -> None:
    ranks = under_way(tmp_path)
    ranks[1].kill()
    (code, said), _ = ended(ranks, SECONDS)
    assert code == 75, said
    assert "another process of this run has ended" in said
    assert json.loads((tmp_path / "long" / "run.json").read_text())["status"] == "interrupted"
    again = ended(start(command(tmp_path)))
    assert [code for code, _ in again] == [0, 0], again
    assert "going on after step" in again[0][1]
    assert again[1][1] == "", "the leader alone tells"
    found, undisturbed = (np.load(folder / "long" / "volume.npz")["density"] for folder in (tmp_path, two))
    assert np.array_equal(found, undisturbed)


def test_a_process_that_hangs_ends_the_others(tmp_path: Path) -> None:
    runs = []
    for hangs in (0, 1):
        folder = tmp_path / str(hangs)
        folder.mkdir()
        runs.append(under_way(folder))
        runs[-1][hangs].send_signal(signal.SIGSTOP)
    begin = time.monotonic()
    codes = [runs[hangs][1 - hangs].wait(SECONDS) for hangs in (0, 1)]
    assert time.monotonic() - begin < SECONDS
    for ranks in runs:
        for rank in ranks:
            rank.kill()
            rank.communicate()
    assert codes == [75, 75]
    assert json.loads((tmp_path / "1" / "long" / "run.json").read_text())["status"] == "interrupted"


def test_mistakes_are_told_once(tmp_path: Path) -> None:
    (code, said), (_, other) = ended(
        start(["-m", "invrender", "reconstruct", tmp_path / "none.ply", "--backend", "cpu"])
    )
    assert code == 3
    assert "none.ply" in said
    assert other == ""
