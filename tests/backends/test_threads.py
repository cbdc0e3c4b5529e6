"""Threads of the cpu backend: none stays behind, and what one raises is heard of."""

from __future__ import annotations

import _thread
import time
import weakref

import pytest
import torch

from invrender.backends import select
from invrender.backends.cpu import threads
from invrender.backends.cpu.threads import parallel_for, parallel_map, share_out
from invrender.nouns.topology import topology

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


def test_a_thread_that_comes_too_late_is_not_waited_for(monkeypatch):
    """Nor does it begin, where nothing is left: its caller may have freed or reused what it would work on."""
    late = []
    monkeypatch.setattr(_thread, "start_new_thread", lambda function, given: late.append(lambda: function(*given)))
    done = []
    share_out(done.append, 3)
    for each in late:
        each()
    assert (done, len(late)) == ([0], 2)


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
def test_threads_that_linger_hold_nothing(monkeypatch, share):
    """Whoever frees a tensor last while the program ends waits for a GIL that is never given again, and aborts."""
    monkeypatch.setattr("invrender.backends.cpu.threads.thread_count", lambda: 4)
    started, lingering = threads._started, []

    def kept(work, first):
        lingering.append(work)
        return started(work, first)

    monkeypatch.setattr(threads, "_started", kept)

    class Work:
        def __call__(self, *_):
            time.sleep(0.01)

    work = Work()
    freed = weakref.ref(work)
    share(work)
    del work
    assert len(lingering) == 3
    assert freed() is None
