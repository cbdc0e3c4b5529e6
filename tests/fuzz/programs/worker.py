"""A process that has imported everything once and runs one command line after the other through the real entry point.

It reads one JSON line a job from stdin, {"arguments", "folder", "patience"}, and answers with one a job on what was
stdout, {"code", "seconds", "peak", "threads"}. What the command prints lands in the files stdout and stderr beside its
folder, what C code prints included. A hang leaves the stacks of all threads in stderr; whoever waits ends this process.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path

MARGIN = 6 << 30  # bytes of address space beyond what the imports take, which is a net below the machine's own end
BEFORE = ("torch", "numba", "trimesh", "PIL.Image", "invrender.backends.cpu", "invrender.methods.reconstruct")


def main() -> None:
    """Serve until stdin ends. The argument names the function to call, as module:function."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    module, _, name = sys.argv[1].partition(":")
    for other in BEFORE if module.startswith("invrender") else ():
        with contextlib.suppress(ImportError):  # an older or newer tree: it will be imported later, and be slower
            importlib.import_module(other)
    entry = getattr(importlib.import_module(module), name)
    _limit_memory()
    _say(answers, {"ready": os.getpid()})
    for line in sys.stdin:
        job = json.loads(line)
        _say(answers, _serve(entry, job["arguments"], Path(job["folder"]), job["patience"]))


def _say(answers: object, message: dict[str, object]) -> None:
    print(json.dumps(message), file=answers, flush=True)  # type: ignore[call-overload]


def _serve(entry: Callable[[], None], arguments: list[str], folder: Path, patience: float) -> dict[str, object]:
    """Run one command line in a folder."""
    os.chdir(folder)
    _reset_peak()
    start = time.monotonic()
    with _into(folder.parent / "stdout", 1), _into(folder.parent / "stderr", 2):
        faulthandler.enable(2)
        faulthandler.dump_traceback_later(patience, file=2)
        with warnings.catch_warnings():  # what was told in one job is told again in the next
            code = _call(entry, arguments)
        faulthandler.cancel_dump_traceback_later()
    return {"code": code, "seconds": time.monotonic() - start, "peak": _peak()}


def _call(entry: Callable[[], None], arguments: list[str]) -> int:
    """The exit code that the script would have ended with."""
    sys.argv = ["invrender", *arguments]
    try:
        entry()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:  # noqa: BLE001 - what Python itself would print, and the exit code 1
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


@contextlib.contextmanager
def _into(path: Path, number: int) -> object:  # type: ignore[misc]
    """Send a file descriptor, and with it Python's stream of that number, to a file."""
    stream = sys.stdout if number == 1 else sys.stderr
    kept = os.dup(number)
    with path.open("wb") as file:
        os.dup2(file.fileno(), number)
    try:
        yield
    finally:
        with contextlib.suppress(ValueError):  # a stream that the command closed
            stream.flush()
        os.dup2(kept, number)
        os.close(kept)


def _limit_memory() -> None:
    if sys.platform != "linux":
        return
    import resource

    pages = int(Path("/proc/self/statm").read_text().split()[0])
    resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + MARGIN,) * 2)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _reset_peak() -> None:
    """Let the kernel count the peak of resident memory from here on (proc(5), clear_refs)."""
    with contextlib.suppress(OSError):
        Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    """Bytes that were resident at most, or 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return 0
    return int(status.partition("VmHWM:")[2].split()[0]) << 10


if __name__ == "__main__":
    main()
