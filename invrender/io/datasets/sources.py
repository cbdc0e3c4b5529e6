"""The views that a dataset folder or pose file lists, before any pixel is read, and the checks on the list."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import replace
from pathlib import Path

from invrender.errors import InputError
from invrender.io.datasets.colmap import find_model, read_colmap, refuse_half_model
from invrender.io.datasets.posed import PosedImage
from invrender.io.datasets.transforms import read_transforms
from invrender.io.files.paths import entries, is_file, is_folder, listing, nearest, shown
from invrender.io.pixels import IMAGE_EXTENSIONS

log = logging.getLogger(__name__)
POSE_FILES = ("transforms.json", "transforms_train.json")


def posed_images(source: Path) -> list[PosedImage]:
    """What a dataset folder or pose file lists.

    Raises:
        InputError: the poses are missing or damaged, or lenses are distorted.
    """
    if source.suffix.lower() == ".json" and not is_folder(source):
        return _named_apart(read_transforms(source))
    if not is_folder(source):
        where = source.parent
        close = nearest(source.name, [name for name in entries(where) if is_folder(where / name)])
        remedy = f"did you mean {where / close}?" if close else "check the path"
        raise InputError(f"there is no folder {shown(source)}", remedy)
    for name in POSE_FILES:
        if is_file(source / name):
            return _named_apart(read_transforms(source / name))
    model = find_model(source)
    if model is not None:
        return _named_apart(read_colmap(model, source / "images" if is_folder(source / "images") else source))
    refuse_half_model(source)
    close = nearest(POSE_FILES[0], [name for name in entries(source) if name.endswith(".json")]) or _inner(source)
    hint = f"did you mean {source / close}? Otherwise " if close else ""
    raise InputError(
        f"{source} is no dataset: it holds neither transforms.json nor a COLMAP model (sparse/0)",
        f"{hint}put the poses there, or make a dataset with `invrender render ASSET --dataset {source}`",
    )


def _inner(folder: Path) -> str | None:
    """The folder in a folder that is a dataset, where the outer one was named: COLMAP's dense/, an archive's."""
    return next(
        (name for name in entries(folder) if is_file(folder / name / POSE_FILES[0]) or find_model(folder / name)), None
    )


def _named_apart(posed: list[PosedImage]) -> list[PosedImage]:
    """Views that are called alike but for the extensions of their pictures keep those in their names."""
    count = Counter(view.name for view in posed)
    files = Counter((view.name, view.image) for view in posed)
    return [
        replace(view, name=f"{view.name}{view.image.suffix}")
        if view.image is not None and count[view.name] > files[view.name, view.image]
        else view
        for view in posed
    ]


def check_views(posed: list[PosedImage], root: Path) -> None:
    """Refuse single views, views that are listed twice, and missing files; say how many lie elsewhere.

    Raises:
        InputError: naming the views or files.
    """
    if len(posed) < 2:
        raise InputError(f"{root} holds {len(posed)} view, and a shape needs at least 2", "add views from other sides")
    repeated = sorted(name for name, count in Counter(view.name for view in posed).items() if count > 1)
    if repeated:
        raise InputError(f"{root} lists views twice: {listing(repeated)}", "list each image once")
    check_files([path for view in posed for path in (view.image, view.mask) if path is not None], len(posed), root)
    _refuse_twins(posed, root)


def _refuse_twins(posed: list[PosedImage], root: Path) -> None:
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
    close = nearest(path.name, [name for name in free if Path(name).suffix.lower() in (*IMAGE_EXTENSIONS, ".npy")])
    hint = f"did you mean {close}? " if close else ""
    return f"{hint}put the files there, or leave their views out of the list"


def relative(path: Path, root: Path) -> str:
    """A path as seen from the dataset's folder, where it lies in it."""
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)
