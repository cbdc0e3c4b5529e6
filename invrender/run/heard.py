"""What readers say of an input (a picture is missing, masks hold two other values) goes into the run's log, too, and so
does what a method warns of while it works (a hull had handles that no image supports).

How far they are is shown, and kept nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from invrender.run import stop

READERS, EVERYBODY = "invrender.io", "invrender"


class _Listener(logging.Handler):
    """Keeps warnings, and shows messages where nobody else does: a handler silences logging's own last resort."""

    def __init__(self, level: int) -> None:
        super().__init__(level)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep or show one; a stop request is answered here, since reading takes long.

        Raises:
            KeyboardInterrupt, RetryError: see `stop.check`.
        """
        stop.check()
        if record.levelno >= logging.WARNING:
            self.lines.append(record.getMessage())
        if not logging.getLogger().handlers and logging.lastResort is not None:
            logging.lastResort.handle(record)


@contextmanager
def heard(quiet: bool = False) -> Iterator[list[str]]:
    """The warnings of readers while the block runs, which are shown as ever; how far they are, unless quiet."""
    listener = _Listener(logging.WARNING if quiet else logging.INFO)
    logger = logging.getLogger(READERS)
    before = logger.level
    logger.addHandler(listener)
    logger.setLevel(listener.level)
    try:
        yield listener.lines
    finally:
        logger.removeHandler(listener)
        logger.setLevel(before)


class _Keeper(logging.Handler):
    """Hands warnings on, and shows them as ever."""

    def __init__(self, write: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self.write = write

    def emit(self, record: logging.LogRecord) -> None:
        self.write(f"warning: {record.getMessage()}")
        if not logging.getLogger().handlers and logging.lastResort is not None:
            logging.lastResort.handle(record)


@contextmanager
def kept(write: Callable[[str], None]) -> Iterator[None]:
    """Write a line for each warning of this package while the block runs."""
    keeper, logger = _Keeper(write), logging.getLogger(EVERYBODY)
    logger.addHandler(keeper)
    try:
        yield
    finally:
        logger.removeHandler(keeper)
