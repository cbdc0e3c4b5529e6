"""Threads that wait, asleep, for work to share: waking one takes half as long as starting one, and both take time.

They are started when first needed and stay until the program ends. None holds anything of work that is done: were it
the last to hold a tensor, and the program at its end, freeing that would wait for a GIL that is never given again, and
abort.
"""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from time import sleep
from typing import Any

LOOKS = 40  # times that a caller looks whether another thread has ended before it sleeps; about a microsecond each


@dataclass
class _Pool:
    """Threads of this process.

    Attributes:
        calls: what is to be joined, by whichever thread is free.
        threads: how many there are.
        wanted: how many would serve all calls that are under way.
        lock: of the two numbers.
    """

    calls: SimpleQueue[Callable[[], None]] = field(default_factory=SimpleQueue)
    threads: int = 0
    wanted: int = 0
    lock: Any = field(default_factory=_thread.allocate_lock)

    def add(self, count: int) -> None:
        """There is work for so many threads more, or fewer; start those that are missing."""
        with self.lock:
            self.wanted += count
            missing = max(0, self.wanted - self.threads)
            self.threads += missing
        for _ in range(missing):
            _thread.start_new_thread(_serve, (self.calls,))


class _Call:
    """Work that threads share, each with a number of its own.

    Attributes:
        work: what is called; None once it is done.
        left: numbers that nobody has begun.
        ended: by number; a thread other than the caller's unlocks it at its end.
        failures: what was raised.
    """

    def __init__(self, work: Callable[[int], object], threads: int) -> None:
        self.work: Callable[[int], object] | None = work
        self.left = list(range(threads - 1, 0, -1))
        self.ended = [_thread.allocate_lock() for _ in range(threads)]
        for lock in self.ended:
            lock.acquire()
        self.failures: list[BaseException] = []

    def join(self) -> None:
        """Do a share that nobody has begun, in a thread that was woken for it; none where it comes too late."""
        if number := self.next():
            self.do(number)
            self.ended[number].release()

    def next(self) -> int:
        """Take a number that is left; 0: none is."""
        try:
            return self.left.pop()  # the GIL gives it to one thread
        except IndexError:
            return 0

    def do(self, number: int) -> None:
        """Do a share; what it raises is kept for the caller."""
        assert self.work is not None
        try:
            self.work(number)
        except BaseException as error:  # noqa: BLE001 - raised by `share`
            self.failures.append(error)


def share(work: Callable[[int], object], threads: int, all_numbers: bool) -> None:
    """Call work(number) in threads, number 0 being this one, and return when none is at it any more.

    Args:
        work: is called with each number at most once.
        threads: how many there are to be, at least 2.
        all_numbers: whether this thread calls it with the numbers that no other has begun when it is through with its
            own; else those are left out.

    Raises:
        BaseException: what `work` raised first.
    """
    call = _Call(work, threads)
    _pool.add(threads - 1)
    try:
        for _ in range(threads - 1):
            _pool.calls.put(call.join)
        call.do(0)
        mine = {0}
        while number := call.next():
            mine.add(number)
            if all_numbers:
                call.do(number)
        for number in range(threads):
            if number not in mine:
                _wait(call.ended[number])
    finally:
        call.work = None  # who comes too late holds the call
        _pool.add(1 - threads)
    if call.failures:
        raise call.failures[0]


def _wait(ended: Any) -> None:
    """Until a lock is free: it usually is at once, long before this thread would have fallen asleep and been woken."""
    for _ in range(LOOKS):
        if ended.acquire(False):
            return
        sleep(0)  # the other needs the GIL to say so
    ended.acquire()


def _serve(calls: SimpleQueue[Callable[[], None]]) -> None:
    while True:
        calls.get()()


_pool = _Pool()


def _begin_anew() -> None:
    """A process made by fork() has none of its parent's threads."""
    _pool.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin_anew)
