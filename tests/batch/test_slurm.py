"""Slurm by submitit: arrays as `sbatch` sees them, and a job that is pre-empted in the midst of its run."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest

from invrender.batch import slurm
from invrender.batch.engines import Wishes, opened, submit_all
from invrender.batch.folder import standing_of
from invrender.batch.work import Order
from invrender.errors import BackendError, RetryError, UsageError
from tests.batch.made import check_done_once, in_loop, made_batch, rows, until
from tests.conftest import cli_environment

pytest.importorskip("submitit", reason="submitit is not installed")
pytestmark = pytest.mark.skipif(os.name == "nt", reason="submitit and Slurm are for Linux")

STEPS = 700


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs that stand in for Slurm's: they write down how they were called."""
    folder = tmp_path / "programs"
    folder.mkdir()
    said = {"sbatch": "Submitted batch job 42", "srun": "", "scancel": "", "squeue": "42_0\n42_1\n42_2"}
    for name, text in said.items():
        path = folder / name
        path.write_text(
            f'#!/bin/sh\necho {name} "$@" >> {folder}/called\n'
            f'[ {name} = sbatch ] && cat "$1" >> {folder}/script\necho "{text}"\n'
        )
        path.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def test_jobs_become_one_array(programs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wishes = Wishes("slurm", workers=2, threads=3, limit=3600, options={"slurm_partition": "gpu", "mem_gb": "8"})
    engine = opened(wishes, tmp_path / "batch")
    assert engine.slots is None and engine.lasting
    tickets = submit_all(engine, [Order(f"/batch/{name}", "slurm") for name in "abc"])
    lines = (programs / "script").read_text().splitlines()
    for line in (
        "array=0-2%2", "cpus-per-task=3", "time=63", "partition=gpu", "mem=8GB", "requeue", "signal=USR2@120",
    ):  # fmt: skip
        assert f"#SBATCH --{line}" in lines
    assert any("--cpus-per-task=3" in line and "submitit.core._submit" in line for line in lines)
    assert len(tickets) == 3 and not any(ticket.done() for ticket in tickets)
    assert "squeue" in (programs / "called").read_text()
    (programs / "squeue").write_text("#!/bin/sh\necho 42_0\n")
    monkeypatch.setattr(slurm, "LOOK", 0.0)
    monkeypatch.setattr(slurm, "SLOW", -1.0)
    assert [ticket.done() for ticket in tickets] == [False, True, True]
    with pytest.raises(RetryError, match="42_2 of Slurm ended before its work did"):
        tickets[2].result()
    (programs / "squeue").write_text("#!/bin/sh\nexit 1\n")  # Slurm does not answer: that says nothing
    assert not tickets[0].done()
    tickets[1].cancel()
    engine.close(abandon=True)
    called = (programs / "called").read_text()
    assert [line for line in called.splitlines() if "scancel" in line] == ["scancel --state=PENDING 42_1"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"partition": "gpu"}, "slurm_partition"),
        ({"slurm_partion": "gpu"}, "slurm_partition"),
        ({"mem_gb": "much"}, "mem_gb"),
        ({"zzz": "1"}, "timeout_min"),
    ],
)
def test_wrong_parameters_are_named(options: dict[str, str], said: str, programs: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        opened(Wishes("slurm", options=options), tmp_path)


def test_without_slurm_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendError, match="no sbatch") as caught:
        opened(Wishes("slurm"), tmp_path)
    assert "login node" in caught.value.remedy
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(BackendError, match="submitit") as caught:
        opened(Wishes("slurm"), tmp_path)
    assert "invrender[cluster]" in caught.value.remedy


def test_what_slurm_refuses_is_told(programs: Path, tmp_path: Path) -> None:
    (programs / "sbatch").write_text("#!/bin/sh\necho 'sbatch: error: invalid partition specified' >&2\nexit 1\n")
    engine = opened(Wishes("slurm"), tmp_path)
    with pytest.raises(BackendError, match="invalid partition"):
        submit_all(engine, [Order("/batch/a"), Order("/batch/b")])


@pytest.mark.parametrize("on", ["slrm", "dask", "slurm:remote", "locl", "kubernetes"])
def test_unknown_engines_are_named(on: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no engine named") as caught:
        opened(Wishes(on), tmp_path)
    assert "--on" in caught.value.remedy


def test_a_stopped_and_then_pre_empted_job_goes_on_and_is_done_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in cli_environment().items():
        monkeypatch.setenv(name, value)
    batch = made_batch(tmp_path / "batch", ["ball"], STEPS)
    place = batch.place(batch.jobs[0])
    order, wishes = Order(str(place), "slurm", threads=1), Wishes("slurm:local", workers=1, threads=1)

    engine = opened(wishes, batch.folder)
    ticket = engine.submit(order)
    until(lambda: in_loop(place))
    engine.close(abandon=True)
    stopped = standing_of(place)
    assert stopped.state == "waiting" and stopped.exit_code == 75 and "SIGTERM" in stopped.cause
    assert json.loads((place / "run.json").read_text())["status"] == "interrupted"
    with pytest.raises(RetryError, match="ended before its work did"):
        ticket.result()
    done = rows(place)
    assert 5 < done < STEPS

    engine = opened(wishes, batch.folder)
    (ticket,) = submit_all(engine, [order])
    first = until(lambda: in_loop(place, done))
    os.kill(first, signal.SIGUSR2)  # what Slurm sends; submitit's own `_interrupt` only reaches the controller
    second = until(lambda: (pid := in_loop(place)) != first and pid)
    assert not ticket.done() and rows(place) < STEPS
    told = until(lambda: ticket.done() and ticket.result())
    assert told["outcome"] == "done" and told["pid"] == second
    standing = check_done_once(place, STEPS, resumed=2)
    assert standing.attempts == 3
    assert engine.submit(order).result()["outcome"] == "done"
    assert check_done_once(place, STEPS, resumed=2) == standing
    engine.close(abandon=False)
