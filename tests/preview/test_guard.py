"""However the drawing child ends, the parent gets a result or one of our errors."""

from __future__ import annotations

import os
import sys

import pytest

from invrender.errors import BackendError, InputError
from invrender.preview.guard import Job, check_display, has_display, run_job

NO_SIGNALS = pytest.mark.skipif(os.name == "nt", reason="a crash is an exit code there, not a signal")


def child(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        pytest.param("import signal; signal.raise_signal(signal.SIGSEGV)", "SIGSEGV", marks=NO_SIGNALS),
        pytest.param("import os; os.abort()", "SIGABRT", marks=NO_SIGNALS),
        ("raise SystemExit('no EGL device')", "no EGL device"),
        ("raise SystemExit(3)", "exit code 3"),
        ("print('chatter, no report')", "exit code 0"),
    ],
)
def test_a_driver_that_crashes_becomes_a_sentence_with_a_way_out(code: str, words: str) -> None:
    with pytest.raises(BackendError) as caught:
        run_job(Job("probe"), child(code))
    assert words in caught.value.cause
    assert "libegl1" in caught.value.remedy
    assert "invrender render" in caught.value.remedy


def test_a_driver_that_hangs_is_given_up() -> None:
    with pytest.raises(BackendError, match=r"did not answer within 0\.5 s|did not answer within 0 s"):
        run_job(Job("probe"), child("import time; time.sleep(600)"), timeout=0.5)


def test_the_report_is_the_last_line() -> None:
    code = "print('vtk talks'); print('{\"driver\": \"EGL\"}')"
    assert run_job(Job("probe"), child(code)) == {"driver": "EGL"}


def test_errors_of_the_child_keep_their_kind() -> None:
    code = 'print(\'{"cause": "no faces", "remedy": "mesh it", "exit_code": 3}\')'
    with pytest.raises(InputError) as caught:
        run_job(Job("probe"), child(code))
    assert (caught.value.cause, caught.value.remedy) == ("no faces", "mesh it")


def test_without_a_display_no_window_is_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert not has_display()
    with pytest.raises(BackendError, match="--screenshot"):
        check_display()
    monkeypatch.setenv("DISPLAY", ":0")
    check_display()
