"""Threads of the cpu backend: none stays behind, and what one raises is heard of."""

from __future__ import annotations

import _thread
import time

import pytest

from invrender.backends.cpu.threads import parallel_for, parallel_map

started = _thread.start_new_thread


def test_no_threads_are_left_behind(backend, icosphere, project, monkeypatch):
    vertices, faces = icosphere(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    used = []
    monkeypatch.setattr(_thread, "start_new_thread", lambda *given: (used.append(1), started(*given)))
    before = _thread._count()
    backend.rasterize(project(vertices).expand(4, -1, -1), faces, (8, 8))
    deadline = time.monotonic() + 60
    while _thread._count() > before and time.monotonic() < deadline:
        time.sleep(0.001)  # its work is done, but a thread takes a moment to go
    assert _thread._count() == before
    assert bool(used) == (backend.name == "cpu")


def test_what_a_thread_raises_reaches_the_caller(monkeypatch):
    monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda: 3)

    def work(first, step):
        if first == 1:
            raise ValueError(f"thread {first} of {step}")

    with pytest.raises(ValueError, match="thread 1 of 3"):
        parallel_for(work, 5)
    assert parallel_map(lambda a, b: a * b, [(k, 10) for k in range(7)]) == [10 * k for k in range(7)]
