"""Datasets of posed images: a folder with transforms.json, or with a COLMAP model beside the images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from invrender.cameras.projection import common_point, perspective_intrinsics
from invrender.errors import InputError
from invrender.io.datasets.colmap import find_model, read_colmap
from invrender.io.datasets.masks import check_masks, find_mask
from invrender.io.datasets.posed import PosedImage
from invrender.io.datasets.transforms import read_transforms, transforms_table
from invrender.io.files.atomic import atomic_write_text
from invrender.io.files.paths import listing, nearest
from invrender.io.images import read_image, read_mask, write_png
from invrender.nouns import Cameras, Views

POSE_FILES = ("transforms.json", "transforms_train.json")
Array = NDArray[np.float32]


def is_dataset(path: str | Path) -> bool:
    """Whether a path names a dataset: a folder with poses in it, or a pose file (.json) itself."""
    source = Path(path)
    if source.is_dir():
        return any((source / name).is_file() for name in POSE_FILES) or find_model(source) is not None
    return source.suffix.lower() == ".json"


def read_dataset(
    folder: str | Path, masks: str | Path | None = None, *, size: int | None = None, images: bool = True
) -> Views:
    """Read posed images and their masks.

    A mask comes from the first of these that has one: the folder `masks`, the frame's `mask_path`, the image's alpha
    (straight, not premultiplied), and `masks/<name>.png` beside the poses. White is object.

    Args:
        folder: the dataset's folder, or its pose file (any .json).
        masks: a folder of masks named after the images.
        size: the longer side in pixels to which larger images are scaled down, by averaging; None keeps them.
        images: False reads masks alone and leaves `Views.images` None (colours take four times their memory).

    Returns:
        Views with float32 masks [N,H,W] and images [N,H,W,3] linear, and float64 cameras in the dataset's frame.

    Raises:
        InputError: poses or images are missing or damaged, sizes differ, masks are missing or cannot be meant, lenses
            are distorted, or there are fewer than two views.
    """
    source = Path(folder)
    posed = _posed_images(source)
    root = source if source.is_dir() else source.parent
    _check_views(posed, root)
    mask_files = _mask_files(posed, root, Path(masks) if masks is not None else None)
    colours, coverage, full_size = _read_all(posed, mask_files, root, size, images)
    names = tuple(view.name for view in posed)
    check_masks(coverage, names, root)
    height, width = coverage[0].shape
    return Views(
        _cameras(posed, full_size, (height, width)),
        torch.from_numpy(np.stack(coverage)),
        torch.from_numpy(np.stack(colours)) if colours else None,
        names,
    )


def read_cameras(path: str | Path, size: tuple[int, int]) -> Cameras:
    """The cameras alone of a dataset folder or pose file, for images of `size` (H, W); no image needs to be there.

    Raises:
        InputError: the poses are missing or damaged, or lenses are distorted.
    """
    return _cameras(_posed_images(Path(path)), size, size)


def write_dataset(folder: str | Path, views: Views) -> list[Path]:
    """Write views as transforms.json and RGBA images view_000.png, ... whose alpha is the coverage.

    Args:
        folder: made where it is missing; files of the same names are replaced, transforms.json last.
        views: without images, the colours are white.

    Returns:
        The files written.

    Raises:
        UsageError: the place cannot be written to.
    """
    target = Path(folder)
    digits = max(3, len(str(len(views.cameras) - 1)))
    files = [f"view_{i:0{digits}d}.png" for i in range(len(views.cameras))]
    for i, file in enumerate(files):
        mask = views.masks[i, :, :, None].detach().cpu()
        colour = torch.ones_like(mask).expand(-1, -1, 3) if views.images is None else views.images[i].detach().cpu()
        write_png(target / file, torch.cat([colour, mask.to(colour.dtype)], dim=2))
    atomic_write_text(target / POSE_FILES[0], json.dumps(transforms_table(views.cameras, files), indent=1) + "\n")
    return [target / POSE_FILES[0], *(target / file for file in files)]


def _posed_images(source: Path) -> list[PosedImage]:
    """What a dataset folder or pose file lists."""
    if source.suffix.lower() == ".json" and not source.is_dir():
        return read_transforms(source)
    if not source.is_dir():
        where = source.parent if source.parent.is_dir() else Path()
        close = nearest(source.name, [entry.name for entry in where.iterdir() if entry.is_dir()])
        remedy = f"did you mean {where / close}?" if close else "check the path"
        raise InputError(f"there is no folder {source}", remedy)
    for name in POSE_FILES:
        if (source / name).is_file():
            return read_transforms(source / name)
    model = find_model(source)
    if model is None:
        close = nearest(POSE_FILES[0], [entry.name for entry in source.iterdir() if entry.suffix == ".json"])
        hint = f"did you mean {source / close}? Otherwise " if close else ""
        raise InputError(
            f"{source} is no dataset: it holds neither transforms.json nor a COLMAP model (sparse/0)",
            f"{hint}put the poses there, or make a dataset with `invrender render ASSET --dataset {source}`",
        )
    return read_colmap(model, source / "images" if (source / "images").is_dir() else source)


def _check_views(posed: list[PosedImage], root: Path) -> None:
    """Refuse single views and missing files."""
    if len(posed) < 2:
        raise InputError(f"{root} holds {len(posed)} view, and a shape needs at least 2", "add views from other sides")
    repeated = sorted({view.name for view in posed if sum(other.name == view.name for other in posed) > 1})
    if repeated:
        raise InputError(f"{root} lists views twice: {listing(repeated)}", "list each image once")
    missing = [view.image for view in posed if view.image is not None and not view.image.is_file()]
    missing += [view.mask for view in posed if view.mask is not None and not view.mask.is_file()]
    if missing:
        shown = listing(_relative(path, root) for path in missing)
        raise InputError(
            f"{root}: {len(missing)} of {len(posed)} files are missing: {shown}", _missing_hint(missing[0], root)
        )


def _missing_hint(path: Path, root: Path) -> str:
    if not path.parent.is_dir():
        return f"the folder {_relative(path.parent, root)} is missing: put the images there, or correct the paths"
    close = nearest(path.name, [entry.name for entry in path.parent.iterdir()])
    hint = f"did you mean {close}? " if close else ""
    return f"{hint}put the files there, or leave their views out of the list"


def _relative(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path)


def _mask_files(posed: list[PosedImage], root: Path, masks: Path | None) -> list[Path | None]:
    """The mask file of each view, or None where its alpha must do."""
    if masks is None:
        return [view.mask for view in posed]
    if not masks.is_dir():
        raise InputError(f"there is no folder {masks} of masks", "give --masks a folder with one mask per image")
    files = [find_mask(masks, view.name, view.image) for view in posed]
    missing = [view.name for view, file in zip(posed, files, strict=True) if file is None]
    if missing:
        raise InputError(
            f"{masks} lacks the masks of {len(missing)} of {len(posed)} views: {listing(missing)}",
            f"name them after the images, such as {masks / f'{Path(missing[0]).name}.png'}",
        )
    return files


def _read_all(
    posed: list[PosedImage], mask_files: list[Path | None], root: Path, size: int | None, images: bool
) -> tuple[list[Array], list[Array], tuple[int, int]]:
    """Colours (empty unless all views have them and they are asked for), coverage, and the (H, W) of the files."""
    colours: list[Array] = []
    coverage: list[Array] = []
    sizes: list[tuple[int, int]] = []
    for view, file in zip(posed, mask_files, strict=True):
        rgb, alpha = read_image(view.image) if view.image is not None and (images or file is None) else (None, None)
        mask = read_mask(file) if file is not None else _fallback_mask(view, alpha, root)
        if rgb is not None and rgb.shape[:2] != mask.shape:
            raise InputError(
                f"{root}: the mask of {view.name} is {_wide(mask.shape)}, its image {_wide(rgb.shape)}",
                "make masks of the size of the images",
            )
        sizes.append((mask.shape[0], mask.shape[1]))
        _check_size(sizes, posed, root)
        coverage.append(_shrink(mask, size))
        if rgb is not None and images:
            colours.append(_shrink(rgb, size))
    return colours if len(colours) == len(posed) else [], coverage, sizes[0]


def _fallback_mask(view: PosedImage, alpha: Array | None, root: Path) -> Array:
    """The alpha of an image, unless it is opaque and there is a file in masks/."""
    if alpha is not None and float(alpha.min()) < 1:
        return alpha
    file = find_mask(root / "masks", view.name, view.image)
    if file is not None:
        return read_mask(file)
    where = view.name if view.image is None else _relative(view.image, root)
    what = "no alpha channel" if alpha is None else "an alpha channel that is opaque everywhere"
    raise InputError(
        f"{root}: {where} has {what}, and there is no mask for it",
        f"save the images as RGBA, or put masks (white is object) at masks/{view.name}.png, or pass --masks DIR",
    )


def _check_size(sizes: list[tuple[int, int]], posed: list[PosedImage], root: Path) -> None:
    if sizes[-1] != sizes[0]:
        raise InputError(
            f"{root}: the images differ in size: {posed[0].name} is {_wide(sizes[0])},"
            f" {posed[len(sizes) - 1].name} is {_wide(sizes[-1])}",
            "bring all images of a dataset to one size",
        )


def _wide(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]}"


def _shrink(image: Array, size: int | None) -> Array:
    """The image with its longer side brought down to `size` by averaging over areas."""
    height, width = image.shape[:2]
    if size is None or max(height, width) <= size:
        return image
    target = (max(1, round(width * size / max(height, width))), max(1, round(height * size / max(height, width))))
    planes = image[:, :, None] if image.ndim == 2 else image
    small = [
        np.asarray(Image.fromarray(planes[..., c]).resize(target, Image.Resampling.BOX)) for c in range(planes.shape[2])
    ]
    return small[0] if image.ndim == 2 else np.stack(small, axis=2)


def _cameras(posed: list[PosedImage], full_size: tuple[int, int], size: tuple[int, int]) -> Cameras:
    """Cameras for images of `size` that were scaled from ones of `full_size`; projections do not change by that."""
    world = torch.from_numpy(np.stack([view.world_to_camera for view in posed]))
    placed = Cameras(world, torch.zeros_like(world), size)
    target, _ = common_point(placed)
    distance = float((placed.position - target).norm(dim=1).max())
    reach = distance if distance > 0 else 1.0
    projections = [
        perspective_intrinsics(*view.lens.at(full_size), full_size, *(view.clip or (0.01 * reach, 100 * reach)))
        for view in posed
    ]
    return Cameras(world, torch.stack(projections), size)
