"""Archives of named arrays, .npz, whole or refused. Each array carries a checksum (CRC-32), which reading verifies."""

from __future__ import annotations

import tokenize
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

# What opening a damaged archive raises; zipfile says NotImplementedError where a flag or method in it makes no sense.
UNREADABLE = (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError)

# What reading an array's header raises as well: numpy evaluates the text in it.
BROKEN_HEADERS = (
    *UNREADABLE, KeyError, TypeError, RecursionError, MemoryError, OverflowError, RuntimeError, SyntaxError,
    tokenize.TokenError, zlib.error,
)  # fmt: skip


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """All arrays of an archive by name.

    Raises:
        FileNotFoundError: there is none.
        UNREADABLE: it is damaged, or no such archive.
    """
    with path.open("rb") as file:  # np.load given a path leaves a damaged file open
        if not zipfile.is_zipfile(file):
            raise ValueError("it is no .npz archive")
        file.seek(0)
        with np.load(file, allow_pickle=False) as data:
            return {name: data[name] for name in data.files}
