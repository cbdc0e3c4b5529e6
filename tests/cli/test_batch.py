"""`invrender batch` through the real command line: whole batches, killed and gone on with, cancelled and retried."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import invrender
from invrender.batch.folder import Batch, Entry, read_batch, standing_of, write_batch, write_job
from invrender.batch.jobs import Job
from invrender.batch.work import Order, work
from invrender.cli.app import run
from invrender.io.files import atomic
from invrender.io.files.processes import exists
from tests.conftest import cli_environment

MUG = Path(__file__).parents[2] / "data" / "mug.glb"
TINY = {"views": 6, "size": 32, "iterations": 9, "smoothness": 1.0, "gif_frames": 0}
LONG = {**TINY, "iterations": 20_000, "save_every": 0.5}  # minutes, if nobody stops it


def jobs_file(folder: Path, *tables: dict[str, Any]) -> Path:
    path = folder / "jobs.jsonl"
    path.write_text("\n".join(json.dumps({"input": str(MUG), **table}) for table in tables))
    return path


def told(folder: Path, kind: str) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    return [event for event in events if event["event"] == kind]


def entries(folder: Path) -> dict[str, Entry]:
    return {entry.job.name: entry for entry in read_batch(folder).entries()}


@contextmanager
def runner(*arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """A runner as a process of its own, which is gone after the block, with its workers."""
    process = subprocess.Popen(
        [sys.executable, "-m", "invrender", "batch", *map(str, arguments)], env=cli_environment(),
        stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def until(condition: Callable[[], Any], seconds: float = 120.0) -> Any:
    """Wait until something is so, and return it."""
    begin = time.monotonic()
    while time.monotonic() - begin < seconds:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError("it never came to that")


# --- whole batches ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def batch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a batch of three jobs, one of which fails by its gate; a single worker ran them all."""
    folder = tmp_path_factory.mktemp("batch")
    file = jobs_file(folder, TINY, {**TINY, "seed": 1}, {**TINY, "name": "bad", "fail_if": ["iou<2"]})
    assert run(["batch", str(file), "-o", str(folder / "out"), "--workers", "1", "-q"]) == 9
    return folder


def test_every_job_has_a_folder_with_its_run_and_its_state(batch: Path) -> None:
    found = entries(batch / "out")
    assert {name: entry.standing.state for name, entry in found.items()} == {
        "mug,seed=1": "done", "mug": "done", "bad": "failed",
    }  # fmt: skip
    for entry in found.values():
        assert (entry.folder / "mesh.glb").exists() and len(told(entry.folder, "finished")) == 1
        assert json.loads((entry.folder / "run.json").read_text())["status"] == "finished"
    bad = found["bad"].standing
    assert bad.exit_code == 8 and "iou<2" in bad.cause
    assert len({entry.standing.pid for entry in found.values()}) == 1, "the worker stayed between the jobs"
    table = json.loads((batch / "out" / "batch.json").read_text())
    assert table["counts"] == {"done": 2, "failed": 1} and table["options"]["workers"] == 1


def test_a_job_comes_out_as_the_same_run_by_itself(batch: Path, tmp_path: Path) -> None:
    invrender.reconstruct(MUG, tmp_path / "run", **TINY, seed=1)
    entry = entries(batch / "out")["mug,seed=1"]  # the second job of its worker
    assert (entry.folder / "mesh.ply").read_bytes() == (tmp_path / "run" / "mesh.ply").read_bytes()


def test_the_same_command_again_skips_what_is_done(batch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = {name: entry.standing for name, entry in entries(batch / "out").items()}
    assert run(["batch", str(batch / "jobs.jsonl"), "-o", str(batch / "out"), "--workers", "1"]) == 9
    assert {name: entry.standing for name, entry in entries(batch / "out").items()} == before
    assert "1 of 3 jobs failed: bad" in capsys.readouterr().err


def test_status_tells_people_and_programs(batch: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["batch", "status", str(batch / "out")]) == 0
    shown = capsys.readouterr().out
    assert "3 jobs: 2 done, 1 failed; nobody runs it" in shown and "iou<2" in shown
    assert run(["batch", "status", str(batch / "out"), "bad", "--json"]) == 0
    table = json.loads(capsys.readouterr().out)
    assert table["counts"] == {"failed": 1} and table["jobs"][0]["exit_code"] == 8
    assert run(["batch", "status", str(batch)]) == 3
    assert run(["batch", "status", str(batch / "out"), "bda"]) == 2


def test_a_gate_that_was_moved_is_asked_again_without_another_run(batch: Path, tmp_path: Path) -> None:
    job = entries(batch / "out")["bad"]
    one = Batch(tmp_path, "jobs.jsonl", (Job("bad", job.job.settings, fail_if=("iou<.1",), base=job.job.base),), {})
    assert job.folder.name == one.jobs[0].key
    job.folder.rename(one.place(one.jobs[0]))
    write_job(one.place(one.jobs[0]), one.jobs[0], standing_of(tmp_path / "none"))
    before = (one.place(one.jobs[0]) / "run.json").read_bytes()
    write_batch(one, [standing_of(tmp_path / "none")])
    assert run(["batch", "run", str(tmp_path), "--index", "0", "-q"]) == 0
    assert (one.place(one.jobs[0]) / "run.json").read_bytes() == before
    one.place(one.jobs[0]).rename(job.folder)


def test_jobs_are_added_to_a_file_and_others_leave_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seeds in ((0, 1), (1, 2)):
        file = jobs_file(tmp_path, *({"name": f"s{seed}", **TINY, "iterations": 0, "seed": seed} for seed in seeds))
        assert run(["batch", str(file), "-o", str(tmp_path / "out"), "--workers", "1"]) == 0
    assert "no longer in the file, and left as they are: s0" in capsys.readouterr().err
    assert sorted(entries(tmp_path / "out")) == ["s1", "s2"]
    assert sum(path.is_dir() for path in (tmp_path / "out").iterdir()) == 3
    assert len(told(entries(tmp_path / "out")["s1"].folder, "started")) == 1


def test_a_folder_of_another_batch_or_of_other_things_is_left_alone(
    batch: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (batch / "out" / "batch.json").read_bytes()
    other = jobs_file(tmp_path, {**TINY, "seed": 99})
    assert run(["batch", str(other), "-o", str(batch / "out")]) == 6
    assert "another batch" in capsys.readouterr().err and (batch / "out" / "batch.json").read_bytes() == before
    assert run(["batch", str(other), "-o", str(tmp_path)]) == 6
    assert "no folder of a batch" in capsys.readouterr().err


# --- runners and workers that are killed ------------------------------------------------------------------------------


def test_a_killed_runner_loses_nothing_and_a_second_one_leaves_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, out = jobs_file(tmp_path, {**TINY, "name": "long", "iterations": 300, "save_every": 0}), tmp_path / "out"
    with runner(file, "-o", out, "--workers", "1") as first:
        until((out / "batch.json").exists)
        folder = entries(out)["long"].folder
        until(lambda: list(folder.glob("checkpoints/step_0000[1-9]*.npz")))
        assert run(["batch", str(file), "-o", str(out)]) == 6
        assert f"process {first.pid} on" in (said := capsys.readouterr().err) and "batch status" in said
        first.send_signal(signal.SIGKILL)
        first.wait()
        worker = standing_of(folder).pid
        until(lambda: not exists(worker))
    assert standing_of(folder).state == "waiting", "the worker saved what it was at, and said so"
    assert run(["batch", str(file), "-o", str(out), "--workers", "1", "-q"]) == 0
    standing = standing_of(folder)
    assert standing.state == "done" and standing.attempts == 2 and standing.passing == 0
    started = told(folder, "started")
    assert started[0]["after"] is None and started[1]["after"] >= 10
    invrender.reconstruct(MUG, tmp_path / "run", **{**TINY, "iterations": 300, "save_every": 0})
    assert (folder / "mesh.ply").read_bytes() == (tmp_path / "run" / "mesh.ply").read_bytes()


def test_a_worker_that_is_killed_costs_one_go_and_no_other_job(tmp_path: Path) -> None:
    file, out = jobs_file(tmp_path, {**LONG, "name": "a"}, {**LONG, "name": "b"}), tmp_path / "out"
    with runner(file, "-o", out, "--workers", "2", "--threads", "1") as process:
        until((out / "batch.json").exists)
        folders = {name: entry.folder for name, entry in entries(out).items()}
        until(lambda: all(list(folder.glob("checkpoints/step_*.npz")) for folder in folders.values()))
        pids = {name: standing_of(folder).pid for name, folder in folders.items()}
        os.kill(pids["a"], signal.SIGKILL)
        until(lambda: standing_of(folders["a"]).attempts == 2 and len(told(folders["a"], "started")) == 2)
        assert standing_of(folders["b"]).pid == pids["b"] and standing_of(folders["b"]).attempts == 1
        assert standing_of(folders["a"]).passing == 1 and told(folders["a"], "started")[1]["after"] > 0
        assert run(["batch", "cancel", str(out), "-q"]) == 0
        assert process.wait(timeout=120) == 130
    assert {standing_of(folder).state for folder in folders.values()} == {"cancelled"}
    assert all(list(folder.glob("checkpoints/step_*.npz")) for folder in folders.values())


def test_a_job_that_takes_too_long_is_stopped_and_goes_on_where_it_was(tmp_path: Path) -> None:
    write_job(tmp_path, Job("long", {"input": str(MUG), **LONG}), standing_of(tmp_path))
    for _ in range(2):
        ended = work(Order(str(tmp_path), limit=3.0))
        assert (ended["outcome"], ended["exit_code"]) == ("again", 75) and "longer than 3 s" in ended["cause"]
    assert standing_of(tmp_path).state == "waiting" and standing_of(tmp_path).attempts == 2
    first, second = (event["after"] for event in told(tmp_path, "started"))
    assert first is None and second > 0


# --- single jobs, scripts ---------------------------------------------------------------------------------------------


def test_one_job_runs_here_and_is_skipped_when_it_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    jobs = (Job("a", {"input": str(MUG), **TINY}), Job("b", {"input": str(MUG), **TINY, "device": "cuda:77"}))
    write_batch(Batch(tmp_path, "jobs.jsonl", jobs, {}), [standing_of(tmp_path)] * 2)
    assert run(["batch", "run", str(tmp_path), "--index", "0"]) == 0
    assert "a: done" in capsys.readouterr().err
    assert run(["batch", "run", str(tmp_path), "--job", "a", "-q"]) == 0
    assert entries(tmp_path)["a"].standing.attempts == 1
    assert run(["batch", "run", str(tmp_path), "--job", "b"]) == 4
    assert "b: failed torch can use no CUDA device here" in capsys.readouterr().err
    for wrong in (["--index", "2"], [], ["--index", "0", "--job", "a"]):
        assert run(["batch", "run", str(tmp_path), *wrong]) == 2


def test_a_full_disk_pauses_a_job_instead_of_failing_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("a", {"input": str(MUG), **TINY})
    write_job(tmp_path, job, standing_of(tmp_path))

    def full(*_: Any, **__: Any) -> Any:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic.os, "fsync", full)
        ended = work(Order(str(tmp_path)))
    assert ended["outcome"] == "paused" and "No space left" in ended["cause"] and ended["passing"] == 0
    assert work(Order(str(tmp_path)))["outcome"] == "done"
    assert standing_of(tmp_path).state == "done"


def test_a_bug_in_a_run_fails_its_job_and_keeps_the_trace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    job = Job("a", {"input": str(MUG), **TINY})
    write_job(tmp_path, job, standing_of(tmp_path))

    def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr("invrender.run.execute.load", broken)
    ended = work(Order(str(tmp_path)))
    assert (ended["outcome"], ended["exit_code"], ended["cause"]) == ("failed", 1, "ZeroDivisionError: a bug")
    assert "Traceback" in (tmp_path / "output.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--time-limit", "soon"], "90s, 30m, 2h"),
        (["--on", "moon"], "no engine named moon"),
        (["--emit", "bash"], "slurm, k8s, make"),
        (["--engine", "mem"], "key=value"),
        (["--set", "views"], "key=value"),
        (["--set", "vews=6"], "did you mean views?"),
        (["--workers", "0"], "--workers"),
    ],
)
def test_options_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    file = jobs_file(tmp_path, TINY)
    assert run(["batch", str(file), "-o", str(tmp_path / "out"), *arguments]) == 2
    assert said in capsys.readouterr().err


def test_settings_of_the_call_hold_for_jobs_that_say_nothing_else(tmp_path: Path) -> None:
    file = jobs_file(tmp_path, {"name": "a", "views": 5}, {"name": "b"})
    call = ["batch", str(file), "-o", str(tmp_path / "out"), "--emit", "make", "--set", "views=7", "--set", "size=32"]
    assert run(call) == 0
    assert {name: entry.job.settings["views"] for name, entry in entries(tmp_path / "out").items()} == {
        "a": 5,
        "b": "7",
    }


def test_a_job_that_cannot_go_on_from_what_lies_there_starts_over_when_it_is_asked_for_again(tmp_path: Path) -> None:
    job = Job("a", {"input": str(MUG), **LONG})
    write_job(tmp_path, job, standing_of(tmp_path))
    assert work(Order(str(tmp_path), limit=2.0))["outcome"] == "again"
    (tmp_path / "config.toml").write_text((tmp_path / "config.toml").read_text().replace("size = 32", "size = 33"))
    write_job(tmp_path, Job("a", {"input": str(MUG), **TINY}), standing_of(tmp_path))
    ended = work(Order(str(tmp_path)))
    assert (ended["outcome"], ended["exit_code"]) == ("failed", 7)
    assert work(Order(str(tmp_path)))["outcome"] == "done"


def test_a_folder_that_cannot_be_written_to_fails_its_job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_job(tmp_path, Job("a", {"input": str(MUG), **TINY}), standing_of(tmp_path))

    def closed(*_: Any, **__: Any) -> Any:
        raise PermissionError(13, "Permission denied", str(tmp_path))

    monkeypatch.setattr("invrender.batch.claim.write_job", closed)
    assert work(Order(str(tmp_path)))["outcome"] == "failed", "trying again and again would change nothing"


def test_options_may_come_before_the_file_and_commands_are_suggested(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["batch", "-o", "runs", str(tmp_path / "none.toml")]) == 3  # `runs` is no slip of `run`
    assert "none.toml" in capsys.readouterr().err
    assert run(["batch", "statu", "runs"]) == 2
    assert "did you mean status?" in capsys.readouterr().err
    assert run(["batch"]) == 0 and "collect" in capsys.readouterr().out
