"""Writing files so that no half-written one is ever seen: under a temporary name first, renamed when complete."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from invrender.errors import UsageError

TEMPORARY = re.compile(r"\..+\.[0-9a-f]{8}\.tmp(\.\w+)?")


def remove_temporaries(folder: Path) -> None:
    """Remove what a process that was killed while it wrote left in a folder that it alone wrote to."""
    for path in folder.glob(".*.tmp*"):
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary sibling of `path` to write to; it replaces `path` once the block ends well.

    Folders that are missing are made. The temporary name keeps the suffix (writers choose a format by it). On any
    exception, Ctrl-C included, the temporary file is removed and what was at `path` before stays.

    Raises:
        UsageError: the place cannot be written to.
    """
    final = Path(path)
    if final.is_dir():
        raise UsageError(f"{final} is a folder, not a file", f"name a file in it, such as {final / 'result'}")
    temporary = final.with_name(f".{final.stem}.{secrets.token_hex(4)}.tmp{final.suffix}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _cannot_write(final, error) from error
    try:
        yield temporary
        temporary.replace(final)
    except OSError as error:
        # errors about other files are the caller's own
        if error.errno == errno.ENOSPC or str(error.filename) == str(temporary):
            raise _cannot_write(final, error) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _cannot_write(path: Path, error: OSError) -> UsageError:
    blocking = next((parent for parent in path.parents if parent.is_file()), None)
    if blocking is not None:
        return UsageError(f"cannot write {path}: {blocking} is a file, not a folder", "choose another output")
    reason = os.strerror(error.errno) if error.errno else type(error).__name__
    if error.errno == errno.ENOSPC:
        return UsageError(f"cannot write {path}: {reason}", "free some space, or choose an output on another disk")
    return UsageError(f"cannot write {path}: {reason}", "choose an output in a folder that you can write to")


def atomic_write_bytes(path: str | os.PathLike[str], data: bytes) -> None:
    """Write `data` to `path` in one piece."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)


def atomic_write_text(path: str | os.PathLike[str], text: str) -> None:
    """Write `text` to `path` in one piece, as UTF-8 with the line ends that it has."""
    atomic_write_bytes(path, text.encode())
