"""What readers say of an input (a picture is missing, masks hold two other values) goes into the run's log, too."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

READERS = "invrender.io"


class _Listener(logging.Handler):
    """Keeps messages, and shows them where nobody else does: a handler silences logging's own last resort."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one."""
        self.lines.append(record.getMessage())
        if not logging.getLogger().handlers and logging.lastResort is not None:
            logging.lastResort.handle(record)


@contextmanager
def heard() -> Iterator[list[str]]:
    """The warnings of readers while the block runs, which are shown as ever."""
    listener = _Listener()
    logger = logging.getLogger(READERS)
    logger.addHandler(listener)
    try:
        yield listener.lines
    finally:
        logger.removeHandler(listener)
