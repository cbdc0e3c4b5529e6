"""The views that a dataset folder or pose file lists, before any pixel is read."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path

import torch

from invrender.errors import InputError
from invrender.io.datasets.bounds import box_of, colmap_points, ply_points, told_bounds
from invrender.io.datasets.cameras_json import NAME, read_cameras_json
from invrender.io.datasets.colmap import find_model, read_colmap, refuse_half_model
from invrender.io.datasets.middlebury import find_par, is_par, read_middlebury
from invrender.io.datasets.posed import PosedImage
from invrender.io.datasets.splits import by_filenames, by_list
from invrender.io.datasets.transforms import read_pose_table, transforms_views
from invrender.io.files.paths import entries, is_file, is_folder, nearest, shown
from invrender.io.pixels import IMAGE_EXTENSIONS

log = logging.getLogger(__name__)
POSE_FILES = ("transforms.json", "transforms_train.json")
_OTHER_SPLITS = {"val": "transforms_val.json", "test": "transforms_test.json"}


@dataclass(frozen=True)
class Listed:
    """What a dataset lists.

    Attributes:
        views: all of them, whatever their split.
        bounds: [2,3] float64 of the object's box in world units, or None.
    """

    views: list[PosedImage]
    bounds: torch.Tensor | None = None


def lists_views(source: Path) -> bool:
    """Whether a path names a dataset: a folder with poses in it, or a pose file itself."""
    if not is_folder(source):
        return source.suffix.lower() == ".json" or is_par(source)
    if any(is_file(source / name) for name in (*POSE_FILES, NAME)) or find_model(source) is not None:
        return True
    return any(is_par(Path(name)) for name in entries(source))


def listed(source: Path) -> Listed:
    """What a dataset folder or pose file lists.

    Raises:
        InputError: the poses are missing or damaged, or a lens is of an unknown model.
    """
    if is_folder(source):
        return _folder(source)
    if is_par(source):
        return Listed(_named_apart(read_middlebury(source)))
    if source.suffix.lower() == ".json":
        return _json(source)
    where = source.parent
    close = nearest(source.name, [name for name in entries(where) if is_folder(where / name)])
    raise InputError(
        f"there is no folder {shown(source)}", f"did you mean {where / close}?" if close else "check the path"
    )


def _folder(source: Path) -> Listed:
    if is_file(source / POSE_FILES[0]):
        return _json(source / POSE_FILES[0])
    if is_file(source / POSE_FILES[1]):
        return _splits(source)
    model = find_model(source)
    if model is not None:
        images = source / "images" if is_folder(source / "images") else source
        views = by_list(_named_apart(read_colmap(model, images)), model / "test.txt")
        return Listed(views, box_of(colmap_points(model), views))
    if is_file(source / NAME):
        return _json(source / NAME)
    par = find_par(source)
    if par is not None:
        return Listed(_named_apart(read_middlebury(par)))
    refuse_half_model(source)
    raise _no_dataset(source)


def _json(path: Path) -> Listed:
    """Of a file with `frames`, as transforms.json has them, or with `cameras`."""
    table = read_pose_table(path)
    if "cameras" in table and "frames" not in table:
        return Listed(_named_apart(read_cameras_json(path, table)), told_bounds(table.get("bounds"), str(path)))
    views = by_filenames(_named_apart(transforms_views(path, table)), table, path)
    bounds = told_bounds(table.get("bounds"), str(path))
    cloud = table.get("ply_file_path")
    if bounds is None and isinstance(cloud, str):
        bounds = box_of(ply_points(path.parent / cloud), views)
    return Listed(views, bounds)


def _splits(folder: Path) -> Listed:
    """transforms_train.json with those for validation and tests beside it."""
    train = _json(folder / POSE_FILES[1])
    views = [replace(view, split="train") for view in train.views]
    for split, name in _OTHER_SPLITS.items():
        path = folder / name
        if not is_file(path):
            continue
        table = read_pose_table(path)
        if table.get("frames") == []:
            log.warning("%s lists no views: none are held out by it", shown(path))
        else:
            views += [replace(view, split=split) for view in transforms_views(path, table)]
    return Listed(_named_apart(views), train.bounds)


def _no_dataset(source: Path) -> InputError:
    """A folder without poses: of pictures, or of whatever else."""
    jsons = [name for name in entries(source) if name.endswith(".json")]
    close = nearest(POSE_FILES[0], jsons) or _inner(source)
    hint = f"did you mean {source / close}? Otherwise " if close else ""
    folder = source / "images" if is_folder(source / "images") else source
    pictures = [name for name in entries(folder) if Path(name).suffix.lower() in IMAGE_EXTENSIONS]
    lacks = "neither transforms.json nor a COLMAP model (sparse/0), cameras.json or *_par.txt"
    if pictures and not close:
        return InputError(
            f"{source} holds {len(pictures)} pictures, but no cameras: {lacks}",
            f"put the cameras there, or find them in the pictures: `invrender poses {source} -o DATASET`",
        )
    return InputError(
        f"{source} is no dataset: it holds {lacks}",
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
