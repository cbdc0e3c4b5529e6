"""The checks on the list of a dataset's views: each once, its files there, and no picture without a camera unsaid."""

from __future__ import annotations

import logging
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from invrender.errors import InputError
from invrender.io.datasets.lighting import LIGHTING
from invrender.io.datasets.posed import PosedImage
from invrender.io.files.paths import entries, is_file, is_folder, listing, nearest, shown
from invrender.io.pixels import IMAGE_EXTENSIONS

log = logging.getLogger(__name__)
_RENDERED = re.compile("mask|matte|depth|normal|alpha|label|segment")  # pictures that go with others


def check_views(posed: Sequence[PosedImage], root: Path, skip_missing: bool = False) -> list[PosedImage]:
    """Refuse single views, views that are listed twice, and missing files; say how many lie elsewhere.

    Args:
        posed: the views.
        root: the dataset's folder.
        skip_missing: leave views out whose files are missing, and say which.

    Returns:
        The views whose files are there.

    Raises:
        InputError: naming the views or files.
    """
    if len(posed) < 2:
        raise InputError(f"{root} holds {len(posed)} view, and a shape needs at least 2", "add views from other sides")
    repeated = sorted(name for name, count in Counter(view.name for view in posed).items() if count > 1)
    if repeated:
        raise InputError(f"{root} lists views twice: {listing(repeated)}", "list each image once")
    if skip_missing:
        posed = _present(posed, root)
    check_files([path for view in posed for path in (view.image, view.mask) if path is not None], len(posed), root)
    _refuse_twins(posed, root)
    return list(posed)


def _present(posed: Sequence[PosedImage], root: Path) -> list[PosedImage]:
    """The views whose files are there; the others are named."""
    there = [view for view in posed if all(is_file(path) for path in (view.image, view.mask) if path is not None)]
    names = {view.name for view in there}
    lost = [view.name for view in posed if view.name not in names]
    if len(there) < 2:
        raise InputError(
            f"{root}: of {len(posed)} views, {len(lost)} lack their files: {listing(lost)}", "put the files there"
        )
    if lost:
        log.warning(
            "%s: %d of %d views lack their files and are left out: %s",
            shown(root), len(lost), len(posed), listing(lost, 20),
        )  # fmt: skip
    return there


def tell_unposed(posed: Sequence[PosedImage], root: Path) -> None:
    """Say which pictures lie among those of the dataset and have no camera."""
    images = {view.image for view in posed if view.image is not None}
    folders = {path.parent for path in images if path.is_relative_to(root)}
    known = images | {view.mask for view in posed if view.mask is not None}
    others = [
        relative(folder / name, root)
        for folder in sorted(folders)
        for name in entries(folder)
        if Path(name).suffix.lower() in IMAGE_EXTENSIONS and folder / name not in known
    ]
    lights = _lights_of(root)
    plain = [name for name in others if not _RENDERED.search(name.lower()) and Path(name).name not in lights]
    if plain:
        log.warning("%s: %d pictures have no camera and are left out: %s", shown(root), len(plain), listing(plain))


def _lights_of(root: Path) -> frozenset[str]:
    """Names in the scene file beside the pictures, which may be those of pictures of the environment."""
    path = (root.parent if is_file(root) else root) / LIGHTING
    text = path.read_text(encoding="utf-8", errors="replace") if is_file(path) else ""
    return frozenset(Path(quoted).name for quoted in re.findall(r'"([^"\n]+)"', text))


def _refuse_twins(posed: Sequence[PosedImage], root: Path) -> None:
    """Refuse two views of one file under different names, such as 'a.png' and 'images/../a.png' (InputError)."""
    seen: dict[Path, str] = {}
    for view in posed:
        path = view.image or view.mask
        first = view.name if path is None else seen.setdefault(path.resolve(), view.name)
        if path is not None and first != view.name:
            raise InputError(
                f"{root} lists {shown(relative(path, root))} twice, as {shown(first)} and as {shown(view.name)}",
                "list each image once",
            )


def check_files(files: list[Path], views: int, root: Path) -> None:
    """Refuse missing files of a dataset of so many views, and say how many lie outside its folder.

    Raises:
        InputError: naming the files, with what else may be meant.
    """
    missing = [path for path in files if not is_file(path)]
    if missing:
        names = listing(relative(path, root) for path in missing)
        raise InputError(
            f"{root}: {len(missing)} of {views} files are missing: {names}", _missing_hint(missing[0], files, root)
        )
    resolved = Counter(path.resolve() for path in set(files))
    home = root.resolve()
    outside = [path for path in resolved if not path.is_relative_to(home)]
    if outside:
        log.warning(
            "%d of %d pictures lie outside %s, such as %s", len(outside), len(resolved), shown(root), shown(outside[0])
        )


def _missing_hint(path: Path, listed: list[Path], root: Path) -> str:
    if not is_folder(path.parent):
        folder = shown(relative(path.parent, root))
        return f"the folder {folder} is missing: put the images there, or correct the paths"
    taken = {other.name for other in listed if other.parent == path.parent}
    free = [name for name in entries(path.parent) if name not in taken]
    pictures = [name for name in free if Path(name).suffix.lower() in (*IMAGE_EXTENSIONS, ".npy")]
    if not pictures and not any(is_file(other) for other in listed):
        return f"the cameras are there, but no picture is: put the pictures into {shown(path.parent)}"
    close = nearest(path.name, pictures)
    hint = f"did you mean {close}? " if close else ""
    return f"{hint}put the files there, or leave their views out with --skip-missing"


def relative(path: Path, root: Path) -> str:
    """A path as seen from the dataset's folder, where it lies in it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
