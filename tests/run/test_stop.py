"""Stop requests: raised where a run can save, forced where it does not come to that, and never in the midst of work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
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
print("ready", flush=True)
"""
LOOP = """
with stop.patient():
    for step in range(1000):
        time.sleep(0.5)
        Path("steps").write_text(str(step))
        try:
            stop.check()
        except (KeyboardInterrupt, RetryError) as error:
            sys.exit(7)
"""
BUSY = """
with suppress(BaseException), atomic_path("a.txt") as path:
    path.write_text("half")
    while True:
        time.sleep(0.01)
"""


def stopped(tmp_path: Path, code: str, *signals: tuple[float, signal.Signals]) -> tuple[int, float, str]:
    """Send signals, each after a time: the exit code, the seconds from the first signal on, and what was said."""
    with subprocess.Popen(
        [sys.executable, "-c", BEGIN + code], cwd=tmp_path, env=cli_environment(), text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),  # noqa: PLW1509
    ) as process:  # fmt: skip
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        begin = 0.0
        for wait, number in signals:
            time.sleep(wait)
            begin = begin or time.monotonic()
            process.send_signal(number)
        said = process.communicate(timeout=60)[1]
        return process.returncode, time.monotonic() - begin, said


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_loop_ends_after_its_step(tmp_path: Path, number: signal.Signals) -> None:
    code, _, said = stopped(tmp_path, LOOP, (0.2, number), (0.05, number))  # twice at once is once
    assert (code, said) == (7, "")
    assert (tmp_path / "steps").read_text() == "0"


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGINT, 130), (signal.SIGTERM, 75), (signal.SIGHUP, 75)])
def test_work_that_asks_nobody_is_ended_within_seconds(tmp_path: Path, number: signal.Signals, expected: int) -> None:
    code, _, said = stopped(tmp_path, BUSY, (0.2, number))
    assert code == expected
    assert said.startswith("error: ")
    assert "the same command again" in said
    assert not list(tmp_path.iterdir())  # its temporary file is gone


def test_a_second_signal_forces(tmp_path: Path) -> None:
    slow = "with stop.patient():\n    time.sleep(50)\n"
    code, seconds, said = stopped(tmp_path, slow, (0.2, signal.SIGINT), (0.8, signal.SIGINT))
    assert (code, seconds < 30) == (130, True)
    assert "error: interrupted" in said


def test_after_the_work_nothing_changes_its_end(tmp_path: Path) -> None:
    code, _, said = stopped(tmp_path, "stop.finish(); time.sleep(1.5); sys.exit(0)", (0.2, signal.SIGTERM))
    assert (code, said) == (0, "")
