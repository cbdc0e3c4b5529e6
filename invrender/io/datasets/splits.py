"""Which views a dataset sets aside: its own split, as the programs of this field write it.

transforms_train.json, transforms_val.json and transforms_test.json side by side; train_filenames, val_filenames and
test_filenames of nerfstudio's transforms.json; `split` in cameras.json; test.txt beside a COLMAP model.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any

from invrender.errors import InputError
from invrender.io.datasets.locate import Locator
from invrender.io.datasets.posed import PosedImage
from invrender.io.files.paths import is_file, listing, nearest, shown
from invrender.io.pixels import IMAGE_EXTENSIONS

log = logging.getLogger(__name__)
_LISTS = {"train_filenames": "train", "val_filenames": "val", "test_filenames": "test"}
_UNUSED = "none"


def by_filenames(views: list[PosedImage], table: dict[str, Any], path: Path) -> list[PosedImage]:
    """Views with the split that the lists of nerfstudio's transforms.json give them.

    Raises:
        InputError: a list is none of names.
    """
    given = {kind: table[key] for key, kind in _LISTS.items() if table.get(key) is not None}
    for kind, names in given.items():
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise InputError(f"{path}: '{kind}_filenames' is no list of names", "list the file_path of each view")
    locator = Locator(path.parent, IMAGE_EXTENSIONS)
    kinds: dict[Path, str] = {}
    for kind in ("val", "test", "train"):
        kinds.update({locator.find(name): kind for name in given.get(kind, ())})
    other = _UNUSED if "train" in given else None
    return [replace(view, split=kinds.get(view.pixels, other)) if given else view for view in views]


def by_list(views: list[PosedImage], path: Path) -> list[PosedImage]:
    """Views with those set aside that a text file names, one a line, where there is such a file."""
    if not is_file(path):
        return views
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{shown(path)} cannot be read as a list of names", "write one name a line") from error
    names = {_stem(line.strip()) for line in lines if line.strip()}
    return [replace(view, split="test") if {view.name, Path(view.name).name} & names else view for view in views]


def _stem(name: str) -> str:
    path = PurePosixPath(name)
    return (path.with_suffix("") if path.suffix.lower() in IMAGE_EXTENSIONS else path).as_posix()


def set_aside(
    views: Sequence[PosedImage], held_out: bool | Sequence[str], root: Path
) -> tuple[list[PosedImage], frozenset[str]]:
    """The views to read, and the names of those of them that are held out.

    Args:
        views: all that the dataset lists.
        held_out: True: the test views, or those for validation where there are none; False: leave them out; or the
            names of views instead of the dataset's split.
        root: the dataset's folder, for messages.

    Raises:
        InputError: a name is unknown, or nothing is left to learn from.
    """
    if not isinstance(held_out, bool):
        return list(views), _named(views, held_out, root)
    kind = "test" if any(view.split == "test" for view in views) else "val"
    kept = [view for view in views if view.split in (None, "train") or (held_out and view.split == kind)]
    aside = frozenset(view.name for view in kept if view.split == kind)
    if views and len(aside) == len(kept):
        raise InputError(f"{root}: its split leaves no views to learn from", "let some views be of the split train")
    left = [view.name for view in views if view.split not in (None, "train", kind)]
    if left:
        log.info("%s: %d views of other splits are left out: %s", shown(root), len(left), listing(left))
    return kept, aside


def _named(views: Sequence[PosedImage], names: Sequence[str], root: Path) -> frozenset[str]:
    known = {view.name for view in views}
    aside = set()
    for name in names:
        stem = name if name in known else _stem(name)
        if stem not in known:
            close = nearest(stem, known)
            remedy = f"did you mean {close}?" if close else f"its views are {listing(sorted(known))}"
            raise InputError(f"{root} has no view {shown(name)} to hold out", remedy)
        aside.add(stem)
    if aside == known:
        raise InputError(f"{root}: all views are held out", "leave some to learn from")
    return frozenset(aside)
