"""What lies where a file was to be downloaded, and is not that file."""

from __future__ import annotations

import re

_STAND_INS = (
    (rb"version https://git-lfs", "a Git LFS pointer: the file itself was not downloaded", "fetch it: git lfs pull"),
    (rb"\s*<(!doctype html|html)\b", "a web page", "download the file itself (its 'raw' link)"),
)


def stand_in(start: bytes) -> tuple[str, str] | None:
    """What a file with these first bytes is instead of data of any kind, and the remedy; None where it may be data."""
    for pattern, what, remedy in _STAND_INS:
        if re.match(pattern, start, re.IGNORECASE):
            return what, remedy
    return None
