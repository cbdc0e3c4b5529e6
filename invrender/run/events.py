"""What a run says to programs while it is at work: one JSON object a line, appended to a file or written to stdout.

Every line has `event` and `time` (UTC, ISO 8601, by this machine's clock); what else depends on the event:

    started     folder, command, method, version, host, pid, after (the step that a stopped run goes on from, or null)
    step        phase, step (from 1), total, terms (losses and qualities by name), left (seconds for the phase, or null)
    warning     text
    checkpoint  step, file (in the folder)
    metric      name, value (a number, a text, a list or a table, as metrics.json has it)
    finished    exit_code (as the process ends), cause and remedy (texts, empty where all went well), seconds

Steps come at most twice a second, and the last one of each phase always does. A run that was stopped and goes on
appends to the same file, beginning with another `started`. A process that was killed leaves no `finished`. Readers
should pass over events and fields that they do not know.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from invrender.errors import UsageError
from invrender.io.files.atomic import append_text
from invrender.run.console import silence
from invrender.run.failures import Failure, explain
from invrender.run.record import now

STDOUT = "-"
INTERVAL = 0.5  # seconds between two steps that are told


class Events:
    """Writes events; nothing where there is no target.

    Args:
        target: a file that is appended to, made where it is missing; `-` for stdout; None: nobody listens.

    Raises:
        UsageError: the file cannot be written; asked at once, before any work.
    """

    def __init__(self, target: Path | str | None = None) -> None:
        self._file = Path(target) if target is not None and str(target) != STDOUT else None
        self._heard = target is not None
        self._told = -math.inf
        if self._file is not None:
            _prepare(self._file)

    def tell(self, event: str, **facts: Any) -> None:
        """Write one event.

        Raises:
            UsageError: there is no room for it.
        """
        if not self._heard:
            return
        line = json.dumps({"event": event, "time": now(), **_finite(facts)}, ensure_ascii=True) + "\n"
        if self._file is not None:
            append_text(self._file, line)
            return
        try:
            sys.stdout.write(line)
            sys.stdout.flush()
        except BrokenPipeError:  # the reader has left; the run's folder is what it is for
            self._heard = False
            silence(sys.stdout.fileno())

    def step(self, phase: str, step: int, total: int, terms: Mapping[str, float], left: float | None) -> None:
        """Write a step, unless one was written just before and others follow."""
        moment = time.monotonic()
        if self._heard and (step >= total or moment - self._told >= INTERVAL):
            self._told = moment
            self.tell("step", phase=phase, step=step, total=total, terms=dict(terms), left=left)

    @contextmanager
    def ending(self) -> Iterator[None]:
        """Tell how the block ended."""
        began, failure = time.monotonic(), Failure(0, "", "")
        try:
            yield
        except BaseException as error:
            failure = explain(error)
            raise
        finally:
            self._finished(failure, time.monotonic() - began)

    def _finished(self, failure: Failure, seconds: float) -> None:
        with suppress(UsageError):  # no room for it: that must not hide what went wrong
            self.tell(
                "finished", exit_code=failure.exit_code, cause=failure.cause, remedy=failure.remedy,
                seconds=round(seconds, 3),
            )  # fmt: skip


def _prepare(file: Path) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write events to {file}: {error.strerror}", "name another file") from error
    append_text(file, "")


def _finite(value: Any) -> Any:
    """What JSON can say: numbers that are not finite become null."""
    if isinstance(value, Mapping):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
