"""Datasets that appear whole: written in `.new` inside their folder, and moved into their places when complete.

The same rules as for runs hold (see `run.place`): `.new` becomes `.complete`, from then on the new one counts, and the
next one that looks at the folder carries through what a kill has cut short. On the way there is no transforms.json, so
that nobody reads old and new images together.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from invrender.io.datasets.lighting import LIGHTING as SCENE
from invrender.io.datasets.lighting import is_lighting
from invrender.io.files.atomic import TEMPORARY, cannot_write, remove_temporaries
from invrender.run.place import COMPLETE, NEW

POSES = "transforms.json"
IMAGE = re.compile(r"view_\d+\.(png|npy|exr)")
LIGHTING = re.compile(r"scene(-.+)?\.(toml|exr|png|npz|npy|obj|mtl)")
"""Names that our writers give: to pictures, and to what tells the light on them (`io.datasets.lighting`)."""


def write_staged(folder: Path, write: Callable[[Path], list[Path]]) -> list[Path]:
    """Write a dataset into a folder, in the place of the one that is there, when all of it is written.

    Args:
        folder: made where it is missing.
        write: puts the files into a folder and returns their paths.

    Returns:
        The paths that they have in the end.

    Raises:
        UsageError: the place cannot be written to; what was there still is.
    """
    settle_dataset(folder)
    place = folder / NEW
    try:
        _clear(place)
        files = write(place)
        place.rename(folder / COMPLETE)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        if not (folder / COMPLETE).is_dir():
            with suppress(OSError):
                _clear(place)
    settle_dataset(folder)
    return [folder / file.name for file in files]


def settle_dataset(folder: Path) -> None:
    """Carry a replacement through that is complete, if there is one; it can be repeated at any point.

    Raises:
        UsageError: a file cannot be put in its place.
    """
    complete = folder / COMPLETE
    if complete.is_symlink() or not complete.is_dir():
        return
    try:
        new = _ours(complete)
        if POSES in new:
            for name in _listed(folder) - new:
                (folder / name).unlink(missing_ok=True)
            (folder / POSES).unlink(missing_ok=True)
            for name in sorted(new, key=lambda name: name == POSES):  # the poses last
                with suppress(FileNotFoundError):  # somebody else has just done it
                    (complete / name).replace(folder / name)
        with suppress(OSError):  # it is not empty: not a dataset's
            complete.rmdir()
    except OSError as error:
        raise cannot_write(folder, error) from error


def is_empty(folder: Path) -> bool:
    """Whether a folder holds nothing but what a dataset that was never completed left."""
    return all(item.name == NEW or TEMPORARY.fullmatch(item.name) for item in folder.iterdir())


def _clear(place: Path) -> None:
    """Remove what was written there, and the folder; a link is not followed."""
    if place.is_symlink() or not place.is_dir():
        return
    remove_temporaries(place)
    for name in _ours(place):
        (place / name).unlink(missing_ok=True)
    if not any(place.iterdir()):
        place.rmdir()


def _ours(folder: Path) -> set[str]:
    names = {item.name for item in folder.iterdir()}
    return {name for name in names if name == POSES or IMAGE.fullmatch(name) or LIGHTING.fullmatch(name)}


def _listed(folder: Path) -> set[str]:
    """The images of the dataset that is there, and what tells their light, as far as they bear names of ours."""
    light = {item.name for item in folder.iterdir() if LIGHTING.fullmatch(item.name)}
    told = light if is_lighting(folder / SCENE) else set()
    try:
        frames = json.loads((folder / POSES).read_text(encoding="utf-8"))["frames"]
        return told | {name for frame in frames if IMAGE.fullmatch(name := str(frame["file_path"]))}
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return set()
