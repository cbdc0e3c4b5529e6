"""Who draws a film: a thread of its own beside the solver's, or the solver's own.

Kernels hold no lock of the interpreter, so on a second core drawing takes no time of the run's; on the only one it
takes as much as it would anyway. The queue is short: a solver that is faster than its pictures waits for them.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

import torch

WAITING = 4  # pictures that wait to be drawn, with the estimates that they are of


class Drawer:
    """Does one thing after the other.

    Args:
        aside: whether in a thread of its own, which begins with the first of them and ends with `finish`.
    """

    def __init__(self, aside: bool) -> None:
        self._aside = aside
        self._thread: ThreadPoolExecutor | None = None
        self._waiting: deque[Future[None]] = deque()
        self.seconds = 0.0

    def do(self, draw: Callable[[], None]) -> Callable[[], None]:
        """Have something drawn.

        Returns:
            What waits until it is, and raises what it has raised.

        Raises:
            BaseException: what one of those before has raised.
        """
        if not self._aside:
            self._counted(draw)
            return lambda: None
        if self._thread is None:
            self._thread = ThreadPoolExecutor(1, "film")
        while self._waiting and (len(self._waiting) >= WAITING or self._waiting[0].done()):
            self._waiting.popleft().result()
        future = self._thread.submit(self._counted, draw)
        self._waiting.append(future)
        return future.result

    def finish(self) -> None:
        """Wait for all of it.

        Raises:
            BaseException: what one of them has raised.
        """
        while self._waiting:
            self._waiting.popleft().result()
        if self._thread is not None:
            self._thread.shutdown()
            self._thread = None

    @contextmanager
    def counted(self) -> Iterator[None]:
        """Count what a block takes of this thread."""
        begin = time.thread_time()
        try:
            yield
        finally:
            self.seconds += time.thread_time() - begin

    def _counted(self, draw: Callable[[], None]) -> None:
        with self.counted(), torch.no_grad():
            draw()
