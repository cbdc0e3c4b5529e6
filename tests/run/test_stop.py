"""Stop requests: raised where a run can save, forced where it does not come to that, and never in the midst of work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.conftest import cli_environment

pytestmark = pytest.mark.skipif(os.name == "nt", reason="signals are sent differently there")

BEGIN = """
import os, sys, time
from contextlib import suppress
from pathlib import Path
from invrender.errors import RetryError
from invrender.io.files.atomic import atomic_path, discard_open
from invrender.run import stop
stop.on_exit(lambda _: discard_open())
stop.install(lambda text: os.write(2, (text + "\\n").encode()))
def ready():
    print("ready", flush=True)
"""
LOOP = """
stop.TWIN = stop.GRACE = 3600.0  # the signals of this test are one, and its step is short, on any machine
with stop.patient():
    for step in range(1000):
        Path("begun").write_text(str(step))
        ready()
        time.sleep(0.5)
        Path("done").write_text(str(step))
        try:
            stop.check()
        except (KeyboardInterrupt, RetryError) as error:
            sys.exit(7)
"""
BUSY = """
with suppress(BaseException), atomic_path("a.txt") as path:
    path.write_text("half")
    ready()
    while True:
        time.sleep(0.01)
"""
SLOW = """
with stop.patient():
    ready()
    time.sleep(600)
"""
DONE = """
stop.finish()
ready()
time.sleep(1.5)
sys.exit(0)
"""
FORGOTTEN = """
stop.GRACE = 0.2
def work():
    with stop.patient():
        ready()
        while True:
            try:
                stop.check()
                time.sleep(0.01)
            except RetryError:
                break
    stop.forget()
work()
time.sleep(1.0)  # longer than what a request that nobody sees to is given
work()
sys.exit(7)
"""
LAST_FIRST = """
for word in ("first", "last"):
    stop.on_exit(lambda _, word=word: os.write(2, (word + "\\n").encode()))
ready()
time.sleep(600)
"""


def _obey() -> None:
    """A shell's background ignores SIGINT, and nohup SIGHUP: whoever starts the tests has no say in them."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@contextmanager
def started(tmp_path: Path, code: str) -> Iterator[subprocess.Popen[str]]:
    """A process at the place where it says that it is ready."""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + code], cwd=tmp_path, env=cli_environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=_obey,  # noqa: PLW1509
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


def stopped(tmp_path: Path, code: str, *signals: signal.Signals) -> tuple[int, str]:
    """Send signals: the exit code, and what was said."""
    with started(tmp_path, code) as process:
        for number in signals:
            process.send_signal(number)
        said = process.communicate(timeout=120)[1]
        return process.returncode, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_loop_ends_after_its_step(tmp_path: Path, number: signal.Signals) -> None:
    assert stopped(tmp_path, LOOP, number, number) == (7, "")  # twice at once is once
    assert (tmp_path / "done").read_text() == (tmp_path / "begun").read_text()


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 75), (signal.SIGHUP, 75)])
def test_work_that_asks_nobody_is_ended_within_seconds(tmp_path: Path, number: signal.Signals, expected: int) -> None:
    code, said = stopped(tmp_path, BUSY, number)
    assert code == expected
    assert said.startswith("error: ")
    assert "the same command again" in said
    assert not list(tmp_path.iterdir())  # its temporary file is gone


def test_a_second_signal_forces(tmp_path: Path) -> None:
    with started(tmp_path, SLOW) as process:
        process.send_signal(signal.SIGINT)
        assert process.stderr is not None
        assert "once more to stop at once" in process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=120)[1]
    assert process.returncode == 130
    assert said.startswith("error: interrupted")


def test_after_the_work_nothing_changes_its_end(tmp_path: Path) -> None:
    assert stopped(tmp_path, DONE, signal.SIGTERM) == (0, "")


def test_a_request_that_was_forgotten_ends_nothing_and_the_next_one_is_seen(tmp_path: Path) -> None:
    with started(tmp_path, FORGOTTEN) as process:
        process.send_signal(signal.SIGTERM)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=120)[1] == ""
    assert process.returncode == 7


def test_farewells_come_last_first(tmp_path: Path) -> None:
    assert stopped(tmp_path, LAST_FIRST, signal.SIGTERM)[1].split()[:2] == ["last", "first"]
