"""What ended a piece of work, in the words and the exit code of the command line; light, since `--help` comes by."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from invrender.errors import InputError, InvrenderError, MemoryLimitError, UsageError, printable
from invrender.io.files.atomic import FULL
from invrender.run.stop import INTERRUPTED, REMEDY

OUT_OF_MEMORY = ("can't allocate memory", "not enough memory", "std::bad_alloc", "CUDA_ERROR_OUT_OF_MEMORY")
BUG = 1


@dataclass(frozen=True)
class Failure:
    """How something ended: the exit code, what happened, and what to do about it.

    Attributes:
        unforeseen: whether it is a bug of ours, whose traceback somebody should see.
    """

    exit_code: int
    cause: str
    remedy: str
    unforeseen: bool = False


def explain(error: BaseException) -> Failure:
    """The failure that an exception means."""
    if isinstance(error, InvrenderError):
        return Failure(error.exit_code, error.cause, error.remedy)
    if isinstance(error, KeyboardInterrupt):
        return Failure(INTERRUPTED, "interrupted", REMEDY)
    if is_out_of_memory(error):
        cause = f"the job does not fit in memory: {str(error).strip().splitlines()[0] if str(error) else 'MemoryError'}"
        return Failure(MemoryLimitError.exit_code, cause, "lower --size or --views, or take --preset draft")
    if isinstance(error, UnicodeEncodeError) and "surrogates" in error.reason:  # which stand for other bytes
        return Failure(InputError.exit_code, f"a name is not UTF-8: {error.object!a}", "rename the file")
    if isinstance(error, OSError) and error.errno is not None:
        return _system(error)
    return Failure(
        BUG,
        f"{type(error).__name__} that nobody foresaw",
        "please report it with the text above and the output of `invrender doctor --json`",
        unforeseen=True,
    )


def _system(error: OSError) -> Failure:
    """What the system refused, and no part of ours had words for."""
    place = printable(f"{error.filename}: ") if error.filename else ""
    if error.errno in (*FULL, errno.EROFS):
        return Failure(UsageError.exit_code, f"{place}{error.strerror}", "free some space, or choose another output")
    return Failure(InputError.exit_code, f"{place}{error.strerror}", "check the names that were given")


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception means that memory ran out, on the host or on a device (torch need not be imported)."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    text = str(error)
    return isinstance(error, RuntimeError) and any(words in text for words in OUT_OF_MEMORY)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether an exception, or one that led to it, says that there is no room on the disk."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        error = error.__cause__ or error.__context__
    return False
