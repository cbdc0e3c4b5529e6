"""The folder that a data set goes to: checked before any work, and put there in one piece after it."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path

from invrender.errors import OutputExistsError, UsageError
from invrender.io.files.atomic import cannot_write
from invrender.io.files.paths import entries, is_file, is_folder


def checked_target(target: Path, source: Path, replaced: str | None) -> None:
    """Refuse a folder that is in use, or that is the source's own.

    Args:
        target: where to.
        source: of what is written.
        replaced: a file that marks a folder that may be replaced; None: none may.

    Raises:
        OutputExistsError: it holds something, and it was not asked to replace that; or it is a file.
        UsageError: it is the source, or one is within the other.
    """
    here, there = target.resolve(), (source if is_folder(source) else source.parent).resolve()
    if here == there or there.is_relative_to(here):
        raise UsageError(f"{target} is where the samples come from", "choose another folder for the result")
    if target.exists() and not is_folder(target):
        raise OutputExistsError(f"{target} is a file", "choose another folder")
    if not entries(target):
        return
    if replaced is None:
        raise OutputExistsError(f"{target} holds something already", "pass --overwrite, or choose another folder")
    if not is_file(target / replaced):
        raise OutputExistsError(
            f"{target} holds something that is not a result of this command", "choose another folder"
        )


def put_in_place(folder: Path, target: Path) -> None:
    """Move a finished folder to its name; what is there is set aside before and removed after.

    Raises:
        UsageError: the place cannot be written to.
    """
    aside = target.with_name(f".{target.name}.{secrets.token_hex(4)}.old")
    try:
        if target.exists():
            target.rename(aside)
        try:
            folder.rename(target)
        except OSError:
            if aside.exists():
                aside.rename(target)
            raise
    except OSError as error:
        raise cannot_write(target, error) from error
    shutil.rmtree(aside, ignore_errors=True)
