"""Claims: one process works on a job at a time, and what is dead is told from what lives without comparing clocks."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from invrender.batch.claim import claim, watched
from invrender.batch.folder import BEAT, CANCEL, Entry, Standing, read_job, standing_of, write_job
from invrender.batch.jobs import Job
from invrender.errors import RetryError
from invrender.io.files.processes import began
from invrender.run import stop

JOB = Job("a", {"input": "a.glb"})


def held(folder: Path, host: str = "", pid: int = 0, began_: str = "") -> Path:
    """A job at which a process works, or worked."""
    standing = Standing("running", attempts=1, host=host or socket.gethostname(), pid=pid, began=began_)
    write_job(folder, JOB, standing)
    return folder


def test_a_free_job_becomes_ones_own(tmp_path: Path) -> None:
    write_job(tmp_path, JOB, Standing())
    entry = claim(tmp_path, "local")
    assert isinstance(entry, Entry) and entry == read_job(tmp_path)
    standing = entry.standing
    assert (standing.state, standing.attempts, standing.pid) == ("running", 1, os.getpid())
    assert claim(tmp_path, "local") != "busy", "an attempt of this very process that ended without a word is over"


@pytest.mark.parametrize("state", ["done", "cancelled"])
def test_what_is_over_is_left(tmp_path: Path, state: str) -> None:
    write_job(tmp_path, JOB, replace(Standing(), state=state))
    assert claim(tmp_path, "local") == state


def test_a_living_process_of_this_machine_keeps_it_and_a_dead_one_does_not(tmp_path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        held(tmp_path, pid=child.pid, began_=began(child.pid))
        assert claim(tmp_path, "local") == "busy"
        held(tmp_path, pid=child.pid, began_="another process had that number")
        assert isinstance(claim(tmp_path, "local"), Entry)
        held(tmp_path, pid=child.pid, began_=began(child.pid))
    finally:
        child.communicate(b"\n")
    assert isinstance(claim(tmp_path, "local"), Entry)
    assert standing_of(tmp_path).attempts == 2


def test_a_process_elsewhere_lives_while_its_beat_changes(tmp_path: Path) -> None:
    held(tmp_path, host="elsewhere", pid=1)
    (tmp_path / BEAT).write_text("elsewhere 1 7")
    os.utime(tmp_path / BEAT, (4e9, 4e9))  # its clock is decades ahead
    over = threading.Event()

    def beat() -> None:
        for count in range(1000):
            if over.wait(0.02):
                return
            (tmp_path / BEAT).write_text(f"elsewhere 1 {count}")

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        assert claim(tmp_path, "dask", silence=5.0) == "busy"
    finally:
        over.set()
        thread.join()
    entry = claim(tmp_path, "dask", silence=0.2)
    assert isinstance(entry, Entry) and entry.standing.host == socket.gethostname()


def test_of_many_that_ask_at_once_one_gets_it(tmp_path: Path) -> None:
    write_job(tmp_path, JOB, Standing())
    program = (
        "import sys, time; from pathlib import Path; from invrender.batch.claim import claim\n"
        "print('ready', flush=True); sys.stdin.readline()\n"
        "print(type(claim(Path(sys.argv[1]), 'test')).__name__, flush=True); sys.stdin.readline()\n"
    )
    children = [
        subprocess.Popen([sys.executable, "-c", program, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         text=True, cwd=Path(__file__).parents[2])
        for _ in range(4)
    ]  # fmt: skip
    for child in children:
        assert child.stdout is not None and child.stdout.readline() == "ready\n"
    for child in children:
        assert child.stdin is not None
        child.stdin.write("go\n")
        child.stdin.flush()
    got = [child.stdout.readline().strip() for child in children if child.stdout is not None]
    for child in children:
        child.communicate("\n", timeout=30)
    assert sorted(got) == ["Entry", "str", "str", "str"]


@pytest.mark.parametrize("why", ["cancelled", "time"])
def test_a_job_at_work_is_asked_to_stop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    monkeypatch.setattr("invrender.batch.claim.LOOK", 0.02)
    try:
        with watched(tmp_path, 0.1 if why == "time" else None) as reason:
            assert (tmp_path / BEAT).exists()
            if why == "cancelled":
                (tmp_path / CANCEL).touch()
            begin = time.monotonic()
            with pytest.raises(RetryError):
                while time.monotonic() - begin < 20:
                    stop.check()
                    time.sleep(0.01)
        assert reason.text == why and not (tmp_path / BEAT).exists()
    finally:
        stop.forget()
