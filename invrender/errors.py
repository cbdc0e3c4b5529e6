"""Everything that can go wrong for reasons outside this code, as one small tree.

    InvrenderError                 base; never raised itself
    +-- UsageError          (2)    the command line or a setting makes no sense
    +-- InputError          (3)    a file, mesh, image or dataset cannot be used
    +-- BackendError        (4)    the backend asked for is not available here
    +-- MemoryLimitError    (5)    the job does not fit in memory
    +-- OutputExistsError   (6)    a finished result would be overwritten
    +-- CheckpointError     (7)    a checkpoint is missing, damaged or of another job
    +-- DivergedError       (8)    the optimisation diverged, or a --fail-if gate failed
    +-- BatchError          (9)    some jobs of a batch failed
    +-- RetryError         (75)    a passing fault (device lost, pre-empted): try again
    +-- StoppedError      (130)    interrupted, with what there was until then written

The number is the exit code of the command line (0 done, 1 our bug, 130 interrupted). An error carries what happened
(`cause`) and what to do about it (`remedy`); the command line prints both, in at most six lines, without a traceback.
Names of files are quoted in both, and a name may hold anything: what no terminal should be sent is written as escapes.
"""

from __future__ import annotations

import re
from typing import ClassVar


def printable(text: str) -> str:
    r"""Text with every control character, line separator and undecodable byte written as an escape, such as \x1b.

    Names on disk may hold escape sequences that a terminal would obey, and bytes that are no UTF-8 (which Python keeps
    as lone surrogates and no stream can encode).
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _brief(text: str) -> str:
    return re.sub(r"(\S{100})\S{800,}(\S{100})", r"\1...\2", text)


class InvrenderError(Exception):
    """A failure the user can act on.

    Args:
        cause: one sentence that says what is wrong, with the offending name or number in it.
        remedy: one sentence that says exactly what to do.

    Control characters are escaped in both, and the middle of words that no screen can hold is left out.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, cause: str, remedy: str = "") -> None:
        self.cause = _brief(printable(cause))
        self.remedy = _brief(printable(remedy))
        super().__init__(f"{self.cause}\n{self.remedy}" if remedy else self.cause)


class UsageError(InvrenderError):
    """The command line or a setting makes no sense."""

    exit_code = 2


class InputError(InvrenderError):
    """A file, mesh, image or dataset cannot be used."""

    exit_code = 3


class BackendError(InvrenderError):
    """The backend asked for is not available here."""

    exit_code = 4


class MemoryLimitError(InvrenderError):
    """The job does not fit in memory."""

    exit_code = 5


class OutputExistsError(InvrenderError):
    """A finished result would be overwritten."""

    exit_code = 6


class CheckpointError(InvrenderError):
    """A checkpoint is missing, damaged or of another job."""

    exit_code = 7


class DivergedError(InvrenderError):
    """The optimisation diverged, or a gate failed."""

    exit_code = 8


class BatchError(InvrenderError):
    """Some jobs of a batch failed."""

    exit_code = 9


class RetryError(InvrenderError):
    """A passing fault, such as a lost device: try again."""

    exit_code = 75


class StoppedError(InvrenderError):
    """Interrupted; what there was until then is written."""

    exit_code = 130
