"""The folder of a data set while it is made: what is there already, what may be replaced, and how making it goes on.

`making.json` holds the recipe until meta.json, the last file, is there. Shards appear whole or not at all, so that
those that are there are kept, and the others made.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from invrender.errors import InputError, OutputExistsError
from invrender.io.files.atomic import atomic_write_text, cannot_write, remove_temporaries
from invrender.io.files.json_table import read_json_table
from invrender.io.files.paths import entries, is_folder, listing
from invrender.io.pairs.meta import META, SPLITS, Layout, Shard, is_pairs
from invrender.io.pairs.shards import check_shard

MAKING = "making.json"


def check_place(folder: Path, recipe: Mapping[str, Any], overwrite: bool) -> None:
    """Refuse a folder that a data set may not be made in; nothing is written.

    Args:
        folder: that need not exist.
        recipe: as JSON has it.
        overwrite: whether an earlier data set may be replaced.

    Raises:
        OutputExistsError: it holds a finished data set, an unfinished one of another recipe, or other files.
    """
    if not is_folder(folder):
        return
    others = [name for name in entries(folder) if not (name.startswith(".") or _is_ours(name))]
    unmarked = not is_pairs(folder) and not (folder / MAKING).is_file()
    if others or (unmarked and any(_is_ours(name) for name in entries(folder))):
        names = others or [name for name in entries(folder) if _is_ours(name)]
        raise OutputExistsError(
            f"{folder} holds {listing(sorted(names), 2)}, which is no data set of `dataset make`",
            f"choose a new folder, such as -o {folder / 'pairs'}",
        )
    if overwrite:
        return
    if is_pairs(folder):
        raise OutputExistsError(
            f"{folder} holds a finished data set", "pass --overwrite to replace it, or choose another folder with -o"
        )
    if (folder / MAKING).is_file() and (different := _differences(folder, recipe)):
        raise OutputExistsError(
            f"{folder} holds a part of a data set that was begun with other {', '.join(different)}",
            "give the same options to go on with it, pass --overwrite to begin anew, or choose another folder with -o",
        )


def begin(folder: Path, recipe: Mapping[str, Any], overwrite: bool) -> None:
    """Make the folder ready: with what there is of the same recipe, or with nothing.

    Raises:
        UsageError: it cannot be written to.
        OutputExistsError: see `check_place`.
    """
    check_place(folder, recipe, overwrite)
    goes_on = (folder / MAKING).is_file() and not is_pairs(folder) and not _differences(folder, recipe)
    if not goes_on:
        if is_folder(folder):
            _clear(folder)
        atomic_write_text(folder / MAKING, json.dumps(recipe, indent=1) + "\n")


def finish(folder: Path) -> None:
    """meta.json is written: the recipe is in there.

    Raises:
        UsageError: the folder cannot be written to.
    """
    try:
        (folder / MAKING).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder / MAKING, error) from error


def missing(folder: Path, shards: Sequence[Shard], layout: Layout) -> list[Shard]:
    """The shards that are not there yet, or not whole."""
    return [shard for shard in shards if not _is_whole(folder, shard, layout)]


def _is_whole(folder: Path, shard: Shard, layout: Layout) -> bool:
    if not ((folder / shard.voxels).is_file() and (folder / shard.pictures).is_file()):
        return False
    try:
        check_shard(folder, shard, layout)
    except InputError:
        return False
    return True


def _is_ours(name: str) -> bool:
    """Whether a file bears a name that data sets give."""
    if name in (META, MAKING):
        return True
    split, _, rest = name.partition("-")
    number, _, end = rest.partition(".")
    return split in SPLITS and number.isdigit() and end in ("voxels.npy", "pictures.npy")


def _differences(folder: Path, recipe: Mapping[str, Any]) -> list[str]:
    """What an unfinished data set was begun with that is different now."""
    try:
        found = read_json_table(folder / MAKING, "data set", "one with `invrender dataset make`")
    except InputError:
        return ["options (making.json is damaged)"]
    wanted = json.loads(json.dumps(recipe))
    return sorted(name for name in {*found, *wanted} if found.get(name) != wanted.get(name))


def _clear(folder: Path) -> None:
    """Remove a data set: its mark goes last, so that what is left when that is interrupted is still known as one."""
    try:
        remove_temporaries(folder)
        for name in entries(folder):
            if _is_ours(name) and name not in (META, MAKING):
                (folder / name).unlink(missing_ok=True)
        (folder / META).unlink(missing_ok=True)
        (folder / MAKING).unlink(missing_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from error
