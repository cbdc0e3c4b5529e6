"""Datasets from one format into another: cameras exactly, pictures copied where nothing in them has to change."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

import numpy as np

from invrender.errors import InputError, OutputExistsError, UsageError
from invrender.io.datasets.checks import check_views
from invrender.io.datasets.develop import develop, fitted_mask
from invrender.io.datasets.layout import Place, lay_out
from invrender.io.datasets.masks import mask_files
from invrender.io.datasets.pictures import header_of
from invrender.io.datasets.posed import Lens, PosedImage
from invrender.io.datasets.sizes import fit_all, upright
from invrender.io.datasets.sources import listed
from invrender.io.datasets.write_poses import PARALLEL_FORMATS, WRITERS, Written, holds
from invrender.io.files.atomic import atomic_path
from invrender.io.files.paths import entries, is_folder, shown
from invrender.io.images import read_image, read_mask, write_png
from invrender.io.pixels import read_header, turned

log = logging.getLogger(__name__)
FORMATS = tuple(WRITERS)


@dataclass(frozen=True)
class Converted:
    """What was written.

    Attributes:
        poses: the files that hold the cameras.
        views: how many there are.
        undistorted, turned: of these, how many had their pictures undistorted, or turned as Exif says.
        masks: how many masks were written.
        held_out: how many views are of the dataset's own test split, or of that for validation.
    """

    poses: list[Path]
    views: int
    undistorted: int
    turned: int
    masks: int
    held_out: int


def convert(
    source: str | Path, target: str | Path, to: str, *, masks: str | Path | None = None, undistort: bool = False,
    skip_missing: bool = False, overwrite: bool = False,
) -> Converted:  # fmt: skip
    """Write a dataset in another format.

    Pictures are copied byte by byte into `images`, and rewritten as PNG (8 bits) where they are undistorted or turned.
    Masks that are files go into `masks`. The world's frame and units stay as they are.

    Args:
        source: a dataset's folder or pose file.
        target: the new folder.
        to: one of `FORMATS`.
        masks: a folder of masks that comes before all others.
        undistort: whether pictures of distorted lenses are undistorted; where the format has no words for the lens,
            they are in any case.
        skip_missing: whether views are left out whose files are missing.
        overwrite: whether to write into a folder that holds something.

    Raises:
        InputError: the dataset cannot be used.
        UsageError: an unknown format, or the target is the dataset's own folder.
        OutputExistsError: the target holds something.
    """
    source, target = Path(source), Path(target)
    root = source if is_folder(source) else source.parent
    _check(root, target, to, overwrite)
    found = listed(source)
    posed = check_views(found.views, root, skip_missing)
    _check_parallel(posed, to)
    heads = [header_of(view, root) for view in posed]
    files = mask_files(posed, [head.alpha for head in heads], root, None if masks is None else Path(masks), True)
    fitted, turns = fit_all(posed, heads, [None if file is None else read_header(file) for file in files], root)
    sizes = [upright(head.size, turn) for head, turn in zip(heads, turns, strict=True)]
    places = _places(fitted, turns, sizes, root, to, undistort)
    names = _names(places)
    written = [
        _write(place, file, name, target, to, root) for place, file, name in zip(places, files, names, strict=True)
    ]
    poses = WRITERS[to](target, written, found.bounds)
    return Converted(
        poses,
        len(written),
        sum(place.straight is not None for place in places),
        sum(place.turn != 1 for place in places),
        sum(view.mask is not None for view in written),
        sum(view.split in ("test", "val") for view in written),
    )


def _check(root: Path, target: Path, to: str, overwrite: bool) -> None:
    if to not in FORMATS:
        raise UsageError(f"there is no format '{shown(to)}'", f"use one of {', '.join(FORMATS)}")
    if target.resolve() == root.resolve():
        raise UsageError(f"{target} is the dataset itself", "choose another folder for the result")
    if target.exists() and not is_folder(target):
        raise OutputExistsError(f"{target} is a file", "choose another folder")
    if entries(target) and not overwrite:
        raise OutputExistsError(f"{target} holds something already", "pass --overwrite, or choose another folder")


def _check_parallel(posed: Sequence[PosedImage], to: str) -> None:
    if to not in PARALLEL_FORMATS and any(view.lens.parallel for view in posed):
        raise UsageError(
            f"the format '{to}' has no words for cameras with parallel rays",
            f"use one of {', '.join(PARALLEL_FORMATS)}",
        )


def _places(
    posed: Sequence[PosedImage], turns: Sequence[int], sizes: Sequence[tuple[int, int]], root: Path, to: str,
    undistort: bool,
) -> list[Place]:  # fmt: skip
    """Where each picture goes; the lenses of those that stay as they are keep their distortion."""
    kept = [not undistort and view.lens.distortion is not None and holds(to, view.lens.distortion) for view in posed]
    plain = [
        replace(view, lens=replace(view.lens, distortion=None)) if keep else view
        for view, keep in zip(posed, kept, strict=True)
    ]
    places = lay_out(plain, turns, sizes, None, root)
    return [replace(place, view=view) if keep else place for place, view, keep in zip(places, posed, kept, strict=True)]


def _names(places: Sequence[Place]) -> list[str]:
    """Names of files in `images`, without extension: those of the views, as far as they stay inside."""
    names: list[str] = []
    for place in places:
        parts = [part for part in PurePosixPath(place.view.name).parts if part not in ("..", ".", "/")]
        inside = parts[1:] if len(parts) > 1 and parts[0] == "images" else parts
        name, number = "/".join(inside), 2
        while name in names:
            name, number = f"{'/'.join(inside)}_{number}", number + 1
        names.append(name)
    return names


def _write(place: Place, file: Path | None, name: str, target: Path, to: str, root: Path) -> Written:
    """Write a view's picture and mask."""
    view = place.view
    mask = None if file is None else f"masks/{name}.png"
    if view.image is None:
        raise InputError(f"{root}: {shown(view.name)} has a mask, but no picture", "name a picture for every view")
    same = place.straight is None and place.turn == 1
    suffix = view.image.suffix.lower() if same else ".png"
    picture = f"{name.removesuffix(view.image.suffix)}{suffix}"
    if to.startswith("colmap") and mask is not None:  # as COLMAP calls them
        mask = f"masks/{picture}.png"
    if same:
        _copy(view.image, target / "images" / picture)
        if file is not None and mask is not None:
            write_png(target / mask, read_mask(file))
    else:
        _rewrite(place, file, target / "images" / picture, None if mask is None else target / mask, root)
    height, width = place.pinhole_size
    told = Lens(
        *view.lens.at(place.pinhole_size), width, height, distortion=view.lens.distortion, parallel=view.lens.parallel
    )
    return Written(picture, mask, told, view.world_to_camera, view.split, view.clip)


def _copy(source: Path, target: Path) -> None:
    with atomic_path(target) as temporary:
        shutil.copyfile(source, temporary)


def _rewrite(place: Place, file: Path | None, picture: Path, mask: Path | None, root: Path) -> None:
    """Turn and undistort a picture and its mask."""
    image = place.view.pixels
    if image.suffix.lower() == ".exr":
        raise InputError(f"{shown(image)} cannot be undistorted into 8 bits", "convert the pictures to PNG first")
    rgb, alpha = read_image(image)
    if place.turn != 1:
        rgb, alpha = turned(rgb, place.turn), None if alpha is None else turned(alpha, place.turn)
    cover = alpha if file is None else fitted_mask(read_mask(file), place, root)
    layers = develop(rgb, alpha, cover, place, str(root))
    colours = rgb if layers.colours is None else layers.colours
    if file is None and layers.mask is not None:
        colours = np.concatenate([colours, layers.mask[..., None]], axis=2)
    write_png(picture, colours)
    if mask is not None and layers.mask is not None:
        write_png(mask, layers.mask)
