"""What readers say of an input (a picture is missing, masks hold two other values) goes into the run's log, too.

How far they are is shown, and kept nowhere.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from invrender.run import stop

READERS = "invrender.io"


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
