"""Links from a page to files that lie beside it."""

from __future__ import annotations

import os
from html import escape
from pathlib import Path
from urllib.parse import quote


def link(target: Path, base: Path, words: str) -> str:
    """A link to a file or folder; plain words where it is not there.

    Args:
        target: what it leads to.
        base: the folder of the page, to which the link is relative.
        words: plain text.
    """
    if not target.exists():
        return f"<span>{escape(words)}</span>"
    try:
        where = quote(Path(os.path.relpath(target, base)).as_posix().encode(errors="surrogateescape"))
    except ValueError:  # on another drive of Windows
        where = target.absolute().as_uri()
    shown = escape(words).replace(",", ",<wbr>")  # where names of jobs that come from a matrix may be broken
    slash = "/" if target.is_dir() else ""
    return f'<a href="{escape(where, quote=True)}{slash}">{shown}</a>'
