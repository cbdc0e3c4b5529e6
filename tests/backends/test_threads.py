"""Threads of the cpu backend: few are kept, they hold nothing, and what one raises is heard of."""

from __future__ import annotations

import _thread
import os
import subprocess
import sys
import time
import weakref

import pytest
import torch

from invrender.backends import select
from invrender.backends.cpu import workers
from invrender.backends.cpu.threads import parallel_for, parallel_map, share_out
from invrender.nouns.topology import topology


@pytest.fixture
def started(monkeypatch):
    """Threads that have been started, of none at first."""
    found, start = [], _thread.start_new_thread
    monkeypatch.setattr(workers, "_pool", workers._Pool())
    monkeypatch.setattr(_thread, "start_new_thread", lambda *given: (found.append(1), start(*given)))
    return found


def test_threads_are_kept_from_call_to_call(backend, icosphere, project, monkeypatch, started):
    vertices, faces = icosphere(1)
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    for _ in range(5):
        backend.rasterize(project(vertices).expand(4, -1, -1), faces, (8, 8))
    assert len(started) == (backend.name == "cpu")


def test_calls_at_the_same_time_do_not_wait_for_each_other(started):
    """Each is given as many threads as it asks for, and one within another ends whatever the others are at."""
    done, numbers = [], _thread.allocate_lock()

    def inner(number):
        with numbers:
            done.append(number)

    workers.share(lambda _: workers.share(inner, 3, all_numbers=True), 4, all_numbers=True)
    assert sorted(done) == [0] * 4 + [1] * 4 + [2] * 4
    assert 3 <= len(started) <= 3 + 4 * 2


def test_what_a_thread_raises_reaches_the_caller(monkeypatch):
    monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda: 3)

    def work(first, step):
        if first == 1:
            raise ValueError(f"thread {first} of {step}")

    with pytest.raises(ValueError, match="thread 1 of 3"):
        parallel_for(work, 5)
    assert parallel_map(lambda a, b: a * b, [(k, 10) for k in range(7)]) == [10 * k for k in range(7)]


def test_a_thread_that_comes_too_late_is_not_waited_for(monkeypatch):
    """Nor does it begin, where nothing is left: its caller may have freed or reused what it would work on."""
    late = []
    monkeypatch.setattr(workers, "_pool", workers._Pool())
    monkeypatch.setattr(_thread, "start_new_thread", lambda function, given: late.append(given[0]))
    done = []
    share_out(done.append, 3)
    assert done == [0]
    assert late[0].qsize() == 2
    while not late[0].empty():
        late[0].get()()
    assert done == [0]


def test_what_no_other_thread_begins_the_caller_does(monkeypatch):
    monkeypatch.setattr(workers, "_pool", workers._Pool())
    monkeypatch.setattr(_thread, "start_new_thread", lambda function, given: None)
    monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda: 3)
    done = []
    parallel_for(lambda first, step: done.extend(range(first, 7, step)), 7)
    assert sorted(done) == list(range(7))


FORKED = """
import _thread, os
from invrender.backends.cpu import threads

threads.thread_count = lambda: 4
squares = lambda: threads.parallel_map(lambda k: k * k, [(k,) for k in range(9)])
assert squares() == [k * k for k in range(9)]
if child := os.fork():
    raise SystemExit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
start, started = _thread.start_new_thread, []
_thread.start_new_thread = lambda *given: (started.append(1), start(*given))
assert squares() == [k * k for k in range(9)]
os._exit(5 if len(started) == 3 else 6)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork()")
def test_a_forked_process_starts_threads_of_its_own():
    assert subprocess.run([sys.executable, "-c", FORKED], timeout=120, check=False).returncode == 5


def test_a_thread_that_has_begun_is_waited_for():
    begun, done = _thread.allocate_lock(), []
    begun.acquire()

    def work(number):
        if number:
            begun.release()
            time.sleep(0.05)
            done.append(number)
            raise ValueError("thread 1")
        begun.acquire()

    with pytest.raises(ValueError, match="thread 1"):
        share_out(work, 2)
    assert done == [1]


def test_comparisons_do_not_depend_on_the_number_of_threads(monkeypatch, icosphere):
    backend, (vertices, faces) = select("cpu", needs=("meshes",)), icosphere(4)
    lens = torch.tensor([[1.7, 0, 0, 0], [0, 1.7, 0, 0], [0, 0, -1.02, 4.0], [0, 0, -1, 4.0]]).double()
    turned = torch.linalg.qr(torch.randn(9, 3, 3, generator=torch.Generator().manual_seed(1)).double())[0]
    matrices = torch.eye(4).double().repeat(9, 1, 1)
    matrices[:, :3, :3] = turned
    masks = torch.rand(9, 40, 50, generator=torch.Generator().manual_seed(2))
    results = []
    for count in (1, 4):
        monkeypatch.setattr("invrender.backends.cpu.misfit.thread_count", lambda count=count: count)
        compare = backend.silhouette_misfit(faces, topology(faces), len(vertices), masks, torch.ones(9))
        results.append([compare(vertices, lens @ matrices) for _ in range(20)])
    for misfit, gradient, iou in [*results[0], *results[1]]:
        assert misfit == results[0][0][0]
        assert torch.equal(gradient, results[0][0][1])
        assert torch.equal(iou, results[0][0][2])


@pytest.mark.parametrize("share", [lambda work: parallel_for(work, 4), lambda work: share_out(work, 4)])
def test_threads_that_wait_or_come_too_late_hold_nothing(monkeypatch, share):
    """Whoever frees a tensor last while the program ends waits for a GIL that is never given again, and aborts."""
    monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda: 4)
    monkeypatch.setattr(workers, "_pool", workers._Pool())
    start = _thread.start_new_thread
    ready = iter([True, False, True])
    monkeypatch.setattr(_thread, "start_new_thread", lambda *given: next(ready) and start(*given))

    class Work:
        def __call__(self, *_):
            time.sleep(0.01)

    work = Work()
    freed = weakref.ref(work)
    share(work)
    del work
    assert freed() is None
