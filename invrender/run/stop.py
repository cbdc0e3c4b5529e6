"""Stop requests: signals by which people and systems ask this process to end.

A handler that raised an exception could do so anywhere: in the middle of an import, of a compilation, of cleaning up.
So handlers only note the request. `check` raises it at places made for that: after every step of a run's loop, and
between its stages. A thread of its own sees to the rest, by ending the process at once,

- where no such place is reached within a second; while a loop is at work, and while it saves, there is no such limit;
- where the request is repeated.

Both leave what SIGKILL would leave, less the temporary files: files appear whole or not at all, and a run goes on from
its last checkpoint.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from invrender.errors import InvrenderError, RetryError

SIGNALS = ("SIGINT", "SIGTERM", "SIGUSR1", "SIGHUP")
"""Ctrl-C, and those by which systems announce that they will stop a process."""

INTERRUPTED = 130
GRACE = 1.0  # seconds to reach a `check` outside of loops
TURN = 0.05  # seconds that Python's own handler has before the thread notes a request in its place
TWIN = 0.5  # a terminal and a wrapper may both send what was one Ctrl-C: within so many seconds it is one
REMEDY = "run the same command again: it goes on where it stopped"


@dataclass
class _Request:
    """What was asked for: the signal's number, 0 for none; whether it was raised; how many blocks may finish first;
    how often something was asked for; what is called when the process ends from here, and what takes a line for people.
    """

    number: int = 0
    answered: bool = False
    patient: int = 0
    noted: int = 0
    farewells: list[Callable[[str], None]] = field(default_factory=list)
    say: Callable[[str], None] = lambda line: None


_request = _Request()


def install(say: Callable[[str], None]) -> None:
    """Take over the signals, in the main thread of a process of our own. Signals that are ignored stay ignored.

    Args:
        say: takes a line when the process is ended from here, or goes on for a while.
    """
    _request.say = say
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    for number in _numbers():
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _note)
    threading.Thread(target=_watch, args=(reader, writer, say), daemon=True).start()


def finish() -> None:
    """The work is done: what remains is a moment's, and no signal shall change how it ends."""
    for number in _numbers():
        signal.signal(number, signal.SIG_IGN)
    settle()


def settle() -> None:
    """A result is complete: a request that comes now comes too late to be raised."""
    _request.answered = True


def request(number: int) -> None:
    """Ask for a stop as a signal of that number would, from any thread."""
    _note(number, None)


def forget() -> None:
    """Take a request back that has been answered: this process, which works on one thing after another, goes on."""
    _request.number, _request.answered = 0, False


def begin() -> None:
    """Another piece of work begins: a request from now on is meant for it."""
    if not _request.number:
        _request.answered = False


def check() -> None:
    """Raise a stop request, once.

    Raises:
        KeyboardInterrupt: Ctrl-C.
        RetryError: the system asks.
    """
    if _request.number and not _request.answered:
        _request.answered = True
        if _request.number == signal.SIGINT:
            raise KeyboardInterrupt
        raise RetryError(cause(_request.number), REMEDY)


@contextmanager
def patient() -> Iterator[None]:
    """While the block is at work a request waits for its next `check`, however long that takes."""
    _request.patient += 1
    try:
        yield
    finally:
        _request.patient -= 1


def on_exit(farewell: Callable[[str], None]) -> Callable[[], None]:
    """Have a function called, with the cause, if the process is ended from here; returns what takes that back.

    The last that was given is called first.
    """
    _request.farewells.append(farewell)
    return lambda: _request.farewells.remove(farewell)


def leave(why: str) -> None:
    """End this process at once, from any thread, because of a passing fault: as if the system had asked for it."""
    _end(why, RetryError.exit_code)


def cause(number: int) -> str:
    """A signal in words."""
    if number == signal.SIGINT:
        return "interrupted"
    return f"the system asked this process to stop ({signal.Signals(number).name})"


def _numbers() -> list[int]:
    return [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]  # Windows knows fewer


def _note(number: int, _frame: FrameType | None) -> None:
    _request.noted += 1
    _request.number = _request.number or number


def _watch(reader: socket.socket, _writer: socket.socket, say: Callable[[str], None]) -> None:
    """Wait for a request, and end the process where nobody else does. Sees signals even while Python code waits."""
    while True:
        seen = _request.noted
        number = reader.recv(1)[0]
        time.sleep(TURN)
        if _request.noted == seen:  # the main thread, which may have answered and forgotten it by now, has not seen it
            _note(number, None)
        _see_to(number, reader, say)


def _see_to(number: int, reader: socket.socket, say: Callable[[str], None]) -> None:
    """Wait for the end of this process, or for the request to be forgotten."""
    begin, told = time.monotonic(), False
    while _request.number:
        again = bool(select.select([reader], [], [], 0.05)[0]) and bool(reader.recv(64))
        waited = time.monotonic() - begin
        late = waited > GRACE and not (_request.patient or _request.answered)
        if late or (again and waited > TWIN):
            _end(cause(number), INTERRUPTED if number == signal.SIGINT else RetryError.exit_code)
        if waited > 2 * GRACE and _request.patient and not _request.answered and not told:
            told = True
            say(f"{cause(number)}: stopping after this step; once more to stop at once")


def _end(why: str, code: int) -> None:
    for farewell in reversed(_request.farewells.copy()):
        try:
            farewell(why)
        except (OSError, InvrenderError):
            continue  # a full disk, say; what counts is that the process ends
    _request.say(f"error: {why}\ntry: {REMEDY}")
    os._exit(code)
