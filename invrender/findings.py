"""What looks wrong in an input or a result, but may be meant: warnings, which `--strict` turns into errors."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from invrender.errors import InvrenderError


@dataclass(frozen=True)
class Finding:
    """Something that looks wrong.

    Attributes:
        cause: one sentence that says what, with the names and numbers.
        remedy: what to do about it, the likely causes included.
        views: names of the views it is about, the worst first; none: it is about all of them.
        severe: whether a result with it is no result: its files are written, and the run ends with exit code 8.
    """

    cause: str
    remedy: str
    views: tuple[str, ...] = ()
    severe: bool = False

    def __str__(self) -> str:
        return f"{self.cause}; {self.remedy}"


def refuse(findings: Sequence[Finding], error: type[InvrenderError]) -> None:
    """Raise the first finding, if there is one.

    Raises:
        InvrenderError: of the type `error`.
    """
    if findings:
        others = f" (and {len(findings) - 1} more)" if len(findings) > 1 else ""
        raise error(f"{findings[0].cause}{others}", findings[0].remedy)
