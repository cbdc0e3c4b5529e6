"""Writing files so that no half-written one is ever seen: under a temporary name first, renamed when complete.

A temporary name holds the process that writes: `.mesh.HOST-PID-RANDOM.tmp.ply`. What a process that was killed left
beside a file is removed when that file is written again. Folders are made in the same way.
"""

from __future__ import annotations

import errno
import hashlib
import os
import re
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path

from invrender.errors import UsageError
from invrender.io.files.paths import is_file, is_folder
from invrender.io.files.processes import exists

TEMPORARY = re.compile(r"\..+\.(?:([0-9a-f]{6})-(\d+)-)?[0-9a-f]{8}\.tmp(\.\w+)?")
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_open: set[Path] = set()
"""Temporary files and folders of this process."""


def remove_temporaries(folder: Path) -> None:
    """Remove what a process that was killed while it wrote left in a folder that it alone wrote to."""
    for path in folder.glob(".*.tmp*"):
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def discard_open() -> None:
    """Remove the temporary files and folders of this process, which ends at once."""
    for path in list(_open):
        with suppress(OSError):
            _remove(path)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


@contextmanager
def atomic_path(path: str | os.PathLike[str], lasting: bool = True) -> Iterator[Path]:
    """A temporary sibling of `path` to write to; it replaces `path` once the block ends well.

    Folders that are missing are made. The temporary name keeps the suffix (writers choose a format by it). On any
    exception, Ctrl-C included, the temporary file is removed and what was at `path` before stays.

    Args:
        path: where to.
        lasting: whether the content is on the disk before the name is, so that it outlives a power failure.

    Raises:
        UsageError: the place cannot be written to.
    """
    final = Path(path)
    if is_folder(final):
        raise UsageError(f"{final} is a folder, not a file", f"name a file in it, such as {final / 'result'}")
    temporary = final.with_name(f".{final.stem}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}.tmp{final.suffix}")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(final)
    except OSError as error:
        raise cannot_write(final, error) from error
    _open.add(temporary)
    try:
        yield temporary
        if lasting:
            _sync(temporary)
        temporary.replace(final)
    except OSError as error:
        # Numpy and Pillow leave number and name out when a disk is full; errors about other files are the caller's own.
        if error.errno in FULL or error.filename is None or str(error.filename) == str(temporary):
            raise cannot_write(final, error) from error
        raise
    finally:
        with suppress(OSError):  # it must not hide what went wrong
            temporary.unlink(missing_ok=True)
        _open.discard(temporary)


@contextmanager
def temporary_folder(beside: Path) -> Iterator[Path]:
    """A new folder next to `beside`, for what is to be moved to that name when it is whole; it is gone after the block.

    Folders above it that are missing are made.

    Raises:
        UsageError: the place cannot be written to.
    """
    temporary = beside.with_name(f".{beside.stem}.{_host()}-{os.getpid()}-{secrets.token_hex(4)}.tmp{beside.suffix}")
    try:
        beside.parent.mkdir(parents=True, exist_ok=True)
        _remove_dead(beside)
        temporary.mkdir()
    except OSError as error:
        raise cannot_write(beside, error) from error
    _open.add(temporary)
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
        _open.discard(temporary)


@cache
def _host() -> str:
    return hashlib.sha256(socket.gethostname().encode()).hexdigest()[:6]


def _remove_dead(final: Path) -> None:
    """Remove what killed processes of this machine left of the same file."""
    if os.name == "nt":  # where it cannot be told who lives
        return
    start, end = f".{final.stem}.", f".tmp{final.suffix}"
    for name in os.listdir(final.parent):  # noqa: PTH208 - faster than Path objects, for folders of many images
        if name.startswith(start) and name.endswith(end) and (match := TEMPORARY.fullmatch(name)):
            host, process = match[1], int(match[2] or 0)
            if host == _host() and process != os.getpid() and not exists(process):
                _remove(final.parent / name)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def cannot_write(path: Path, error: OSError) -> UsageError:
    """The error for a place that cannot be written to."""
    blocking = next((parent for parent in path.parents if is_file(parent)), None)
    if blocking is not None:
        return UsageError(f"cannot write {path}: {blocking} is a file, not a folder", "choose another output")
    reason = os.strerror(error.errno) if error.errno else str(error) or type(error).__name__
    if error.errno in FULL or not error.errno:
        return UsageError(f"cannot write {path}: {reason}", "free some space, or choose an output on another disk")
    return UsageError(f"cannot write {path}: {reason}", "choose an output in a folder that you can write to")


def append_text(path: Path, text: str) -> None:
    """Append to a file, as UTF-8: all of the text, or nothing of it where there is no room.

    Raises:
        UsageError: the place cannot be written to.
    """
    try:
        with path.open("ab", buffering=0) as file:
            size, left = os.fstat(file.fileno()).st_size, text.encode(errors="backslashreplace")
            try:
                while left:
                    left = left[file.write(left) or 0 :]
            except OSError:
                with suppress(OSError):
                    os.ftruncate(file.fileno(), size)
                raise
    except OSError as error:
        raise cannot_write(path, error) from error


def atomic_write_bytes(path: str | os.PathLike[str], data: bytes, lasting: bool = True) -> None:
    """Write `data` to `path` in one piece; see `atomic_path`."""
    with atomic_path(path, lasting) as temporary:
        temporary.write_bytes(data)


def atomic_write_text(path: str | os.PathLike[str], text: str, lasting: bool = True) -> None:
    """Write `text` to `path` in one piece, as UTF-8 with the line ends that it has.

    What UTF-8 cannot say (names of files in another encoding) is written as an escape.
    """
    atomic_write_bytes(path, text.encode(errors="backslashreplace"), lasting)
